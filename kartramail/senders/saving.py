"""Saving a sender: all or nothing, and never over somebody else's change (R-SAVE)."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, update

from kartramail.accounts.history import record_change
from kartramail.clock import now
from kartramail.ids import show_id
from kartramail.rules.addresses import Address
from kartramail.senders.models import Sender
from kartramail.senders.proof_requests import Asked, ask_for_proof
from kartramail.senders.rows import SenderView, load_sender
from kartramail.senders.service import load_gateway, lock_gateway, note_domain_of
from kartramail.senders.standing import Proof, sender_standing


@dataclass(frozen=True, slots=True)
class SenderDetails:
    """What a form or a program wants a sender to be; already judged by the rules."""

    name: str
    send_from: Address
    reply_to: Address | None
    accepts_low_delivery: bool = False


@dataclass(frozen=True, slots=True)
class Saved:
    """The details are saved. `asked` says whether a link went to a send-from not yet proven.

    `is_new`: it was added by this. `is_changed` is False where all of it was there already.
    """

    sender: SenderView
    is_changed: bool
    asked: Asked | None
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Conflict:
    """Nothing was saved: somebody else saved first. `sender` is what is there now (R-SAVE)."""

    sender: SenderView


def save_gateway_sender(
    session: Session,
    account_id: int,
    details: SenderDetails,
    *,
    version: int | None,
    user_id: int | None,
    platform_domain: str,
    base_url: str,
) -> Saved | Conflict:
    """Save the default sender, as `save_sender` does. Raises NotFound where there is none."""
    return save_sender(
        session,
        account_id,
        load_gateway(session, account_id).sender_id,
        details,
        version=version,
        user_id=user_id,
        platform_domain=platform_domain,
        base_url=base_url,
    )


def save_sender(
    session: Session,
    account_id: int,
    sender_id: int,
    details: SenderDetails,
    *,
    version: int | None,
    user_id: int | None,
    platform_domain: str,
    base_url: str,
) -> Saved | Conflict:
    """Save all of it or nothing, unless somebody saved since `version` was read (None: no check).

    A send-from that is new and not proven gets a link; unchanged addresses get none. Raises
    NotFound for a sender that is removed, or another account's.
    """
    lock_gateway(session, account_id)
    before = load_sender(session, account_id, sender_id)
    values = _values(before, details)
    if _is_as_saved(before, values):  # also at the second of two presses, whatever its version
        return Saved(before, is_changed=False, asked=None)
    if version is not None and version != before.version:
        return Conflict(before)
    _write(session, before, values)
    note_domain_of(session, account_id, details.send_from.domain, platform_domain)
    after = load_sender(session, account_id, sender_id)
    record_change(
        session,
        account_id,
        "gateway.saved" if before.is_default else "sender.saved",
        user_id=user_id,
        before=for_history(before),
        after=for_history(after),
    )
    asked = None
    if after.from_key != before.from_key:
        asked = ask_where_unproven(
            session, after, user_id=user_id, platform_domain=platform_domain, base_url=base_url
        )
    return Saved(after, is_changed=True, asked=asked)


def ask_where_unproven(
    session: Session,
    sender: SenderView,
    *,
    user_id: int | None,
    platform_domain: str,
    base_url: str,
) -> Asked | None:
    """Send a link to the send-from, unless it is proven; says what became of that (R-PROOF)."""
    standing = sender_standing(session, sender.account_id, sender.sender_id, platform_domain)
    if standing is None or standing.proof is not Proof.NONE:
        return None
    return ask_for_proof(
        session, sender.account_id, sender.from_key, user_id=user_id, base_url=base_url
    )


def _values(before: SenderView, details: SenderDetails) -> dict[str, Any]:
    """The columns of the sender that say what `details` say."""
    was_accepted = before.low_delivery_accepted and details.send_from.key == before.from_key
    return columns_of(details) | {
        "low_delivery_accepted": details.accepts_low_delivery or was_accepted,
    }


def columns_of(details: SenderDetails) -> dict[str, Any]:
    """The columns that hold the details themselves."""
    return {
        "name": details.name,
        "send_from": details.send_from.text,
        "from_key": details.send_from.key,
        "from_domain": details.send_from.domain,
        "reply_to": details.reply_to.text if details.reply_to else None,
    }


def _is_as_saved(before: SenderView, values: dict[str, Any]) -> bool:
    return all(getattr(before, name) == value for name, value in values.items())


def _write(session: Session, before: SenderView, values: dict[str, Any]) -> None:
    columns = {name: value for name, value in values.items() if name != "low_delivery_accepted"}
    if values["low_delivery_accepted"] != before.low_delivery_accepted:
        columns["low_delivery_accepted_at"] = now() if values["low_delivery_accepted"] else None
    session.connection().execute(
        update(Sender)
        .where(col(Sender.account_id) == before.account_id, col(Sender.id) == before.sender_id)
        .values(version=before.version + 1, **columns)
    )


def for_history(sender: SenderView) -> dict[str, Any]:
    """A sender as a line of history tells it."""
    told = {name: getattr(sender, name) for name in ("name", "send_from", "reply_to")}
    return told | {"sender": show_id(sender.sender_id)}
