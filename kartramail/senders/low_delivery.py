"""The one tick for an address on a domain that is not authenticated (R-LOWDELIV)."""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from kartramail.accounts.models import Membership, Role, User
from kartramail.domains.standing import DomainStanding, domain_standing
from kartramail.rules.address_syntax import shown_domain
from kartramail.rules.addresses import Address
from kartramail.rules.verdict import Status, Verdict
from kartramail.senders.service import load_gateway

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
    session: Session, account_id: int, send_from: Address, platform_domain: str
) -> LowDelivery | None:
    """What the tick is about, where choosing this send-from as the default one asks for it.

    None for the temporary address, an authenticated domain, the address from sign-up, and the
    address that is the default sender already.
    """
    if send_from.domain == platform_domain:
        return None
    gateway = load_gateway(session, account_id)
    if send_from.key == gateway.from_key or _is_from_sign_up(session, account_id, send_from):
        return None
    domain = domain_standing(session, account_id, send_from.domain)
    return None if domain.is_authenticated else LowDelivery(domain)


def _is_from_sign_up(session: Session, account_id: int, address: Address) -> bool:
    statement = (
        select(User.id)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(
            Membership.account_id == account_id,
            Membership.role == Role.OWNER,
            User.email_key == address.key,
        )
    )
    return session.exec(statement).first() is not None
