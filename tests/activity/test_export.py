"""`/activity/export`: the list as CSV (R-LOG), whole, bounded, and harmless in a spreadsheet."""

import csv
import io
import tracemalloc
from typing import Any

import pytest

from kartramail import create_app
from kartramail.activity import export_rows
from kartramail.activity.export import COLUMNS, MOST, write_csv
from kartramail.activity.export_rows import read_chunks
from kartramail.activity.filters import Filters
from kartramail.clock import now
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.ids import show_id
from kartramail.messages.answers import store_resolution
from kartramail.messages.resolution import Resolution
from kartramail.outbox.models import MessageState
from kartramail.outbox.platform_mail import enqueue_platform_mail
from kartramail.web.limits import limiter
from tests.activity.many import add_many
from tests.activity.test_list import add
from tests.support.cast import Actor, make_alice

SENT: dict[str, Any] = {"state": MessageState.SENT, "due_at": None, "attempts": 1}


def lines(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def exported(actor: Actor, query: str = "") -> list[dict[str, str]]:
    answer = actor.get(f"/activity/export{query}")
    assert answer.status_code == 200
    return lines(answer.get_data(as_text=True))


def test_a_line_says_what_the_list_says_and_the_servers_words(db: Database, alice: Actor) -> None:
    resolution = Resolution("Alice", "alice@doeinc.com", None, None, "proven_mailbox", "So.", True)
    with db.transaction() as session:
        number = store_resolution(session, alice.account_id, resolution)
    at = now()
    (message_id,) = add(
        db,
        alice,
        **SENT,
        sent_at=at,
        created_at=at,
        reply="250 2.0.0 Ok: queued",
        server="mx1.example.net",
        resolved_id=number,
        type="calendar.booked",
    )
    moment = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert exported(alice) == [
        dict(
            zip(
                COLUMNS,
                (
                    show_id(message_id),
                    moment,
                    moment,
                    "sent",
                    "r0@example.net",
                    "Hello 0",
                    "calendar.booked",
                    "alice@doeinc.com",
                    "1",
                    "250",
                    "2.0.0 Ok: queued",
                    "mx1.example.net",
                ),
                strict=True,
            )
        )
    ]


def test_it_is_a_csv_file_that_spreadsheets_read(db: Database, alice: Actor) -> None:
    """RFC 4180: CRLF, quotes doubled; UTF-8 with its mark; named by the day."""
    add(db, alice, words=('Übung, "eins"', None, "<p>x</p>"))
    answer = alice.get("/activity/export")
    assert answer.mimetype == "text/csv"
    assert answer.get_data().startswith(b"\xef\xbb\xbfid,created_at,")
    assert answer.get_data().count(b"\n") == answer.get_data().count(b"\r\n") == 2
    assert '"Übung, ""eins"""' in answer.get_data(as_text=True)
    name = f'attachment; filename="activity-{now():%Y-%m-%d}.csv"'
    assert answer.headers["Content-Disposition"] == name


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", " =", "＝"])
def test_a_strangers_words_are_never_a_formula(db: Database, alice: Actor, start: str) -> None:
    evil = f"{start}HYPERLINK(1)"
    add(db, alice, words=("x", "x", None), **SENT, reply=evil, to_addr=f"{evil}@example.net")
    (line,) = exported(alice)
    assert line["last_words"] == f"'{evil}"
    assert line["to"] == f"'{evil}@example.net"


def test_it_keeps_the_filters(db: Database, alice: Actor) -> None:
    add(db, alice, 2, **SENT)
    add(db, alice, 3, domain="other.example", state=MessageState.BOUNCED, due_at=None)
    for query, count in (
        ("", 5),
        ("?state=trouble", 3),
        ("?state=sent", 2),
        ("?q=@other.example", 3),
        ("?q=r0@", 2),
        ("?q=r0@&state=sent", 1),
        ("?days=1&source=api", 5),
        ("?source=test", 0),
    ):
        assert len(exported(alice, query)) == count, query
    first = exported(alice)[0]
    assert exported(alice, f"?q={first['id']}") == [first]
    page = alice.get("/activity?state=trouble&days=7").get_data(as_text=True)
    assert "/activity/export?state=trouble&amp;days=7" in page


def test_nobody_elses_and_never_the_platforms(db: Database, alice: Actor, charlie: Actor) -> None:
    add(db, charlie, 2)
    with db.transaction() as session:
        account_id = alice.account_id
        enqueue_platform_mail(session, "reset", "a@doeinc.com", {}, account_id=account_id)
    (message_id,) = add(db, alice)
    assert [line["id"] for line in exported(alice)] == [show_id(message_id)]
    assert exported(alice, "?q=a@doeinc.com") == []


def test_all_of_it_comes_once_in_order_chunk_after_chunk(
    db: Database, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_rows, "CHUNK", 7)
    ids = add(db, alice, 50)
    assert [line["id"] for line in exported(alice)] == [show_id(one) for one in reversed(ids)]
    assert len(exported(alice, "?q=r1")) == 11


@pytest.mark.parametrize("most", [49, 50, 51])
def test_the_last_line_says_when_it_was_cut(
    db: Database, alice: Actor, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(export_rows, "CHUNK", 10)
    add(db, alice, 50)
    chunks = read_chunks(db, alice.account_id, Filters())
    found = lines("".join(write_csv(chunks, most)))
    said = [line["id"] for line in found if line["id"].startswith("Cut here")]
    assert len(found) - len(said) == min(most, 50)
    assert bool(said) == (most < 50)
    assert said == [line["id"] for line in found[most:]]


def test_it_says_so_where_too_many_would_have_to_be_looked_at(
    db: Database, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_rows, "CHUNK", 10)
    monkeypatch.setattr(export_rows, "MOST_LOOKED_AT", 30)
    add(db, alice, 50)
    (line,) = exported(alice, "?state=sent")
    assert "were looked at" in line["id"]


def test_a_long_one_stays_small_in_memory_and_ends_at_its_limit(db: Database, alice: Actor) -> None:
    with db.transaction() as session:
        add_many(session, alice.account_id, MOST + 1_000)
    tracemalloc.start()
    count, last = 0, ""
    for piece in write_csv(read_chunks(db, alice.account_id, Filters())):
        count, last = count + piece.count("\r\n"), piece
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == MOST + 2
    assert last.startswith('"Cut here: this file holds the newest 100,000 messages')
    assert peak < 20_000_000


def test_no_transaction_is_open_between_two_pieces(db: Database, alice: Actor) -> None:
    add(db, alice, 3)
    pieces = write_csv(read_chunks(db, alice.account_id, Filters()))
    next(pieces)
    next(pieces)
    assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_it_is_not_asked_for_all_the_time(settings: Settings) -> None:
    """R-SAFE: where rate limits are on."""
    limited = create_app(settings.model_copy(update={"rate_limits": True}))
    try:
        alice = make_alice(limited)
        answers = [alice.get("/activity/export").status_code for _ in range(7)]
        assert answers == [200] * 6 + [429]
    finally:
        limited.extensions["kartramail"].db.dispose()
        limiter.enabled = False
