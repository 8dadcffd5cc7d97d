"""R-SENDERS: a sender in use is not removed without saying what takes its place."""

import pytest
from sqlmodel import col, select

from kartramail.accounts.history import list_changes
from kartramail.db import Database
from kartramail.errors import NotFound
from kartramail.ids import show_id
from kartramail.messages.candidates import Wanted, resolve_wanted
from kartramail.senders.further import load_sender, load_senders
from kartramail.senders.models import Sender, SenderChoice
from kartramail.senders.removal import InUse, IsDefault, Removed, remove_sender
from kartramail.senders.service import load_gateway
from kartramail.senders.standing import sender_standing
from tests.senders.further import (
    NEW,
    SENDERS,
    SUPPORT,
    TICK,
    add,
    choose_everywhere,
    choose_for_asset,
    row,
)
from tests.senders.reading import text_of
from tests.support.cast import Actor
from tests.support.outbox import add_messages

DOMAIN = "kartra.com"


@pytest.fixture
def sender_id(alice: Actor, db: Database) -> int:
    return add(db, alice.account_id)


@pytest.fixture
def path(sender_id: int) -> str:
    return f"{SENDERS}/{show_id(sender_id)}/remove"


def remove(db: Database, actor: Actor, sender_id: int, replacement: int | None = None) -> object:
    with db.transaction() as session:
        return remove_sender(session, actor.account_id, sender_id, replacement, user_id=None)


def default_of(db: Database, actor: Actor) -> int:
    with db.reading() as session:
        return load_gateway(session, actor.account_id).sender_id


def chosen(db: Database) -> set[int]:
    with db.reading() as session:
        return set(session.exec(select(SenderChoice.sender_id)))


def test_one_that_nothing_uses_goes_at_once(
    alice: Actor, db: Database, path: str, sender_id: int
) -> None:
    assert "Nothing uses this sender" in text_of(alice.get(path))
    answer = alice.post(path)
    assert (answer.status_code, answer.location) == (303, SENDERS)
    assert "Doe support <support@doeinc.com> is removed." in text_of(alice.get(SENDERS))
    with db.reading() as session:
        assert len(load_senders(session, alice.account_id)) == 1
        with pytest.raises(NotFound):
            load_sender(session, alice.account_id, sender_id)
    assert alice.get(f"{SENDERS}/{show_id(sender_id)}").status_code == 404


def test_one_in_use_says_where_and_asks(
    alice: Actor, db: Database, path: str, sender_id: int
) -> None:
    choose_for_asset(db, alice.account_id, sender_id, "calendar.booked", name="Coaching")
    choose_everywhere(db, alice.account_id, sender_id, "helpdesk.reply")
    with db.transaction() as session:
        add_messages(session, alice.account_id, 2, sender_id=sender_id)
    words = text_of(alice.get(path))
    assert "1 calendar, 1 notification and 2 scheduled messages use this sender" in words
    assert "Coaching" in words
    assert "Calendar: Booking confirmed" in words
    assert "What takes its place" in words
    page = alice.post(path)
    assert page.status_code == 422
    assert "Choose the sender that takes its place" in text_of(page)
    with db.reading() as session:
        assert load_sender(session, alice.account_id, sender_id).version == 1


def test_what_used_it_comes_from_its_replacement(
    alice: Actor, db: Database, path: str, sender_id: int
) -> None:
    asset_id = choose_for_asset(db, alice.account_id, sender_id)
    choose_everywhere(db, alice.account_id, sender_id, "helpdesk.reply")
    other = add(db, alice.account_id, "help@doeinc.com", "Doe help")
    assert alice.post(path, {"replacement": show_id(other)}).status_code == 303
    assert "comes from Doe help <help@doeinc.com> now" in text_of(alice.get(SENDERS))
    assert chosen(db) == {other}
    account_id = alice.account_id
    wanted = {
        Wanted(account_id, asset_id=asset_id, type="calendar.booked"),
        Wanted(account_id, type="helpdesk.reply"),
        Wanted(account_id, sender_id=sender_id),  # a message that waits and names it
    }
    with db.reading() as session:
        for one in wanted:
            assert resolve_wanted(session, one, DOMAIN).send_from == "help@doeinc.com"


def test_the_default_sender_can_take_its_place(
    alice: Actor, db: Database, path: str, sender_id: int
) -> None:
    choose_for_asset(db, alice.account_id, sender_id)
    default_id = default_of(db, alice)
    assert alice.post(path, {"replacement": show_id(default_id)}).status_code == 303
    assert chosen(db) == {default_id}
    with db.reading() as session:
        standing = sender_standing(session, alice.account_id, sender_id, DOMAIN)
    assert standing is not None
    assert standing.send_from == "alice@doeinc.com"


