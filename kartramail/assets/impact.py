"""What a change of an asset's notifications touches, so that its page can say it (R-IMPACT)."""

from collections.abc import Collection, Mapping

from sqlmodel import Session, col, func, select

from kartramail.assets.models import ScheduledEvent
from kartramail.senders.impact import MOST_COUNTED


def count_scheduled(
    session: Session, account_id: int, asset_id: int, types: Collection[str]
) -> Mapping[str, int]:
    """How many of each of these wait for their time; `MOST_COUNTED` + 1 at most."""
    return {name: _count(session, account_id, asset_id, name) for name in types}


def _count(session: Session, account_id: int, asset_id: int, type_name: str) -> int:
    waiting = (
        select(ScheduledEvent.id)
        .where(
            ScheduledEvent.account_id == account_id,
            ScheduledEvent.asset_id == asset_id,
            ScheduledEvent.type == type_name,
            col(ScheduledEvent.due_at).is_not(None),
        )
        .limit(MOST_COUNTED + 1)
        .subquery()
    )
    return session.connection().scalar(select(func.count()).select_from(waiting)) or 0
