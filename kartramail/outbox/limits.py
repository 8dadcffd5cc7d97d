"""Daily limits: what accounts began to send today is counted where it is claimed (R-FAIR).

The count is taken before the rows are, in the same transaction, so that workers at the same moment
never pass a limit together; what turns out not to be needed is given back. Each row says the day in
whose count it stands: what was claimed before midnight and is given back after it makes no room in
the new day.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import case
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, delete, func, select, update

from kartramail.clock import now
from kartramail.outbox.models import SendingDay, SendingLimit
from kartramail.rules.streams import Stream
from kartramail.rules.warm_up import daily_limit

Counted = tuple[int, Stream]
"""An account and a stream: what a limit is for."""


def set_limit(session: Session, account_id: int, per_day: int | None) -> None:
    """Let an account send so many messages of each stream in a day; None is its warm-up again."""
    session.connection().execute(
        delete(SendingLimit).where(col(SendingLimit.account_id) == account_id)
    )
    if per_day is not None:
        session.add(SendingLimit(account_id=account_id, per_day=per_day))


def load_limits(session: Session, accounts: Collection[int]) -> dict[Counted, tuple[int, int]]:
    """What each of these accounts may send today in each stream, and what it has begun to send."""
    if not accounts:
        return {}
    today = now().date()
    own = dict(
        session.exec(
            select(SendingLimit.account_id, SendingLimit.per_day).where(
                col(SendingLimit.account_id).in_(accounts)
            )
        ).all()
    )
    found = session.connection().execute(
        select(
            SendingDay.account_id,
            SendingDay.stream,
            func.sum(case((col(SendingDay.day) < today, 1), else_=0)),
            func.sum(case((col(SendingDay.day) == today, col(SendingDay.count)), else_=0)),
        )
        .where(col(SendingDay.account_id).in_(accounts), col(SendingDay.count) > 0)
        .group_by(col(SendingDay.account_id), col(SendingDay.stream))
    )
    days = {(row[0], row[1]): (int(row[2]), int(row[3])) for row in found}
    limits = {}
    for account_id in accounts:
        for stream in Stream:
            earlier, count = days.get((account_id, stream), (0, 0))
            limits[account_id, stream] = daily_limit(stream, earlier, own.get(account_id)), count
    return limits


def reserve(
    session: Session, account_id: int, stream: Stream, day: date, wanted: int, limit: int
) -> int:
    """Count `wanted` messages more on that day; returns how many of them the limit allows."""
    connection = session.connection()
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(SendingDay).values(
        account_id=account_id, stream=stream, day=day, count=wanted
    )
    count: int = connection.execute(
        statement.on_conflict_do_update(
            index_elements=["account_id", "stream", "day"],
            set_={"count": col(SendingDay.count) + statement.excluded["count"]},
        ).returning(col(SendingDay.count))
    ).scalar_one()
    allowed = max(0, wanted - max(0, count - limit))
    take_back(session, {(account_id, stream, day): wanted - allowed})
    return allowed


def take_back(session: Session, counts: Mapping[tuple[int, Stream, date], int]) -> None:
    """So many messages were counted for an account and a stream on a day, and never left."""
    for (account_id, stream, day), count in sorted(counts.items()):
        if count > 0:
            session.connection().execute(
                update(SendingDay)
                .where(
                    col(SendingDay.account_id) == account_id,
                    col(SendingDay.stream) == stream,
                    col(SendingDay.day) == day,
                    col(SendingDay.count) >= count,
                )
                .values(count=col(SendingDay.count) - count)
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