def test_a_message_that_names_one_removed_before_follows_to_the_last(
    alice: Actor, db: Database, sender_id: int
) -> None:
    """However often the replacement is replaced, and also to nobody."""
    numbers = [sender_id]
    for n in range(3):
        numbers.append(add(db, alice.account_id, f"s{n}@doeinc.com", f"S{n}"))
        remove(db, alice, numbers[-2], numbers[-1])
    with db.reading() as session:
        for number in numbers:
            standing = sender_standing(session, alice.account_id, number, DOMAIN)
            assert standing is not None
            assert standing.send_from == "s2@doeinc.com"
    assert isinstance(remove(db, alice, numbers[-1]), Removed)
    with db.reading() as session:
        for number in numbers:
            assert sender_standing(session, alice.account_id, number, DOMAIN) is None
            named = Wanted(alice.account_id, sender_id=number)
            assert resolve_wanted(session, named, DOMAIN).send_from == "alice@doeinc.com"


def test_the_default_one_cannot_be_removed(alice: Actor, db: Database) -> None:
    default_id = default_of(db, alice)
    other = add(db, alice.account_id)
    assert isinstance(remove(db, alice, default_id, other), IsDefault)
    path = f"{SENDERS}/{show_id(default_id)}/remove"
    for answer in (alice.get(path), alice.post(path, {"replacement": show_id(other)})):
        assert answer.location.endswith("/kartramail/edit")
    with db.reading() as session:
        assert row(session, default_id).removed_at is None


def test_a_replacement_is_this_accounts_and_another_one(
    alice: Actor, charlie: Actor, db: Database, path: str, sender_id: int
) -> None:
    choose_for_asset(db, alice.account_id, sender_id)
    theirs = default_of(db, charlie)
    gone = add(db, alice.account_id, "gone@doeinc.com", "Gone")
    remove(db, alice, gone)
    for number in (theirs, gone, sender_id):
        page = alice.post(path, {"replacement": show_id(number)})
        assert page.status_code == 422
        assert "not there any more" in text_of(page)
        with pytest.raises(NotFound):
            remove(db, alice, sender_id, number)
    assert chosen(db) == {sender_id}


def test_a_message_that_waits_is_a_use(alice: Actor, db: Database, sender_id: int) -> None:
    with db.transaction() as session:
        add_messages(session, alice.account_id, 1, sender_id=sender_id)
    outcome = remove(db, alice, sender_id)
    assert isinstance(outcome, InUse)
    assert outcome.uses.waiting == 1


def test_a_replacement_on_a_domain_that_is_not_authenticated_asks_for_the_tick(
    alice: Actor, db: Database, path: str, sender_id: int
) -> None:
    """R-LOWDELIV: choosing it asks, unless somebody has ticked it before."""
    choose_for_asset(db, alice.account_id, sender_id)
    other = add(db, alice.account_id, "help@doeinc.com", "Doe help")
    with db.transaction() as session:
        row(session, other).low_delivery_accepted_at = None
    page = alice.post(path, {"replacement": show_id(other)})
    assert page.status_code == 422
    assert "I understand that fewer of my messages will arrive" in page.text
    assert f'value="{show_id(other)}" checked' in page.text
    assert alice.post(path, {"replacement": show_id(other)} | TICK).status_code == 303
    with db.reading() as session:
        assert row(session, other).low_delivery_accepted_at is not None


def test_its_history_says_what_took_its_place(alice: Actor, db: Database, sender_id: int) -> None:
    remove(db, alice, sender_id, default_of(db, alice))
    with db.reading() as session:
        change = list_changes(session, alice.account_id)[0]
    assert change.what == "sender.removed"
    assert change.before["send_from"] == "support@doeinc.com"
    assert change.after["send_from"] == "alice@doeinc.com"


def test_the_same_can_be_added_again(alice: Actor, db: Database, path: str) -> None:
    alice.post(path)
    assert alice.post(NEW, SUPPORT | TICK).status_code == 303
    with db.reading() as session:
        rows = session.exec(select(Sender).where(Sender.from_key == "support@doeinc.com")).all()
    assert [one.removed_at is None for one in sorted(rows, key=lambda one: one.id)] == [False, True]


def test_a_sender_is_added_in_the_page_that_asks(
    alice: Actor, db: Database, path: str, sender_id: int
) -> None:
    """Without JavaScript: the picker's buttons send the form around it, and nothing is lost."""
    choose_for_asset(db, alice.account_id, sender_id)
    page = alice.post(path, {"add_sender": "open:replacement"})
    assert page.status_code == 200
    assert 'name="new_sender-send_from"' in page.text
    typed = {f"new_sender-{name}": value for name, value in SUPPORT.items()} | {
        "new_sender-sender_name": "Doe desk",
        "new_sender-accept_low_delivery": "y",
        "add_sender": "save:replacement",
    }
    page = alice.post(path, typed)
    with db.reading() as session:
        added = next(
            one for one in load_senders(session, alice.account_id) if one.name == "Doe desk"
        )
    assert f'value="{show_id(added.sender_id)}" checked' in page.text
    assert "Doe desk <support@doeinc.com> can be used" in text_of(page)
    assert alice.post(path, {"replacement": show_id(added.sender_id)}).status_code == 303


def test_nothing_can_be_chosen_that_was_removed(alice: Actor, db: Database, sender_id: int) -> None:
    remove(db, alice, sender_id)
    with db.reading() as session:
        assert session.exec(select(Sender).where(col(Sender.removed_at).is_not(None))).all()
    assert "Doe support" not in text_of(alice.get(SENDERS))
