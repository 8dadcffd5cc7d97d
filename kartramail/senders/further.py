"""Senders beside the default one, each under the same rules (R-SENDERS)."""

from dataclasses import dataclass

from sqlmodel import Session

from kartramail.accounts.history import record_change
from kartramail.clock import now
from kartramail.ids import new_id
from kartramail.senders.models import Sender
from kartramail.senders.removal import remove_sender
from kartramail.senders.rows import (
    SenderView,
    count_senders,
    load_sender,
    load_sender_page,
    load_senders,
)
from kartramail.senders.saving import (
    Saved,
    SenderDetails,
    ask_where_unproven,
    columns_of,
    for_history,
    save_sender,
)
from kartramail.senders.saving import save_sender as edit_sender
from kartramail.senders.service import lock_gateway, note_domain_of

__all__ = [
    "MOST_SENDERS",
    "TooMany",
    "add_sender",
    "edit_sender",
    "load_sender",
    "load_sender_page",
    "load_senders",
    "remove_sender",
]

MOST_SENDERS = 200
"""Of one account, the default one among them: a list that a person can still look through."""


@dataclass(frozen=True, slots=True)
class TooMany:
    """Nothing was added: the account has as many senders as it can have."""

    words = (
        f"This account has {MOST_SENDERS} senders, which is the most it can have. "
        "Remove one that is not needed any more, then add this one."
    )


def add_sender(
    session: Session,
    account_id: int,
    details: SenderDetails,
    *,
    user_id: int | None,
    platform_domain: str,
    base_url: str,
) -> Saved | TooMany:
    """Add a sender; a send-from that is not proven gets a link (R-PROOF).

    One that is there already, to the letter, is not added twice: it was a second press.
    """
    lock_gateway(session, account_id)
    twin = _find_twin(session, account_id, details)
    if twin is not None:
        saved = save_sender(
            session,
            account_id,
            twin.sender_id,
            details,
            version=None,
            user_id=user_id,
            platform_domain=platform_domain,
            base_url=base_url,
        )
        assert isinstance(saved, Saved)  # noqa: S101 - without a version there is no conflict
        return saved
    if count_senders(session, account_id) >= MOST_SENDERS:
        return TooMany()
    added = _insert(session, account_id, details)
    note_domain_of(session, account_id, details.send_from.domain, platform_domain)
    record_change(session, account_id, "sender.added", user_id=user_id, after=for_history(added))
    asked = ask_where_unproven(
        session, added, user_id=user_id, platform_domain=platform_domain, base_url=base_url
    )
    return Saved(added, is_changed=True, asked=asked, is_new=True)


def _find_twin(session: Session, account_id: int, details: SenderDetails) -> SenderView | None:
    wanted = columns_of(details)
    return next(
        (
            sender
            for sender in load_senders(session, account_id)
            if not sender.is_default
            and all(getattr(sender, name) == value for name, value in wanted.items())
        ),
        None,
    )


def _insert(session: Session, account_id: int, details: SenderDetails) -> SenderView:
    accepted_at = now() if details.accepts_low_delivery else None
    sender = Sender(
        id=new_id(),
        account_id=account_id,
        low_delivery_accepted_at=accepted_at,
        **columns_of(details),
    )
    session.add(sender)
    session.flush()
    return load_sender(session, account_id, sender.id)
