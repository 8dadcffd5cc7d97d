"""What a change touches is known before it is made (R-IMPACT)."""

import pytest

from kartramail.db import Database
from kartramail.outbox.models import MessageState, SourceKind
from kartramail.senders import impact
from kartramail.senders.impact import addresses_on_domain, count_waiting_messages
from tests.support.cast import Actor
from tests.support.outbox import add_messages


def count(db: Database, actor: Actor) -> int:
    with db.reading() as session:
        return count_waiting_messages(session, actor.account_id)


def test_messages_that_wait_are_counted(db: Database, alice: Actor, charlie: Actor) -> None:
    with db.transaction() as session:
        add_messages(session, alice.account_id, 3)
        add_messages(session, alice.account_id, 2, state=MessageState.SENT, due_at=None)
        add_messages(session, alice.account_id, 1, source_kind=SourceKind.TEST)
        add_messages(session, charlie.account_id, 5)
    assert count(db, alice) == 3


def test_counting_ends_somewhere(
    db: Database, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(impact, "MOST_COUNTED", 4)
    with db.transaction() as session:
        add_messages(session, alice.account_id, 9)
    assert count(db, alice) == 5


@pytest.mark.parametrize(
    ("domain", "found"),
    [("doeinc.com", ["alice@doeinc.com"]), ("inc.com", []), ("yourcompany.com", [])],
)
def test_senders_of_a_domain_are_named(
    db: Database, alice: Actor, charlie: Actor, domain: str, found: list[str]
) -> None:
    with db.reading() as session:
        assert addresses_on_domain(session, alice.account_id, domain) == found
