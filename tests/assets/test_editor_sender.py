"""R-GLOBAL, R-LOWDELIV, R-RESOLVE: a notification gets a sender of its own, and says who it is."""

import pytest

from kartramail.db import Database
from kartramail.ids import show_id
from kartramail.senders.models import Sender
from tests.assets.editing import ASKED_BY_PAGE, BOOKED, LIST, setting_of, tree_of, typed, value_of
from tests.senders.further import SUPPORT, TICK, add, row
from tests.senders.reading import text_of
from tests.support.cast import Actor


@pytest.fixture
def support(alice: Actor, db: Database) -> int:
    """A sender whose tick was not set yet."""
    sender_id = add(db, alice.account_id)
    with db.transaction() as session:
        row(session, sender_id).low_delivery_accepted_at = None
    return sender_id


def accepted(db: Database, sender_id: int) -> bool:
    with db.reading() as session:
        sender: Sender = row(session, sender_id)
        return sender.low_delivery_accepted_at is not None


def test_all_senders_are_there_to_choose_and_none_can_be_typed(alice: Actor, support: int) -> None:
    tree = tree_of(alice.get(BOOKED))
    values = [each.get("value") for each in tree.xpath("//input[@name='sender_id']")]
    assert values[0] == "", "the default one, as inherited"
    assert show_id(support) in values
    kinds = {each.get("type") for each in tree.xpath("//input[@name='sender_id']")}
    assert kinds == {"radio"}


def test_under_it_stands_who_it_comes_from_and_why(alice: Actor) -> None:
    words = text_of(alice.get(BOOKED))
    assert "How this was decided" in words
    assert "The mailbox alice@doeinc.com was confirmed." in words


def test_choosing_asks_for_the_tick_and_keeps_the_choice(
    alice: Actor, db: Database, support: int
) -> None:
    answer = alice.post(BOOKED, typed(db, alice, sender_id=show_id(support)))
    assert answer.status_code == 422
    assert "Authenticate the domain" in text_of(answer)
    assert "Tick this" in text_of(answer)
    (chosen,) = tree_of(answer).xpath("//input[@name='sender_id'][@checked]")
    assert chosen.get("value") == show_id(support)
    assert setting_of(db, alice).sender_id is None


def test_with_the_tick_it_is_chosen_and_written_down(
    alice: Actor, db: Database, support: int
) -> None:
    fields = typed(db, alice, sender_id=show_id(support)) | TICK
    assert alice.post(BOOKED, fields).status_code == 303
    assert setting_of(db, alice).sender_id == support
    assert accepted(db, support)
    page = alice.get(BOOKED)
    assert "support@doeinc.com" in text_of(page)
    (link,) = tree_of(page).xpath("//a[starts-with(., 'Authenticate doeinc.com')]")
    assert link.get("href").startswith("/settings/domains")


def test_the_tick_alone_writes_nothing_down(alice: Actor, db: Database, support: int) -> None:
    stale = typed(db, alice, sender_id=show_id(support), version="7") | TICK
    assert alice.post(BOOKED, stale).status_code == 409
    assert not accepted(db, support)


def test_it_returns_to_the_default_one(alice: Actor, db: Database, support: int) -> None:
    alice.post(BOOKED, typed(db, alice, sender_id=show_id(support)) | TICK)
    assert alice.post(BOOKED, typed(db, alice, sender_id="")).status_code == 303
    assert setting_of(db, alice).sender_id is None


def test_it_refuses_a_sender_of_another_account(alice: Actor, charlie: Actor, db: Database) -> None:
    theirs = add(db, charlie.account_id, "help@yourcompany.com", "Theirs")
    answer = alice.post(BOOKED, typed(db, alice, sender_id=show_id(theirs), subject="Typed"))
    assert answer.status_code == 422
    assert "The sender that you chose is gone." in text_of(answer)
    assert "help@yourcompany.com" not in answer.text
    assert value_of(answer, "subject") == "Typed"


@pytest.mark.parametrize("name", ["calendar.cancelled", "team.sale", "affiliate.approved"])
def test_a_fixed_one_says_why_and_takes_none(
    alice: Actor, db: Database, support: int, name: str
) -> None:
    path = f"{LIST}/{name}"
    page = alice.get(path)
    assert not tree_of(page).xpath("//input[@name='sender_id']")
    assert setting_of(db, alice, name).type.why_fixed in text_of(page)
    alice.post(path, typed(db, alice, name, sender_id=show_id(support)) | TICK)
    assert setting_of(db, alice, name).sender_id is None


def test_the_page_asks_who_a_choice_would_make_it_from(alice: Actor, support: int) -> None:
    picked = {"sender_id": show_id(support)}
    answer = alice.post(f"{BOOKED}/preview?part=sender", picked, headers=ASKED_BY_PAGE)
    assert "Sender of this notification" in text_of(answer)
    assert 'id="low-delivery"' in answer.text
    assert "Authenticate the domain" in text_of(answer)


def test_a_sender_is_added_inside_without_losing_the_page(alice: Actor, db: Database) -> None:
    new = {f"new_sender-{name}": value for name, value in SUPPORT.items()}
    new |= {"new_sender-accept_low_delivery": "y", "add_sender": "save:sender_id"}
    answer = alice.post(BOOKED, typed(db, alice, subject="Typed") | new)
    assert answer.status_code == 200
    assert value_of(answer, "subject") == "Typed"
    (chosen,) = tree_of(answer).xpath("//input[@name='sender_id'][@checked]")
    assert chosen.get("value") != ""
    assert setting_of(db, alice).sender_id is None, "chosen on the page, saved by Save"
