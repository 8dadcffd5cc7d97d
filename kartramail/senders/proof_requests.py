"""Links that ask a mailbox whether an account may send as it: its reader decides (R-PROOF)."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlmodel import Session, col, select

from kartramail.accounts.history import record_change
from kartramail.accounts.linkable import shown_to_stranger
from kartramail.accounts.links import find_link, make_link, use_link, withdraw_links
from kartramail.accounts.models import Account, OneTimeToken, TokenPurpose
from kartramail.clock import now
from kartramail.outbox.platform_mail import enqueue_platform_mail
from kartramail.rules.address_syntax import shown_address
from kartramail.senders.proofs import (
    DECLINED_FOR,
    addresses_in_history,
    prove_mailbox,
    unprove_mailbox,
)

LINK_LIFETIME = timedelta(days=7)
_DAY = timedelta(days=1)
_LINKS_A_DAY = 10  # of one account, whatever the addresses
_LINKS_TO_ONE_A_DAY = 3


class Asked(StrEnum):
    """What became of the wish to have a link sent."""

    SENT = "sent"
    TOO_OFTEN = "too_often"
    DECLINED = "declined"  # who reads the mailbox said that it was not them


@dataclass(frozen=True, slots=True)
class ProofRequest:
    """A link that can still be used: which business wants to send as which address."""

    account_id: int
    business_name: str
    address: str


def ask_for_proof(
    session: Session, account_id: int, address_key: str, *, user_id: int | None, base_url: str
) -> Asked:
    """Send a link to the mailbox; older ones for it no longer work.

    Not more than a few a day, so that nobody can be pestered through an account.
    """
    refusal = _reason_not_to_ask(session, account_id, address_key)
    if refusal is not None:
        return refusal
    send_proof_link(session, account_id, address_key, base_url=base_url)
    record_change(
        session, account_id, "mailbox.asked", user_id=user_id, after={"address": address_key}
    )
    return Asked.SENT


def send_proof_link(
    session: Session,
    account_id: int,
    address_key: str,
    *,
    base_url: str,
    lifetime: timedelta = LINK_LIFETIME,
    template: str = "prove_mailbox",
) -> None:
    """Make the one valid link for this mailbox of this account, and mail it there."""
    purpose = TokenPurpose.PROVE_MAILBOX
    withdraw_links(session, purpose, account_id=account_id, address=address_key)
    raw = make_link(session, purpose, address_key, lifetime, account_id=account_id)
    business_name = session.exec(
        select(Account.business_name).where(Account.id == account_id)
    ).one()
    variables = {
        "business_name": shown_to_stranger(business_name, "a business"),
        "address": shown_address(address_key),
        "link": f"{base_url}/prove/{raw}",
        "days": lifetime.days,
    }
    enqueue_platform_mail(session, template, address_key, variables, account_id=account_id)


def _reason_not_to_ask(session: Session, account_id: int, address_key: str) -> Asked | None:
    asked = addresses_in_history(session, account_id, "mailbox.asked", now() - _DAY)
    declined = addresses_in_history(session, account_id, "mailbox.declined", now() - DECLINED_FOR)
    if address_key in declined:
        return Asked.DECLINED
    if len(asked) >= _LINKS_A_DAY or asked.count(address_key) >= _LINKS_TO_ONE_A_DAY:
        return Asked.TOO_OFTEN
    return None


def read_proof_request(session: Session, raw: str) -> ProofRequest | None:
    """What a link is about, or None for one that does not work (any more). Changes nothing."""
    link = find_link(session, raw, TokenPurpose.PROVE_MAILBOX)
    return _request(session, link) if link else None


def answer_proof_request(session: Session, raw: str, *, is_agreed: bool) -> ProofRequest | None:
    """Use the link up: prove the mailbox, or write down that its reader does not want this.

    A decline also ends a proof that there is already, so that no further mail leaves from there.
    """
    link = find_link(session, raw, TokenPurpose.PROVE_MAILBOX)
    request = _request(session, link) if link else None
    if link is None or request is None or not use_link(session, link):
        return None
    if is_agreed:
        prove_mailbox(session, request.account_id, request.address)
        _record(session, request, "mailbox.proven")
        return request
    _record(session, request, "mailbox.declined")
    if unprove_mailbox(session, request.account_id, request.address):
        _record(session, request, "mailbox.unproven")
    return request


def _record(session: Session, request: ProofRequest, what: str) -> None:
    address = {"address": request.address}
    record_change(session, request.account_id, what, user_id=None, after=address)


def _request(session: Session, link: OneTimeToken) -> ProofRequest | None:
    account = session.exec(
        select(Account).where(Account.id == link.account_id, col(Account.deleted_at).is_(None))
    ).first()
    return ProofRequest(account.id, account.business_name, link.address) if account else None
