"""What a change of a sender or of a domain touches, so that a page can say it before (R-IMPACT)."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, and_, case, column, func, table
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from kartramail.column_types import IdType
from kartramail.outbox.models import PLATFORM_SOURCES, Message
from kartramail.senders.choices import EVERYWHERE
from kartramail.senders.models import ChoiceScope, Gateway, Sender, SenderChoice

MOST_COUNTED = 1_000
"""Beyond that a page says "more than": nobody decides differently, and counting takes a while."""

# A table of a higher floor is known here by its name only.
_scheduled = table(
    "scheduled_event",
    column("account_id", IdType),
    column("asset_id", IdType),
    column("type"),
    column("due_at"),
)


def count_waiting_messages(
    session: Session, account_id: int, sender_ids: Collection[int] | None = None
) -> int:
    """How many messages that wait are to leave as one of these senders (None: the default one).

    Those that are due later are among them, reminders too; `MOST_COUNTED` + 1 at most.
    """
    if sender_ids is None:
        default = select(Gateway.sender_id).where(Gateway.account_id == account_id)
        sender_ids = session.exec(default).all()
    found = 0
    for waiting in (
        _waiting_messages(account_id, sender_ids),
        _waiting_events(account_id, sender_ids),
    ):
        some = waiting.limit(MOST_COUNTED + 1 - found).subquery()
        found += session.connection().scalar(select(func.count()).select_from(some)) or 0
        if found > MOST_COUNTED:
            break
    return found


def _waiting_messages(account_id: int, sender_ids: Collection[int]) -> Select[Any]:
    """A row for each message that waits and is to leave as one of these, as resolution decides."""
    of_asset, everywhere, named = aliased(SenderChoice), aliased(SenderChoice), aliased(Sender)
    stands = case((col(named.removed_at).is_(None), named.id), else_=named.replaced_by_id)
    chosen = func.coalesce(of_asset.sender_id, everywhere.sender_id, stands, Gateway.sender_id)
    is_named = and_(col(named.account_id) == Message.account_id, col(named.id) == Message.sender_id)
    return (
        select(Message.id)
        .join(Gateway, col(Gateway.account_id) == Message.account_id)
        .outerjoin(of_asset, _is_chosen_for(of_asset, Message))
        .outerjoin(everywhere, _is_chosen_everywhere(everywhere, Message))
        .outerjoin(named, is_named)
        .where(
            Message.account_id == account_id,
            col(Message.due_at).is_not(None),
            col(Message.source_kind).not_in(PLATFORM_SOURCES),
            chosen.in_(sender_ids),
        )
    )


def _waiting_events(account_id: int, sender_ids: Collection[int]) -> Select[Any]:
    """The same for what becomes a message when its time has come."""
    of_asset, everywhere, event = aliased(SenderChoice), aliased(SenderChoice), _scheduled.c
    chosen = func.coalesce(of_asset.sender_id, everywhere.sender_id, Gateway.sender_id)
    waiting: Select[Any] = (
        select(event.asset_id)
        .select_from(_scheduled)
        .join(Gateway, col(Gateway.account_id) == event.account_id)
        .outerjoin(of_asset, _is_chosen_for(of_asset, event))
        .outerjoin(everywhere, _is_chosen_everywhere(everywhere, event))
        .where(
            event.account_id == account_id,
            event.due_at.is_not(None),
            chosen.in_(sender_ids),
        )
    )
    return waiting


def _is_chosen_for(choice: Any, sent: Any) -> Any:
    return and_(
        choice.account_id == sent.account_id,
        choice.scope == ChoiceScope.ASSET,
        choice.scope_id == sent.asset_id,
        choice.type == sent.type,
    )


def _is_chosen_everywhere(choice: Any, sent: Any) -> Any:
    return and_(
        choice.account_id == sent.account_id,
        choice.scope == ChoiceScope.NOTIFICATION,
        choice.scope_id == EVERYWHERE,
        choice.type == sent.type,
    )


def senders_on_domain(session: Session, account_id: int, domain: str) -> dict[int, str]:
    """The senders of this account whose send-from is on the domain or below it, by number."""
    statement = (
        select(Sender.id, Sender.send_from)
        .where(
            Sender.account_id == account_id,
            col(Sender.removed_at).is_(None),
            (col(Sender.from_domain) == domain)
            | col(Sender.from_domain).endswith(f".{domain}", autoescape=True),
        )
        .order_by(Sender.send_from)
    )
    return dict(session.exec(statement).all())


def addresses_on_domain(session: Session, account_id: int, domain: str) -> list[str]:
    """Their send-from addresses, each once."""
    return list(dict.fromkeys(senders_on_domain(session, account_id, domain).values()))
