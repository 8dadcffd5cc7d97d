"""What follows the words and the sender of a notification, so that a page can say it (R-IMPACT)."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists
from sqlmodel import Session, col, func, or_, select

from kartramail.assets.kinds import KINDS, fires
from kartramail.assets.models import Asset, NotificationSetting, ScheduledEvent
from kartramail.assets.notification_types import Kind, NotificationType
from kartramail.senders.impact import MOST_COUNTED


@dataclass(frozen=True, slots=True)
class Reach:
    """What a change at one place touches.

    `following`: how many of each kind have no words of their own. `own`: how many have. `waiting`:
    how many that wait for their time will say the new words; `MOST_COUNTED` + 1 at most.
    """

    following: tuple[tuple[Kind, int], ...]
    own: int
    waiting: int


def reach_of(
    session: Session, account_id: int, asset_id: int | None, one: NotificationType
) -> Reach:
    """What follows this notification everywhere, or at one asset."""
    following: tuple[tuple[Kind, int], ...] = ()
    own = 0
    if asset_id is None:
        following, own = _assets(session, account_id, one)
    return Reach(following, own, _waiting(session, account_id, asset_id, one))


def _assets(
    session: Session, account_id: int, one: NotificationType
) -> tuple[tuple[tuple[Kind, int], ...], int]:
    kinds = [kind.name for kind in KINDS.values() if fires(kind.name, one.name)]
    sending = (
        select(col(Asset.kind), _has_own_words(account_id, one).label("has_own"))
        .where(col(Asset.account_id) == account_id, col(Asset.kind).in_(kinds))
        .subquery()
    )
    columns = (sending.c.kind, sending.c.has_own)
    rows = session.connection().execute(
        select(*columns, func.count().label("number")).group_by(*columns)
    )
    counted = {(row.kind, bool(row.has_own)): row.number for row in rows}
    following = tuple(
        (KINDS[name], counted[name, False]) for name in kinds if (name, False) in counted
    )
    return following, sum(number for (_, is_own), number in counted.items() if is_own)


def _has_own_words(account_id: int, one: NotificationType) -> ColumnElement[bool]:
    words = (NotificationSetting.subject, NotificationSetting.html, NotificationSetting.text)
    return exists().where(
        col(NotificationSetting.account_id) == account_id,
        col(NotificationSetting.asset_id) == col(Asset.id),
        col(NotificationSetting.type) == one.name,
        or_(*(col(word).is_not(None) for word in words)),
    )


def _waiting(session: Session, account_id: int, asset_id: int | None, one: NotificationType) -> int:
    statement = select(ScheduledEvent.id).where(
        ScheduledEvent.account_id == account_id,
        ScheduledEvent.type == one.name,
        col(ScheduledEvent.due_at).is_not(None),
    )
    if asset_id is not None:
        statement = statement.where(ScheduledEvent.asset_id == asset_id)
    some = statement.limit(MOST_COUNTED + 1).subquery()
    return session.exec(select(func.count()).select_from(some)).one()
