"""Removing a sender: what used it goes on under another one (R-SENDERS)."""

from dataclasses import dataclass

from sqlmodel import Session, col, select, update

from kartramail.accounts.history import record_change
from kartramail.clock import now
from kartramail.errors import NotFound
from kartramail.senders.models import Sender, SenderChoice
from kartramail.senders.rows import SenderView, load_sender
from kartramail.senders.saving import for_history
from kartramail.senders.service import lock_gateway
from kartramail.senders.uses import SenderUses, uses_of


@dataclass(frozen=True, slots=True)
class Removed:
    """The sender is removed; `replacement` writes what it wrote, where anything did."""

    sender: SenderView
    replacement: SenderView | None


@dataclass(frozen=True, slots=True)
class InUse:
    """Nothing was removed: somebody has to say first what takes its place."""

    sender: SenderView
    uses: SenderUses


@dataclass(frozen=True, slots=True)
class IsDefault:
    """Nothing was removed: an account always has a default sender. It can be edited."""

    sender: SenderView


def remove_sender(
    session: Session,
    account_id: int,
    sender_id: int,
    replacement_id: int | None = None,
    *,
    user_id: int | None,
) -> Removed | InUse | IsDefault:
    """Remove a sender, and let another one write what it wrote, all in this transaction.

    Its row stays, since messages that wait name it. Raises NotFound for a sender that is not there,
    and for a replacement that is none of this account's, or the very sender.
    """
    lock_gateway(session, account_id)
    _lock_senders(session, account_id, sender_id, replacement_id)
    sender = load_sender(session, account_id, sender_id)
    if sender.is_default:
        return IsDefault(sender)
    replacement = _load_replacement(session, sender, replacement_id)
    if replacement is None and (uses := uses_of(session, account_id, sender_id)).is_in_use:
        return InUse(sender, uses)
    _put_into_its_place(session, sender, replacement)
    record_change(
        session,
        account_id,
        "sender.removed",
        user_id=user_id,
        before=for_history(sender),
        after=for_history(replacement) if replacement else None,
    )
    return Removed(sender, replacement)


def hold_sender(session: Session, account_id: int, sender_id: int) -> None:
    """Let nobody remove this sender until this transaction is over; for who is about to choose it.

    Waits for a removal that is under way. Raises NotFound for one that is removed, or not theirs.
    On SQLite a transaction that writes has the whole database to itself anyway.
    """
    query = select(Sender.id).where(
        Sender.account_id == account_id, Sender.id == sender_id, col(Sender.removed_at).is_(None)
    )
    if session.connection().execute(query.with_for_update(read=True)).first() is None:
        raise NotFound("This account has no such sender.")


def _lock_senders(
    session: Session, account_id: int, sender_id: int, replacement_id: int | None
) -> None:
    """Wait for who holds either of them: what they chose is then seen here, and moved.

    Both before any choice is touched, as those who choose do it too: nobody waits for each other.
    """
    query = (
        select(Sender.id)
        .where(Sender.account_id == account_id, col(Sender.id).in_({sender_id, replacement_id}))
        .order_by(col(Sender.id))
    )
    session.connection().execute(query.with_for_update(key_share=True))


def _load_replacement(
    session: Session, sender: SenderView, replacement_id: int | None
) -> SenderView | None:
    if replacement_id is None:
        return None
    found = load_sender(session, sender.account_id, replacement_id)
    if found.sender_id == sender.sender_id:
        raise NotFound("A sender cannot take its own place.")
    return found


def _put_into_its_place(
    session: Session, sender: SenderView, replacement: SenderView | None
) -> None:
    """The rows: its own, those that it took the place of earlier, and where it was chosen."""
    replacement_id = replacement.sender_id if replacement else None
    own = col(Sender.account_id) == sender.account_id
    execute = session.connection().execute
    execute(
        update(Sender)
        .where(own, col(Sender.id) == sender.sender_id)
        .values(removed_at=now(), replaced_by_id=replacement_id, version=sender.version + 1)
    )
    # One step from any removed sender to the one that stands: resolution follows no chains.
    execute(
        update(Sender)
        .where(own, col(Sender.replaced_by_id) == sender.sender_id)
        .values(replaced_by_id=replacement_id)
    )
    if replacement_id is not None:
        execute(
            update(SenderChoice)
            .where(
                col(SenderChoice.account_id) == sender.account_id,
                col(SenderChoice.sender_id) == sender.sender_id,
            )
            .values(sender_id=replacement_id)
        )
