"""Messages as CSV (RFC 4180): a line each, in words that a spreadsheet reads and never runs."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from kartramail.activity.export_rows import MOST_LOOKED_AT, Chunk
from kartramail.ids import show_id
from kartramail.outbox.models import ResolvedSender

MOST = 100_000
"""Messages in one file; a spreadsheet takes about ten times as many lines."""

COLUMNS = (
    "id",
    "created_at",
    "sent_at",
    "state",
    "to",
    "subject",
    "type",
    "from",
    "attempts",
    "last_code",
    "last_words",
    "server",
)
_CUT = (
    "Cut here: this file holds the newest {:,} messages, and there are older ones. Choose fewer "
    "days or another filter."
)
_LOOKED = (
    "Cut here: the newest {:,} messages were looked at, and there are older ones. Choose another "
    "filter."
)
_BYTE_ORDER_MARK = "\ufeff"  # without it, a spreadsheet takes UTF-8 for the code page of old
_RUNS = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r\n]")
_CODE = re.compile(r"([2-5]\d\d)(?:[ -]|$)")


def write_csv(chunks: Iterable[Chunk], most: int = MOST) -> Iterator[str]:
    """The file in pieces: its head, then a piece for each chunk.

    Where it does not hold all of them, the last line says so.
    """
    yield _BYTE_ORDER_MARK + _lines([COLUMNS])
    left = most
    for chunk in chunks:
        if chunk.rows:
            yield _lines(_line(row, chunk) for row in chunk.rows[:left])
        left -= len(chunk.rows)
        if left < 0 or chunk.is_cut:
            yield _lines([(_CUT.format(most) if left < 0 else _LOOKED.format(MOST_LOOKED_AT),)])
            return


def _lines(rows: Iterable[Iterable[Any]]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(
        [_harmless(one) for one in row] for row in rows
    )
    return written.getvalue()


def _line(row: Row[Any], chunk: Chunk) -> tuple[Any, ...]:
    code, words = _answer(row.reply)
    return (
        show_id(row.id),
        _time(row.created_at),
        _time(row.sent_at),
        row.state.value,
        row.to_addr,
        chunk.subjects[row.id],
        row.type,
        _address(chunk.senders.get(row.resolved_id)),
        row.attempts,
        code,
        words,
        row.server,
    )


def _answer(reply: str | None) -> tuple[str, str]:
    """The code of the last answer and its words; a server that said nothing has no code."""
    reply = reply or ""
    code = _CODE.match(reply)
    return (code[1], reply[3:].strip(" -")) if code else ("", reply)


def _time(at: datetime | None) -> str:
    return "" if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _address(sender: ResolvedSender | None) -> str:
    return "" if sender is None else sender.send_from


def _harmless(value: Any) -> Any:
    """A text that a spreadsheet would run as a formula is one that it shows (OWASP)."""
    return f"'{value}" if isinstance(value, str) and _RUNS.match(value) else value
