"""R-PROOF: who reads the mailbox decides; a link works once, for seven days, for one account."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlmodel import select, update

from kartramail.accounts.models import OneTimeToken
from kartramail.clock import now
from kartramail.db import Database
from kartramail.outbox.models import Message
from kartramail.senders.standing import Proof, gateway_standing
from tests.senders.reading import CARD, EDIT, text_of
from tests.support.cast import Actor

SEND_LINK = "/settings/integrations/kartramail/send-link"
HELLO = {
    "sender_name": "Doe Inc.",
    "accept_low_delivery": "y",
    "send_from": "hello@doeinc.com",
    "reply_to": "hello@doeinc.com",
}


def sent_links(db: Database) -> list[str]:
    """The paths in the mails that were sent so far, oldest first."""
    with db.reading() as session:
        mails = session.exec(
            select(Message)
            .where(Message.template == "prove_mailbox", Message.to_addr == "hello@doeinc.com")
            .order_by(Message.id)
        ).all()
    return [re.sub("^https?://[^/]+", "", str((mail.variables or {})["link"])) for mail in mails]


def proof_of(db: Database, account_id: int) -> Proof:
    with db.reading() as session:
        return gateway_standing(session, account_id, "kartra.com").proof


@pytest.fixture
def link(alice: Actor, db: Database) -> str:
    """Alice has saved hello@ as send-from: the link that was mailed there."""
    assert alice.post(EDIT, HELLO).status_code == 303
    (link,) = sent_links(db)
    return link


def test_the_page_says_what_it_waits_for_and_the_ways_on(alice: Actor, link: str) -> None:
    words = text_of(alice.get(CARD))
    assert (
        "Waiting for the link sent to hello@doeinc.com: send again, use another address, "
        "or prove the domain instead" in words
    )
    assert "doe-inc@kartra.com" in words
    assert "Reply goes to hello@doeinc.com" in words


def test_looking_proves_nothing(client: FlaskClient, alice: Actor, db: Database, link: str) -> None:
    """A mail scanner follows links."""
    for _ in range(3):
        page = client.get(link)
        assert page.status_code == 200
    assert "May Doe Inc. send mail as you?" in text_of(page)
    assert "hello@doeinc.com" in text_of(page)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert client.head(link).status_code == 200
    assert proof_of(db, alice.account_id) is Proof.NONE


def test_the_button_proves_it_without_signing_in(
    client: FlaskClient, alice: Actor, db: Database, link: str
) -> None:
    page = client.post(link, data={"answer": "allow"})
    assert "can now send mail as hello@doeinc.com" in text_of(page)
    assert proof_of(db, alice.account_id) is Proof.MAILBOX
    assert "Waiting for the link" not in text_of(alice.get(CARD))


def test_it_works_once(client: FlaskClient, link: str) -> None:
    client.post(link, data={"answer": "allow"})
    for answer in (client.get(link), client.post(link, data={"answer": "allow"})):
        assert answer.status_code == 404
        assert "does not work any more" in text_of(answer)


def test_this_was_not_me_voids_it_and_stops_further_ones(
    client: FlaskClient, alice: Actor, db: Database, link: str
) -> None:
    page = client.post(link, data={"answer": "decline"})
    assert "Nothing is sent as hello@doeinc.com" in text_of(page)
    assert proof_of(db, alice.account_id) is Proof.NONE
    assert client.get(link).status_code == 404
    assert "said that this was not them" in text_of(alice.get(CARD))
    alice.post(SEND_LINK)
    assert len(sent_links(db)) == 1


def test_only_the_other_button_declines(
    client: FlaskClient, alice: Actor, db: Database, link: str
) -> None:
    """Enter instead of a press sends no button's name; declining would lock the mailbox out."""
    client.post(link, data={})
    assert proof_of(db, alice.account_id) is Proof.MAILBOX


def test_it_ends_after_seven_days(client: FlaskClient, db: Database, link: str) -> None:
    with db.transaction() as session:
        token = session.exec(select(OneTimeToken)).one()
        assert timedelta(days=6, hours=23) < token.expires_at - now() <= timedelta(days=7)
        session.connection().execute(update(OneTimeToken).values(expires_at=now()))
    assert client.post(link, data={"answer": "allow"}).status_code == 404


def test_a_new_link_voids_the_one_before(
    client: FlaskClient, alice: Actor, db: Database, link: str
) -> None:
    assert alice.post(SEND_LINK).status_code == 303
    older, newer = sent_links(db)
    assert client.get(older).status_code == 404
    assert client.post(newer, data={"answer": "allow"}).status_code == 200
    assert proof_of(db, alice.account_id) is Proof.MAILBOX


def test_a_fourth_link_of_a_day_is_not_sent(alice: Actor, db: Database, link: str) -> None:
    for _ in range(4):
        alice.post(SEND_LINK)
    assert len(sent_links(db)) == 3
    assert "Several links were sent" in text_of(alice.get(CARD))


def test_nothing_is_sent_where_nothing_is_to_prove(alice: Actor, db: Database) -> None:
    alice.post(SEND_LINK)
    assert sent_links(db) == []


def test_it_proves_the_mailbox_for_that_account_only(
    client: FlaskClient, alice: Actor, charlie: Actor, db: Database, link: str
) -> None:
    charlie.post(EDIT, HELLO | {"sender_name": "Your Company"})
    client.post(link, data={"answer": "allow"})
    assert proof_of(db, alice.account_id) is Proof.MAILBOX
    assert proof_of(db, charlie.account_id) is Proof.NONE


def test_charlies_new_link_leaves_alices_alone(
    client: FlaskClient, alice: Actor, charlie: Actor, db: Database, link: str
) -> None:
    charlie.post(EDIT, HELLO | {"sender_name": "Your Company"})
    assert client.get(link).status_code == 200


@pytest.mark.parametrize("token", ["x", "x" * 5000, "%00", "é"])
def test_a_made_up_link_says_that_it_does_not_work(client: FlaskClient, token: str) -> None:
    assert client.get(f"/prove/{token}").status_code == 404
    assert client.post(f"/prove/{token}", data={"answer": "allow"}).status_code == 404
