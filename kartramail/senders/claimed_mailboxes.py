"""Proofs of mailboxes that ended because another account proved the domain (R-CLAIM).

They stop to count at the instant of the claim (standing.py); here they are taken away, and their
accounts are told. Crosses accounts, as a round.
"""

from sqlmodel import Session, col, delete, select, update

from kartramail.accounts.history import record_change
from kartramail.accounts.team import owners_of
from kartramail.clock import now
from kartramail.domains.models import DomainClaim
from kartramail.domains.standing import domains_that_cover
from kartramail.installation import Installation
from kartramail.outbox.platform_mail import enqueue_platform_mail
from kartramail.rules.domain_names import show_domain
from kartramail.senders.models import Gateway, MailboxProof, Sender

_AT_A_TIME = 200


def end_claimed_proofs(installation: Installation) -> None:
    """End the proofs that are older than another account's claim on their domain, once a claim."""
    while True:
        with installation.db.reading() as session:
            claims = _untold_claims(session)
        for claim in claims:
            with installation.db.transaction() as session:
                if _note_told(session, claim):
                    _end_proofs(session, claim, installation.settings.base_url)
        if len(claims) < _AT_A_TIME:
            return


def _untold_claims(session: Session) -> list[DomainClaim]:
    statement = select(DomainClaim).where(col(DomainClaim.told_at).is_(None))
    return list(session.exec(statement.order_by(col(DomainClaim.domain)).limit(_AT_A_TIME)))


def _note_told(session: Session, claim: DomainClaim) -> bool:
    """False where the domain was claimed anew meanwhile: that claim has its own turn."""
    told = session.connection().execute(
        update(DomainClaim)
        .where(
            col(DomainClaim.domain) == claim.domain,
            col(DomainClaim.claimed_at) == claim.claimed_at,
        )
        .values(told_at=now())
    )
    return told.rowcount == 1


def _end_proofs(session: Session, claim: DomainClaim, base_url: str) -> None:
    statement = select(MailboxProof.account_id, MailboxProof.address_key).where(
        MailboxProof.account_id != claim.account_id,
        MailboxProof.proven_at <= claim.claimed_at,
        col(MailboxProof.address_key).endswith(claim.domain, autoescape=True),
    )
    for account_id, address_key in session.exec(statement).all():
        if claim.domain not in domains_that_cover(address_key.rpartition("@")[2]):
            continue  # otherdoeinc.com ends like doeinc.com
        session.connection().execute(
            delete(MailboxProof).where(
                col(MailboxProof.account_id) == account_id,
                col(MailboxProof.address_key) == address_key,
            )
        )
        _tell(session, account_id, address_key, claim.domain, base_url)


def _tell(session: Session, account_id: int, address_key: str, domain: str, base_url: str) -> None:
    record_change(
        session, account_id, "mailbox.claimed", user_id=None, before={"address": address_key}
    )
    variables = {
        "domain": show_domain(domain),
        "address": address_key,
        "link": f"{base_url}{_page_of(session, account_id, address_key)}",
    }
    for owner in owners_of(session, account_id):
        enqueue_platform_mail(session, "mailbox_claimed", owner, variables, account_id=account_id)


def _page_of(session: Session, account_id: int, address_key: str) -> str:
    """Where a new link can be sent to the mailbox: with the sender that has its address."""
    default = select(Sender.id).join(
        Gateway,
        (col(Gateway.account_id) == Sender.account_id) & (col(Gateway.sender_id) == Sender.id),
    )
    is_default = session.exec(
        default.where(Sender.account_id == account_id, Sender.from_key == address_key)
    ).first()
    return "/settings/integrations" if is_default else "/settings/senders"
