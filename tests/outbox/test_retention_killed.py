"""kill -9 while old messages are moved: each is in one place, whole (R-LOG, R-OUTBOX)."""

import random
import subprocess
import sys
import time
from datetime import timedelta

from sqlalchemy import text
from sqlmodel import Session, col, func, insert, select

from kartramail.clock import now
from kartramail.db import Database
from kartramail.ids import first_id_at
from kartramail.outbox.models import Attempt, Content, Message, MessageState
from kartramail.outbox.old_messages import OldMessage
from kartramail.outbox.retention import move_old_messages
from tests.support.outbox import add_account, add_messages

MESSAGES = 4_000
KILLS = 4
_MOVE = """
import sys
from kartramail.db import Database
from kartramail.outbox.retention import move_old_messages
db = Database(sys.argv[1])
print("begins", flush=True)
move_old_messages(db, 90, 60.0)
"""


def test_a_kill_in_the_middle_leaves_each_message_in_one_place(db: Database) -> None:
    chance = random.Random(5)
    with db.transaction() as session:
        _fill(session)
    in_the_middle = 0
    for _ in range(KILLS):
        argv = [sys.executable, "-c", _MOVE, db.engine.url.render_as_string(hide_password=False)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            _wait_until_it_moves(db)
            time.sleep(chance.uniform(0, 0.05))
            process.kill()
        in_the_middle += 0 < _check(db) < MESSAGES
    assert in_the_middle  # else there was nothing to see
    _finish(db)
    with db.reading() as session:
        assert session.exec(select(func.count()).select_from(Content)).one() == 0


def _fill(session: Session) -> None:
    """Old messages, each with an attempt, that share one content."""
    at = now() - timedelta(days=100)
    account_id = add_account(session)
    (one,) = add_messages(session, account_id, 1)
    table = Message.__table__  # type: ignore[attr-defined]
    row = session.connection().execute(select(table).where(col(Message.id) == one)).one()
    session.connection().execute(table.delete())
    ended = {"state": MessageState.SENT, "sent_at": at, "created_at": at, "due_at": None}
    ids = range(first_id_at(at), first_id_at(at) + MESSAGES)
    session.connection().execute(
        insert(Message), [dict(row._mapping) | ended | {"id": number} for number in ids]
    )
    attempt = {"n": 1, "stage": "rcpt", "reply": "Busy", "server": "x", "at": at}
    session.connection().execute(
        insert(Attempt), [attempt | {"message_id": number} for number in ids]
    )


def _wait_until_it_moves(db: Database) -> None:
    """Another batch than before was committed, or none is left."""
    before = _moved(db)
    end = time.monotonic() + 60
    while before < MESSAGES and _moved(db) == before:
        assert time.monotonic() < end
        time.sleep(0.002)


def _moved(db: Database) -> int:
    with db.reading() as session:
        return session.exec(select(func.count()).select_from(OldMessage)).one()


def _check(db: Database) -> int:
    """Nothing is lost, in two places, or in half; returns how many were moved."""
    with db.reading() as session:
        if not db.is_sqlite:
            session.connection().execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        hot = set(session.exec(select(Message.id)))
        old = set(session.exec(select(OldMessage.id)))
        attempts = set(session.exec(select(Attempt.message_id)))
    assert len(hot) + len(old) == MESSAGES
    assert not hot & old
    assert attempts == hot
    return len(old)


def _finish(db: Database) -> None:
    """What the killed ones had locked is free as soon as the server notices."""
    end = time.monotonic() + 60
    while _check(db) < MESSAGES:
        assert time.monotonic() < end
        move_old_messages(db, 90, 60.0, lambda _: None)
