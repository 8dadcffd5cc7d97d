"""Lanes: what takes turns, is limited, and can be paused (R-FAIR)."""

from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select, update

from kartramail.clock import now
from kartramail.ids import new_id
from kartramail.outbox.models import Lane, LaneState
from kartramail.rules.streams import Stream

MAIL = "mail"
"""The source of what an account sends by API and by its notifications."""

PLATFORM = "platform"
"""The source of the platform's own mail to the people of an account: never held, never limited."""

_FIND = select(Lane.id).where(
    Lane.account_id == bindparam("account"),
    Lane.stream == bindparam("stream_"),
    Lane.source == bindparam("source_"),
)


def lane_id_for(session: Session, account_id: int, stream: Stream, source: str = MAIL) -> int:
    """The lane of that account, stream and source; made where it is not there yet."""
    values = {"account": account_id, "stream_": stream, "source_": source}
    connection = session.connection()
    found: int | None = connection.scalar(_FIND, values)
    if found is not None:
        return found
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(
        dialect.insert(Lane)
        .values(
            id=new_id(),
            account_id=account_id,
            stream=stream,
            source=source,
            weight=1,
            state=LaneState.OPEN,
        )
        .on_conflict_do_nothing()
    )
    made: int = connection.execute(_FIND, values).scalar_one()
    return made


def find_lane(session: Session, account_id: int, lane_id: int) -> Lane | None:
    """A lane of this account, None where it has no such lane."""
    return session.exec(
        select(Lane).where(Lane.account_id == account_id, Lane.id == lane_id)
    ).first()


def hold_lane(session: Session, account_id: int, lane_id: int) -> bool:
    """Hold back whatever waits or comes in this lane; False where it changes nothing.

    One update however many messages there are. What a worker holds already still leaves.
    """
    return _set_state(session, account_id, lane_id, LaneState.OPEN, LaneState.HELD)


def open_lane(session: Session, account_id: int, lane_id: int) -> bool:
    """Let a lane's messages leave again; False where it changes nothing."""
    return _set_state(session, account_id, lane_id, LaneState.HELD, LaneState.OPEN)


def _set_state(
    session: Session, account_id: int, lane_id: int, before: LaneState, after: LaneState
) -> bool:
    changed = session.connection().execute(
        update(Lane)
        .where(
            col(Lane.id) == lane_id,
            col(Lane.account_id) == account_id,
            col(Lane.state) == before,
            col(Lane.source) != PLATFORM,
        )
        .values(state=after, held_at=now() if after is LaneState.HELD else None)
    )
    return changed.rowcount == 1
