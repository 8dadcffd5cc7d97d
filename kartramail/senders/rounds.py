"""Mailboxes whose proof ends soon are asked again, with notice (R-PROOF). Crosses accounts."""

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session, col, exists, select, update

from kartramail.accounts.models import Account
from kartramail.clock import now
from kartramail.rounds import Round
from kartramail.senders.claimed_mailboxes import end_claimed_proofs
from kartramail.senders.models import MailboxProof, Sender
from kartramail.senders.proof_requests import send_proof_link
from kartramail.senders.standing import PROOF_LIFETIME

if TYPE_CHECKING:
    from kartramail.installation import Installation

NOTICE = timedelta(days=30)
_AT_A_TIME = 50


def ask_mailboxes_again(installation: "Installation") -> None:
    """Mail a new link to every mailbox in use whose proof ends within 30 days, once each."""
    while True:
        with installation.db.transaction() as session:
            due = _due(session)
            for account_id, address_key in due:
                _ask_again(session, account_id, address_key, installation.settings.base_url)
        if len(due) < _AT_A_TIME:
            return


def _due(session: Session) -> list[tuple[int, str]]:
    in_use = exists().where(
        col(Sender.account_id) == MailboxProof.account_id,
        col(Sender.from_key) == MailboxProof.address_key,
        col(Sender.removed_at).is_(None),
    )
    query = (
        select(MailboxProof.account_id, MailboxProof.address_key)
        .join(Account, col(Account.id) == MailboxProof.account_id)
        .where(
            col(MailboxProof.proven_at) <= now() - PROOF_LIFETIME + NOTICE,
            col(MailboxProof.proven_at) > now() - PROOF_LIFETIME,
            col(MailboxProof.asked_again_at).is_(None),
            col(Account.deleted_at).is_(None),
            in_use,
        )
        .order_by(col(MailboxProof.proven_at))
        .limit(_AT_A_TIME)
    )
    return list(session.exec(query))


def _ask_again(session: Session, account_id: int, address_key: str, base_url: str) -> None:
    send_proof_link(
        session,
        account_id,
        address_key,
        base_url=base_url,
        lifetime=NOTICE,
        template="prove_mailbox_again",
    )
    session.connection().execute(
        update(MailboxProof)
        .where(
            col(MailboxProof.account_id) == account_id,
            col(MailboxProof.address_key) == address_key,
        )
        .values(asked_again_at=now())
    )


ROUNDS: tuple[Round, ...] = (
    Round("ask_mailboxes_again", timedelta(hours=6), ask_mailboxes_again),
    Round("end_claimed_proofs", timedelta(minutes=1), end_claimed_proofs),
)
