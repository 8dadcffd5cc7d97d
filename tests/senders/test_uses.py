"""R-IMPACT: what uses a sender is what resolution would take it for."""

from datetime import timedelta

import pytest

from kartramail.clock import now
from kartramail.db import Database
from kartramail.errors import NotFound
from kartramail.outbox.models import MessageState
from kartramail.senders import impact, uses
from kartramail.senders.impact import count_waiting_messages
from kartramail.senders.removal import remove_sender
from kartramail.senders.service import load_gateway
from kartramail.senders.uses import SenderUses, uses_of
from tests.senders.further import add, choose_everywhere, choose_for_asset
from tests.support.cast import Actor
from tests.support.outbox import add_messages


@pytest.fixture
def sender_id(alice: Actor, db: Database) -> int:
    return add(db, alice.account_id)


def found(db: Database, actor: Actor, sender_id: int) -> SenderUses:
    with db.reading() as session:
        return uses_of(session, actor.account_id, sender_id)


def default_of(db: Database, actor: Actor) -> int:
    with db.reading() as session:
        return load_gateway(session, actor.account_id).sender_id


def wait(db: Database, actor: Actor, count: int, **values: object) -> None:
    later = {"state": MessageState.SCHEDULED, "due_at": now() + timedelta(days=1)}
    with db.transaction() as session:
        add_messages(session, actor.account_id, count, **(later | values))


def test_a_sender_that_nothing_uses(alice: Actor, db: Database, sender_id: int) -> None:
    assert found(db, alice, sender_id) == SenderUses(False, (), {}, 0)
    assert not found(db, alice, sender_id).is_in_use
    assert found(db, alice, default_of(db, alice)).is_in_use


def test_what_chose_it_is_named(alice: Actor, db: Database, sender_id: int) -> None:
    one = choose_for_asset(db, alice.account_id, sender_id, "calendar.booked", "calendar.reminder")
    choose_everywhere(db, alice.account_id, sender_id, "form.signed_up")
    assert found(db, alice, sender_id) == SenderUses(
        False, ("form.signed_up",), {one: ("calendar.booked", "calendar.reminder")}, 0
    )


def test_messages_are_counted_for_the_sender_that_they_leave_as(
    alice: Actor, db: Database, sender_id: int
) -> None:
    """An asset's choice goes before the notification's, that before the one that is named."""
    account_id = alice.account_id
    everywhere = add(db, account_id, "everywhere@doeinc.com", "Everywhere")
    choose_everywhere(db, account_id, everywhere, "calendar.booked")
    calendar = choose_for_asset(db, account_id, sender_id, "calendar.booked")
    wait(db, alice, 1, type="calendar.booked", asset_id=calendar)
    wait(db, alice, 2, type="calendar.booked", asset_id=calendar + 1)
    wait(db, alice, 4, sender_id=sender_id)
    wait(db, alice, 8, sender_id=sender_id, type="calendar.booked")
    wait(db, alice, 16)
    wait(db, alice, 32, sender_id=sender_id, state=MessageState.SENT, due_at=None)
    assert found(db, alice, sender_id).waiting == 1 + 4
    assert found(db, alice, everywhere).waiting == 2 + 8
    assert found(db, alice, default_of(db, alice)).waiting == 16
    with db.reading() as session:
        assert count_waiting_messages(session, account_id) == 16
        assert count_waiting_messages(session, account_id, [sender_id, everywhere]) == 15


def test_a_message_that_names_a_removed_one_counts_for_its_replacement(
    alice: Actor, db: Database, sender_id: int
) -> None:
    other = add(db, alice.account_id, "help@doeinc.com", "Help")
    wait(db, alice, 3, sender_id=sender_id)
    with db.transaction() as session:
        remove_sender(session, alice.account_id, sender_id, other, user_id=None)
    assert found(db, alice, other).waiting == 3
    with pytest.raises(NotFound):
        found(db, alice, sender_id)


def test_reminders_that_wait_for_their_time_are_counted(
    alice: Actor, db: Database, sender_id: int
) -> None:
    from kartramail.assets.models import ScheduledEvent

    calendar = choose_for_asset(db, alice.account_id, sender_id, "calendar.reminder")
    with db.transaction() as session:
        for n, due_at in enumerate((now() + timedelta(hours=3), now() + timedelta(days=2), None)):
            session.add(
                ScheduledEvent(
                    account_id=alice.account_id,
                    asset_id=calendar,
                    type="calendar.reminder",
                    key=f"booking-{n}",
                    due_at=due_at,
                    starts_at=now() + timedelta(days=3),
                    contact={"email": "pat@example.net"},
                    variables={},
                )
            )
    assert found(db, alice, sender_id).waiting == 2
    assert found(db, alice, default_of(db, alice)).waiting == 0


def test_counting_ends_somewhere(
    alice: Actor, db: Database, sender_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(impact, "MOST_COUNTED", 4)
    wait(db, alice, 9, sender_id=sender_id)
    assert found(db, alice, sender_id).waiting == 5
    assert uses.count_waiting_messages is count_waiting_messages


def test_another_accounts_sender_is_not_found(
    alice: Actor, charlie: Actor, db: Database, sender_id: int
) -> None:
    with pytest.raises(NotFound):
        found(db, charlie, sender_id)
