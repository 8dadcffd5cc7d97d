"""Saving a sender: all or nothing, and never over somebody else's change (R-SAVE)."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, update

from kartramail.accounts.history import record_change
from kartramail.clock import now
from kartramail.rules.addresses import Address
from kartramail.senders.models import Sender
from kartramail.senders.proof_requests import Asked, ask_for_proof
from kartramail.senders.service import (
    GatewayView,
    load_gateway,
    lock_gateway,
    note_domain_of,
)
from kartramail.senders.standing import Proof, gateway_standing


@dataclass(frozen=True, slots=True)
class SenderDetails:
    """What a form or a program wants a sender to be; already judged by the rules."""

    name: str
    send_from: Address
    reply_to: Address | None
    accepts_low_delivery: bool = False


@dataclass(frozen=True, slots=True)
class Saved:
    """The details are saved. `asked` says whether a link went to a send-from not yet proven."""

    gateway: GatewayView
    is_changed: bool
    asked: Asked | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Nothing was saved: somebody else saved first. `gateway` is what is there now (R-SAVE)."""

    gateway: GatewayView


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
    """Save all of it or nothing, unless somebody saved since `version` was read (None: no check).

    A send-from that is new and not proven gets a link; unchanged addresses get none.
    """
    lock_gateway(session, account_id)
    before = load_gateway(session, account_id)
    values = _values(before, details)
    if _is_as_saved(before, values):  # also at the second of two presses, whatever its version
        return Saved(before, is_changed=False, asked=None)
    if version is not None and version != before.version:
        return Conflict(before)
    _write(session, before, values)
    note_domain_of(session, account_id, details.send_from.domain, platform_domain)
    after = load_gateway(session, account_id)
    record_change(
        session,
        account_id,
        "gateway.saved",
        user_id=user_id,
        before=_for_history(before),
        after=_for_history(after),
    )
    asked = None
    if after.from_key != before.from_key and _is_unproven(session, account_id, platform_domain):
        asked = ask_for_proof(
            session, account_id, after.from_key, user_id=user_id, base_url=base_url
        )
    return Saved(after, is_changed=True, asked=asked)


def _values(before: GatewayView, details: SenderDetails) -> dict[str, Any]:
    """The columns of the sender that say what `details` say."""
    was_accepted = before.low_delivery_accepted and details.send_from.key == before.from_key
    return {
        "name": details.name,
        "send_from": details.send_from.text,
        "from_key": details.send_from.key,
        "from_domain": details.send_from.domain,
        "reply_to": details.reply_to.text if details.reply_to else None,
        "low_delivery_accepted": details.accepts_low_delivery or was_accepted,
    }


def _is_as_saved(before: GatewayView, values: dict[str, Any]) -> bool:
    return all(getattr(before, name) == values[name] for name in values if name != "from_domain")


def _write(session: Session, before: GatewayView, values: dict[str, Any]) -> None:
    columns = {name: value for name, value in values.items() if name != "low_delivery_accepted"}
    if values["low_delivery_accepted"] != before.low_delivery_accepted:
        columns["low_delivery_accepted_at"] = now() if values["low_delivery_accepted"] else None
    session.connection().execute(
        update(Sender)
        .where(col(Sender.account_id) == before.account_id, col(Sender.id) == before.sender_id)
        .values(version=before.version + 1, **columns)
    )


def _is_unproven(session: Session, account_id: int, platform_domain: str) -> bool:
    return gateway_standing(session, account_id, platform_domain).proof is Proof.NONE


def _for_history(gateway: GatewayView) -> dict[str, Any]:
    return {name: getattr(gateway, name) for name in ("name", "send_from", "reply_to")}
