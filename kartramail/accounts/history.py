"""The account's history: who changed what, and when (R-SAVE)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from kartramail.accounts.models import History, User
from kartramail.ids import first_id_at


@dataclass(frozen=True, slots=True)
class Change:
    """One line of history as people read it. `who` is None where a program or command did it."""

    at: datetime
    who: str | None
    what: str
    before: dict[str, Any]
    after: dict[str, Any]


def record_change(
    session: Session,
    account_id: int,
    what: str,
    *,
    user_id: int | None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write one line of history in the very transaction that makes the change."""
    session.add(
        History(
            account_id=account_id,
            user_id=user_id,
            what=what,
            before=before or {},
            after=after or {},
        )
    )


# SQLModel knows the types of four columns, and not of more.
_COLUMNS: list[Any] = [
    *(col(History.at), col(User.full_name), col(History.what)),
    *(col(History.before), col(History.after)),
]


def list_changes(session: Session, account_id: int, limit: int = 50) -> list[Change]:
    """The latest changes of this account, newest first."""
    statement = (
        select(*_COLUMNS)
        .join(User, col(User.id) == col(History.user_id), isouter=True)
        .where(History.account_id == account_id)
        .order_by(col(History.id).desc())
        .limit(limit)
    )
    return [Change(*row) for row in session.exec(statement)]


def changes_since(session: Session, account_id: int, what: str, since: datetime) -> list[Change]:
    """The changes of one kind in this account from that moment on, the oldest first."""
    statement = (
        select(*_COLUMNS)
        .join(User, col(User.id) == col(History.user_id), isouter=True)
        .where(
            History.account_id == account_id,
            History.what == what,
            col(History.id) >= first_id_at(since),
        )
        .order_by(col(History.id))
    )
    return [Change(*row) for row in session.exec(statement)]
