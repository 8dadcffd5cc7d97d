"""Times in the account's zone, addresses in their own script, for people; plain for programs."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from lxml import html
from sqlmodel import select

from kartramail.accounts.models import Account, History
from kartramail.db import Database
from kartramail.outbox.models import Message, MessageState
from kartramail.web.reading import as_read, in_zone
from tests.senders.reading import CARD, EDIT, text_of
from tests.support.cast import Actor
from tests.support.dns_server import DnsServer

AT = datetime(2024, 1, 15, 22, 30, tzinfo=UTC)


@pytest.fixture
def in_tokyo(alice: Actor, db: Database) -> Actor:
    """Alice, whose account is in Tokyo, nine hours before UTC."""
    with db.transaction() as session:
        account = session.get(Account, alice.account_id)
        assert account is not None
        account.time_zone = "Asia/Tokyo"
    return alice


def test_the_card_shows_times_in_the_accounts_zone(in_tokyo: Actor, db: Database) -> None:
    """As the Account page promises, with the zone's name."""
    in_tokyo.post(f"{CARD}/kartramail/test")
    with db.transaction() as session:
        message = session.exec(select(Message)).one()
        message.state, message.sent_at, message.server = MessageState.SENT, AT, "mx.test"
        session.add(message)
    tree = html.fromstring(in_tokyo.get(CARD).text)
    (shown,) = tree.xpath("//*[@id='last-test']//time")
    assert shown.get("title") == "16 Jan 2024, 07:30 (Asia/Tokyo)"
    assert shown.text_content() == "16 Jan 2024, 07:30 JST"
    assert datetime.fromisoformat(shown.get("datetime")) == AT


def test_the_history_does_so_too(in_tokyo: Actor, db: Database) -> None:
    with db.transaction() as session:
        session.add(History(account_id=in_tokyo.account_id, what="gateway.saved", at=AT))
    assert "16 Jan 2024, 07:30 (Asia/Tokyo)" in in_tokyo.get("/settings/account").text


def test_strangers_read_utc(app: Flask) -> None:
    with app.test_request_context():
        assert in_zone(AT).strftime("%H:%M %Z") == "22:30 UTC"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("anna@xn--bcher-kva.de", "anna@bücher.de"),
        ("anna@doeinc.com", "anna@doeinc.com"),
        ("", ""),
        ("no address <b>", "no address <b>"),
    ],
)
def test_an_address_is_read_in_its_own_script(text: str, read: str) -> None:
    assert as_read(text) == read


def test_no_page_shows_the_wire_form_of_an_address(
    alice: Actor, dns: DnsServer, db: Database
) -> None:
    dns.add("xn--bcher-kva.de", "MX", "10 mail.doeinc.com")
    typed = {
        "sender_name": "Anna",
        "accept_low_delivery": "y",
        "send_from": "anna@bücher.de",
        "reply_to": "anna@bücher.de",
    }
    assert alice.post(EDIT, typed).status_code == 303
    card = alice.get(CARD)  # with the notice of the save
    assert "A link was sent to anna@bücher.de" in text_of(card)
    for page in (card, alice.get(EDIT), alice.get("/"), alice.get("/settings/account")):
        assert "xn--" not in text_of(page)
        assert "anna@bücher.de" in page.text
    alice.post(f"{CARD}/kartramail/send-link")
    assert "on its way to anna@bücher.de" in text_of(alice.get(CARD))


def test_the_mailbox_reads_its_own_address(alice: Actor, dns: DnsServer, db: Database) -> None:
    dns.add("xn--bcher-kva.de", "MX", "10 mail.doeinc.com")
    typed = {
        "sender_name": "Anna",
        "accept_low_delivery": "y",
        "send_from": "anna@bücher.de",
        "reply_to": "anna@bücher.de",
    }
    alice.post(EDIT, typed)
    with db.reading() as session:
        mail = session.exec(select(Message).where(Message.template == "prove_mailbox")).one()
    assert mail.to_addr == "anna@xn--bcher-kva.de"
    assert (mail.variables or {})["address"] == "anna@bücher.de"
