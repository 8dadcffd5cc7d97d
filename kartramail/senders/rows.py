"""An account's senders as they are saved: the one place where their rows are fetched."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select
from sqlmodel import Session, col, func, select

from kartramail.errors import NotFound
from kartramail.senders.models import Gateway, Sender


@dataclass(frozen=True, slots=True)
class SenderView:
    """One sender as it is saved. `from_key` is its send-from as proofs of mailboxes know it."""

    account_id: int
    sender_id: int
    name: str
    send_from: str
    from_key: str
    from_domain: str
    reply_to: str | None
    low_delivery_accepted: bool
    version: int
    is_default: bool


SENDER_COLUMNS: tuple[Any, ...] = (
    Gateway.account_id,
    Sender.id,
    Sender.name,
    Sender.send_from,
    Sender.from_key,
    Sender.from_domain,
    Sender.reply_to,
    col(Sender.low_delivery_accepted_at).is_not(None),
    Sender.version,
    (col(Sender.id) == col(Gateway.sender_id)).label("is_default"),
)
"""What a SenderView is made of, in its order, from a sender joined with its account's gateway."""

_SENDERS: Select[Any] = (
    select(*SENDER_COLUMNS)
    .join(Gateway, col(Gateway.account_id) == col(Sender.account_id))
    .where(col(Sender.removed_at).is_(None))
)


def load_sender(session: Session, account_id: int, sender_id: int) -> SenderView:
    """One sender of this account. Raises NotFound for one that is removed, or not theirs."""
    row = (
        session.connection()
        .execute(_SENDERS.where(col(Sender.account_id) == account_id, col(Sender.id) == sender_id))
        .first()
    )
    if row is None:
        raise NotFound("This account has no such sender.")
    return SenderView(*row)


def load_senders(session: Session, account_id: int) -> list[SenderView]:
    """All senders of this account, the default one first, then by name and address."""
    statement = _SENDERS.where(col(Sender.account_id) == account_id).order_by(
        (col(Sender.id) != col(Gateway.sender_id)),
        func.lower(col(Sender.name)),
        col(Sender.from_key),
        col(Sender.id),
    )
    return [SenderView(*row) for row in session.connection().execute(statement)]


def load_sender_page(
    session: Session, account_id: int, *, before: int | None, limit: int
) -> list[SenderView]:
    """A part of the account's senders, the newest first: those older than that number."""
    statement = _SENDERS.where(col(Sender.account_id) == account_id)
    if before is not None:
        statement = statement.where(col(Sender.id) < before)
    rows = session.connection().execute(statement.order_by(col(Sender.id).desc()).limit(limit))
    return [SenderView(*row) for row in rows]


def count_senders(session: Session, account_id: int) -> int:
    """How many senders the account has, the default one among them."""
    statement = select(func.count()).where(
        Sender.account_id == account_id, col(Sender.removed_at).is_(None)
    )
    return session.exec(statement).one()
