"""R-CARD, R-NO-INBOX: the sender that is really used, why, and what to do."""

import pytest
from flask import Flask
from lxml import html
from sqlmodel import select

from kartramail.db import Database
from kartramail.outbox.models import Message, MessageState
from tests.senders.reading import CARD, EDIT, text_of
from tests.support.cast import Actor, make_account, sign_in


@pytest.fixture
def zoe(app: Flask) -> Actor:
    """Zoe signed up with a free address."""
    account_id, user_id = make_account(
        app.extensions["kartramail"], business_name="Zoës Bäckerei", email="zoe@gmail.com"
    )
    client = app.test_client()
    sign_in(client, user_id, account_id)
    return Actor(account_id, user_id, "zoe@gmail.com", "Zoe", client)


def test_an_active_gateway_shows_a_checkmark_and_the_word(alice: Actor) -> None:
    tree = html.fromstring(alice.get(CARD).get_data(as_text=True))
    (badge,) = tree.xpath(
        "//section[h2='KartraMail' or .//h2='KartraMail']//*[contains(@class, 'badge-ok')]"
    )
    assert badge.text_content().strip() == "Active"
    assert badge.xpath(".//*[name()='svg']")


def test_the_menu_holds_three_ways(alice: Actor) -> None:
    tree = html.fromstring(alice.get(CARD).get_data(as_text=True))
    words = [" ".join(e.text_content().split()) for e in tree.xpath("//*[@data-menu]/ul/li")]
    assert [w for w in words if w in ("Edit", "Send a test", "Authenticate domain")] == [
        "Edit",
        "Send a test",
        "Authenticate domain",
    ]


def test_a_proven_sender_is_shown_as_a_recipient_sees_it(alice: Actor) -> None:
    words = text_of(alice.get(CARD))
    assert "Doe Inc." in words
    assert "alice@doeinc.com" in words
    assert "Reply goes to alice@doeinc.com" in words
    assert "is not used yet" not in words
    assert "Not authenticated yet" in words


def test_the_main_line_is_the_sender_used_now_not_the_wanted_one(alice: Actor) -> None:
    alice.post(
        EDIT,
        {
            "sender_name": "Doe",
            "accept_low_delivery": "y",
            "send_from": "hi@doeinc.com",
            "reply_to": "hi@doeinc.com",
        },
    )
    tree = html.fromstring(alice.get(CARD).get_data(as_text=True))
    address = tree.xpath("string(//*[@data-preview='address'])")
    assert address == "doe-inc@kartra.com"
    assert "hi@doeinc.com is not used yet" in text_of(alice.get(CARD))


def test_a_temporary_address_says_that_it_has_no_inbox_and_the_way_out(zoe: Actor) -> None:
    page = zoe.get(CARD)
    words = text_of(page)
    assert "zoes-baeckerei@kartra.com" in words
    assert "temporary address without an inbox" in words
    assert f'href="{EDIT}"' in page.get_data(as_text=True)
    assert "without an inbox" in text_of(zoe.get(EDIT))


def test_a_temporary_address_may_have_a_business_reply_to(zoe: Actor) -> None:
    typed = {
        "sender_name": "Zoe",
        "send_from": "zoes-baeckerei@kartra.com",
        "reply_to": "zoe@doeinc.com",
    }
    assert zoe.post(EDIT, typed).status_code == 303
    assert "Reply goes to zoe@doeinc.com" in text_of(zoe.get(CARD))


def test_no_test_was_sent_yet(alice: Actor) -> None:
    assert "No test was sent yet" in text_of(alice.get(CARD))


@pytest.mark.parametrize(
    ("state", "words", "is_followed"),
    [
        (MessageState.QUEUED, "On its way", True),
        (MessageState.SENT, "mx.test took it", False),
        (MessageState.BOUNCED, "refused it for good", False),
        (MessageState.DEFERRED, "not been delivered yet", True),
    ],
)
def test_the_last_test_stays_on_the_card(
    alice: Actor, db: Database, state: MessageState, words: str, is_followed: bool
) -> None:
    """R-TEST: state, the server's words and the time; live while it is pending."""
    alice.post("/settings/integrations/kartramail/test")
    with db.transaction() as session:
        message = session.exec(select(Message)).one()
        message.state = state
        if state is not MessageState.QUEUED:
            message.server, message.reply, message.tries = "mx.test", "250 Thank you", 1
        session.add(message)
    page = alice.get(CARD)
    assert words in text_of(page)
    assert ("hx-get" in page.get_data(as_text=True)) is is_followed
    if state is not MessageState.QUEUED:
        assert "250 Thank you" in text_of(page)


def test_charlies_card_shows_nothing_of_alices(alice: Actor, charlie: Actor) -> None:
    alice.post("/settings/integrations/kartramail/test")
    words = text_of(charlie.get(CARD))
    assert "alice@doeinc.com" not in words
    assert "No test was sent yet" in words
