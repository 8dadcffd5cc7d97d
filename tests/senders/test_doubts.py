"""R-BUSINESS: an address that looks mistyped is asked about once where no keystroke did."""

import pytest
from lxml import html

from kartramail.db import Database
from kartramail.senders.service import load_gateway
from tests.senders.reading import EDIT, message_of, value_of
from tests.support.cast import Actor
from tests.support.dns_server import DnsServer

DOUBTFUL = "alice@gmail.con"
TYPED = {
    "sender_name": "Alice",
    "send_from": DOUBTFUL,
    "reply_to": DOUBTFUL,
    "accept_low_delivery": "y",
}
KEPT = ("kept_send_from", "kept_reply_to")


@pytest.fixture(autouse=True)
def _exists(dns: DnsServer) -> None:
    """Somebody may have that domain after all."""
    dns.add("gmail.con", "MX", "10 mail.doeinc.com")


def version_of(db: Database, actor: Actor) -> int:
    with db.reading() as session:
        return load_gateway(session, actor.account_id).version


def test_it_comes_back_once_with_the_suggestion(alice: Actor, db: Database) -> None:
    page = alice.post(EDIT, TYPED)
    assert page.status_code == 422
    message = message_of(page, "send_from")
    assert "Did you mean alice@gmail.com?" in message
    assert "press Edit once more" in message
    tree = html.fromstring(page.get_data(as_text=True))
    (button,) = tree.xpath("//button[@name='use_send_from']")
    assert button.get("value") == "alice@gmail.com"
    assert version_of(db, alice) == 1


def test_sent_again_unchanged_it_is_taken_as_it_is(alice: Actor, db: Database) -> None:
    page = alice.post(EDIT, TYPED)
    again = TYPED | {name: value_of(page, name) for name in KEPT}
    assert alice.post(EDIT, again).status_code == 303
    assert version_of(db, alice) == 2


def test_another_doubtful_one_is_asked_about_again(alice: Actor, db: Database) -> None:
    page = alice.post(EDIT, TYPED)
    kept = {name: value_of(page, name) for name in KEPT}
    other = {"send_from": "alice@gmial.con", "reply_to": "alice@gmial.con"}
    assert alice.post(EDIT, TYPED | kept | other).status_code == 422
    assert version_of(db, alice) == 1


def test_what_is_saved_already_is_not_asked_about(alice: Actor) -> None:
    page = alice.post(EDIT, TYPED)
    alice.post(EDIT, TYPED | {name: value_of(page, name) for name in KEPT})
    opened = alice.get(EDIT)
    kept = {name: value_of(opened, name) for name in KEPT}
    assert alice.post(EDIT, TYPED | kept | {"sender_name": "Another"}).status_code == 303


@pytest.mark.parametrize("address", ["hello@doeinc.com", "hello@yourcompany.com"])
def test_an_ordinary_address_is_saved_at_once(alice: Actor, address: str) -> None:
    typed = TYPED | {"send_from": address, "reply_to": address}
    assert alice.post(EDIT, typed).status_code == 303
