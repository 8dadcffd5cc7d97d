"""Daily limits: what accounts began to send today is counted where it is claimed (R-FAIR).

The count is taken before the rows are, in the same transaction, so that workers at the same moment
never pass a limit together; what turns out not to be needed is given back. Each row says the day in
whose count it stands: what was claimed before midnight and is given back after it makes no room in
the new day.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import Date, TextClause, bindparam, text
from sqlmodel import Session, col, delete, select, update

from kartramail.clock import now
from kartramail.outbox.models import SendingDay, SendingLimit
from kartramail.rules.streams import Stream
from kartramail.rules.warm_up import MOST_EARLIER_DAYS, daily_limit

Counted = tuple[int, Stream]
"""An account and a stream: what a limit is for."""


def set_limit(session: Session, account_id: int, per_day: int | None) -> None:
    """Let an account send so many messages of each stream in a day; None is its warm-up again."""
    session.connection().execute(
        delete(SendingLimit).where(col(SendingLimit.account_id) == account_id)
    )
    if per_day is not None:
        session.add(SendingLimit(account_id=account_id, per_day=per_day))


def load_limits(
    session: Session, accounts: Collection[int], day: date | None = None
) -> dict[Counted, tuple[int, int]]:
    """What each of these accounts may send in each stream, and what it has begun to send: today, or
    on that day.
    """
    if not accounts:
        return {}
    own = dict(
        session.exec(
            select(SendingLimit.account_id, SendingLimit.per_day).where(
                col(SendingLimit.account_id).in_(accounts)
            )
        ).all()
    )
    days = _load_days(session, accounts, day or now().date())
    limits = {}
    for account_id in accounts:
        for stream in Stream:
            earlier, count = days[account_id, stream]
            limits[account_id, stream] = daily_limit(stream, earlier, own.get(account_id)), count
    return limits


# As many earlier days as make a difference, and not all there ever were: looks are made while
# claims wait for them.
_DAYS = f"""
    SELECT wanted.id, stream.name, (
        SELECT count(*) FROM (
            SELECT 1 FROM sending_day AS d
            WHERE d.account_id = wanted.id AND d.stream = stream.name
                AND d.day < :day AND d.count > 0
            ORDER BY d.day DESC LIMIT {MOST_EARLIER_DAYS}
        ) AS earlier
    ), (
        SELECT d.count FROM sending_day AS d
        WHERE d.account_id = wanted.id AND d.stream = stream.name AND d.day = :day
    )
    FROM {{wanted}} AS wanted
    CROSS JOIN ({" UNION ALL ".join(f"SELECT '{stream}' AS name" for stream in Stream)}) AS stream
"""
_DAYS_ON_SQLITE, _DAYS_ON_POSTGRESQL = (
    text(_DAYS.format(wanted=wanted)).bindparams(bindparam("day", type_=Date))
    for wanted in (
        "(SELECT value AS id FROM json_each(:accounts))",
        "(SELECT unnest(CAST(:accounts AS bigint[])) AS id)",
    )
)


def _load_days(
    session: Session, accounts: Collection[int], day: date
) -> dict[Counted, tuple[int, int]]:
    """On how many earlier days each has sent, as far as it matters, and how much on this one."""
    connection = session.connection()
    ids = sorted(accounts)
    if connection.dialect.name == "sqlite":
        found = connection.execute(_DAYS_ON_SQLITE, {"accounts": json.dumps(ids), "day": day})
    else:
        found = connection.execute(_DAYS_ON_POSTGRESQL, {"accounts": ids, "day": day})
    return {(row[0], Stream(row[1])): (row[2], row[3] or 0) for row in found}


def reserve(
    session: Session, wanted: Mapping[Counted, int], day: date, count: int
) -> dict[Counted, int]:
    """Count `count` messages more on that day for each of these; returns how many may leave.

    `wanted` has the limit of each. Their counts are locked until the transaction ends, in one order
    everywhere (`lock_order`), so that no two wait for each other. What does not leave is to be
    taken back by then.
    """
    keys = sorted(wanted, key=lock_order)
    values: dict[str, Any] = {"day": day, "count": count}
    for n, (account_id, stream) in enumerate(keys):
        values |= {f"account{n}": account_id, f"stream{n}": stream.value}
    rows = session.connection().execute(_reservation(len(keys)), values)
    counted = {(account_id, Stream(stream)): total for account_id, stream, total in rows}
    return {key: max(0, count - max(0, counted[key] - wanted[key])) for key in keys}


@cache
def _reservation(rows: int) -> TextClause:
    values = ", ".join(f"(:account{n}, :stream{n}, :day, :count)" for n in range(rows))
    return text(
        f"""INSERT INTO sending_day (account_id, stream, day, count) VALUES {values}
        ON CONFLICT (account_id, stream, day)
        DO UPDATE SET count = sending_day.count + excluded.count
        RETURNING account_id, stream, count"""
    ).bindparams(bindparam("day", type_=Date))


def lock_order(counted: Counted) -> tuple[bool, int]:
    """That of claims, which take what is transactional first."""
    account_id, stream = counted
    return stream is not Stream.TRANSACTIONAL, account_id


def take_back(session: Session, counts: Mapping[tuple[int, Stream, date], int]) -> None:
    """So many messages were counted for an account and a stream on a day, and never left."""
    rows = [
        {"account": account_id, "stream_": stream, "day_": day, "less": counts[key]}
        for key in sorted(counts, key=lambda key: (lock_order((key[0], key[1])), key[2]))
        for account_id, stream, day in (key,)
        if counts[key] > 0
    ]
    if rows:
        session.connection().execute(_TAKE_BACK, rows)


# Built once: claims are small and many, and building a statement costs more than running it.
_TAKE_BACK = (
    update(SendingDay)
    .where(
        col(SendingDay.account_id) == bindparam("account"),
        col(SendingDay.stream) == bindparam("stream_"),
        col(SendingDay.day) == bindparam("day_"),
        col(SendingDay.count) >= bindparam("less"),
    )
    .values(count=col(SendingDay.count) - bindparam("less"))
)


def take_back_rows(session: Session, rows: Iterable[Any]) -> None:
    """These rows go back unsent. Only a first try was counted, and nothing without a limit.

    Of each: account_id, stream, counted_on, tries, deaths.
    """
    take_back(
        session,
        Counter(
            (row.account_id, row.stream, row.counted_on)
            for row in rows
            if row.tries + row.deaths == 0 and row.counted_on is not None
        ),
    )
