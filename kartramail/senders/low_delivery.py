"""The one tick for an address on a domain that is not authenticated (R-LOWDELIV)."""

from dataclasses import dataclass

from sqlmodel import Session, col, or_, select, update

from kartramail.accounts.history import record_change
from kartramail.accounts.models import Membership, Role, User
from kartramail.clock import now
from kartramail.domains.standing import DomainStanding, domain_standing
from kartramail.rules.address_syntax import shown_domain
from kartramail.rules.addresses import Address
from kartramail.rules.verdict import Status, Verdict
from kartramail.senders.models import Sender
from kartramail.senders.rows import load_sender

FIELD = "accept_low_delivery"


@dataclass(frozen=True, slots=True)
class LowDelivery:
    """What is to be said of a send-from on a domain that is not authenticated here."""

    domain: DomainStanding

    @property
    def words(self) -> str:
        """Why fewer messages arrive, in a sentence or two."""
        shown = shown_domain(self.domain.from_domain)
        if self.domain.is_lost_unsigned:
            return (
                f"{shown} asks mail services to refuse mail that is not signed by it, and it is "
                "not authenticated here. Until it is, your mail leaves from your temporary address."
            )
        return f"{shown} is not authenticated here yet, so mail services trust mail from it less."

    @property
    def refusal(self) -> Verdict:
        """The verdict on a form in which the tick is missing."""
        return Verdict(
            Status.ERROR,
            FIELD,
            f"Tick this to use an address on {shown_domain(self.domain.from_domain)} all the same, "
            "or authenticate the domain first.",
        )


def low_delivery_of(
    session: Session,
    account_id: int,
    send_from: Address,
    platform_domain: str,
    *,
    sender_id: int | None = None,
) -> LowDelivery | None:
    """What the tick is about, where wanting this send-from for a sender asks for it.

    `sender_id` is the sender that is edited, None for a new one. None for the temporary address, an
    authenticated domain, the address from sign-up, one that was accepted for any sender before, and
    the address that the sender has already.
    """
    if send_from.domain == platform_domain:
        return None
    if send_from.key in keys_without_tick(session, account_id, sender_id=sender_id):
        return None
    domain = domain_standing(session, account_id, send_from.domain)
    return None if domain.is_authenticated else LowDelivery(domain)


def require_tick(
    session: Session, account_id: int, sender_id: int, platform_domain: str
) -> LowDelivery | None:
    """What the tick is about, where choosing this sender for something asks for it.

    Raises NotFound for a sender that is not this account's.
    """
    sender = load_sender(session, account_id, sender_id)
    local, _, domain = sender.send_from.rpartition("@")
    return low_delivery_of(session, account_id, Address(local, domain), platform_domain)


def accept_low_delivery(
    session: Session, account_id: int, sender_id: int, *, user_id: int | None = None
) -> None:
    """Write down that the tick was set for this sender, once. Raises NotFound."""
    sender = load_sender(session, account_id, sender_id)
    accepted = session.connection().execute(
        update(Sender)
        .where(
            col(Sender.account_id) == account_id,
            col(Sender.id) == sender_id,
            col(Sender.low_delivery_accepted_at).is_(None),
        )
        .values(low_delivery_accepted_at=now())
    )
    if accepted.rowcount:
        record_change(
            session,
            account_id,
            "sender.low_delivery_accepted",
            user_id=user_id,
            after={"send_from": sender.send_from},
        )


def keys_without_tick(
    session: Session, account_id: int, *, sender_id: int | None = None
) -> frozenset[str]:
    """The addresses that nobody is asked about (again): from sign-up, accepted, or in place."""
    is_settled = or_(col(Sender.low_delivery_accepted_at).is_not(None), col(Sender.id) == sender_id)
    settled = select(Sender.from_key).where(
        Sender.account_id == account_id, col(Sender.removed_at).is_(None), is_settled
    )
    from_sign_up = (
        select(User.email_key)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(Membership.account_id == account_id, Membership.role == Role.OWNER)
    )
    return frozenset(session.exec(settled)) | frozenset(session.exec(from_sign_up))
