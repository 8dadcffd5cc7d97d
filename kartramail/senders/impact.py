"""What a change of a sender or of a domain touches, so that a page can say it before (R-IMPACT)."""

from sqlmodel import Session, col, func, select

from kartramail.outbox.models import Message, SourceKind
from kartramail.senders.models import Gateway, Sender

MOST_COUNTED = 1_000
"""Beyond that a page says "more than": nobody decides differently, and counting takes a while."""

_NOT_FROM_THE_ACCOUNT = (SourceKind.PLATFORM, SourceKind.TEST)


def count_waiting_messages(session: Session, account_id: int) -> int:
    """How many messages that wait will leave as the default sender; `MOST_COUNTED` + 1 at most."""
    default = select(Gateway.sender_id).where(Gateway.account_id == account_id).scalar_subquery()
    waiting = (
        select(Message.id)
        .where(
            Message.account_id == account_id,
            col(Message.due_at).is_not(None),
            col(Message.source_kind).not_in(_NOT_FROM_THE_ACCOUNT),
            col(Message.sender_id).is_(None) | (col(Message.sender_id) == default),
        )
        .limit(MOST_COUNTED + 1)
        .subquery()
    )
    return session.exec(select(func.count()).select_from(waiting)).one()


def addresses_on_domain(session: Session, account_id: int, domain: str) -> list[str]:
    """The send-from addresses of this account that are on the domain or below it."""
    statement = (
        select(Sender.send_from)
        .where(
            Sender.account_id == account_id,
            (col(Sender.from_domain) == domain)
            | col(Sender.from_domain).endswith(f".{domain}", autoescape=True),
        )
        .order_by(Sender.send_from)
    )
    return list(dict.fromkeys(session.exec(statement)))
