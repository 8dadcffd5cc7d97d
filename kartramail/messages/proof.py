"""Whether a chosen sender may be used, by what is proven of it (R-PROOF, R-LOWDELIV). Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kartramail.rules.address_syntax import shown_address, shown_domain
from kartramail.rules.providers import provider_kind
from kartramail.senders.standing import Proof, SenderStanding


@dataclass(frozen=True, slots=True)
class Answer:
    """What one sender leaves as; the fields are those of `Resolution`."""

    name: str
    send_from: str
    reply_to: str | None
    code: str
    why: str
    is_as_wanted: bool
    signing_domain: str | None = None
    return_path_domain: str | None = None


@dataclass(frozen=True, slots=True)
class Reserve:
    """The account's temporary address, whole, and the name it goes under."""

    business_name: str
    placeholder: str

    def answer(self) -> Answer:
        """What leaves where no sender is chosen anywhere."""
        return Answer(
            name=self.business_name,
            send_from=self.placeholder,
            reply_to=None,
            code="no_sender",
            why=f"No sender is chosen, so mail leaves from your temporary address "
            f"{self.placeholder}.",
            is_as_wanted=True,
        )


def judge_proof(standing: SenderStanding, other_reply_addresses: Sequence[str] = ()) -> Answer:
    """The wanted sender where it is proven and can pass, else the account's temporary address.

    R-PROOF: nobody sends as what they have not proven. R-LOWDELIV: where receivers are asked to
    refuse what does not pass DMARC, an address that cannot pass is not used. Where this sender
    gives no address that a reply can reach, the first of `other_reply_addresses` is taken.
    """
    others = tuple(other_reply_addresses)
    if standing.proof is not Proof.PLACEHOLDER and not is_own(standing.send_from):
        return _not_own(standing, others)
    match standing.proof:
        case Proof.PLACEHOLDER:
            return _chosen_placeholder(standing, others)
        case Proof.NONE:
            return _unproven(standing, others)
        case Proof.DOMAIN if standing.domain.can_pass or not standing.domain.is_lost_unsigned:
            return _signed(standing)
        case Proof.MAILBOX if not standing.domain.is_lost_unsigned:
            return _by_mailbox(standing)
        case _:
            return _could_only_be_lost(standing, others)


def is_own(address: str) -> bool:
    """Whether the address is on no provider's domain (R-BUSINESS), by the lists of today."""
    return provider_kind(address.rpartition("@")[2].lower()) is None


def wanted_reply_addresses(standing: SenderStanding) -> Iterator[str]:
    """The addresses of a sender that a reply can reach, the best first (R-NO-INBOX)."""
    for address in (standing.reply_to, standing.send_from):
        if address and _takes_mail(address, standing.placeholder):
            yield address


def _takes_mail(address: str, placeholder: str) -> bool:
    return address.lower() != placeholder.lower() and is_own(address)


def _reply_to(standing: SenderStanding, others: tuple[str, ...]) -> str | None:
    return next(iter((*wanted_reply_addresses(standing), *others)), None)


def _chosen_placeholder(standing: SenderStanding, others: tuple[str, ...]) -> Answer:
    return _from_placeholder(
        standing,
        others,
        code="placeholder",
        why=f"{standing.placeholder} is your temporary address on our domain. "
        "It is used until you give an address on a domain of your own.",
    )


def _not_own(standing: SenderStanding, others: tuple[str, ...]) -> Answer:
    return _from_placeholder(
        standing,
        others,
        code="free_provider",
        why=f"{shown_address(standing.send_from)} is on the domain of a mail provider by "
        "now, not on one of your own, so mail leaves from your temporary address "
        f"{standing.placeholder}.",
    )


def _unproven(standing: SenderStanding, others: tuple[str, ...]) -> Answer:
    if standing.domain.claimed_at is not None:
        return _from_placeholder(
            standing,
            others,
            "claimed",
            f"Another account has shown that {shown_domain(standing.domain.from_domain)} is "
            "theirs, so mail leaves from your temporary address "
            f"{standing.placeholder} and replies go to you.",
        )
    return _from_placeholder(
        standing,
        others,
        "unproven",
        f"Nobody has followed the link sent to {shown_address(standing.send_from)} yet, so mail "
        f"leaves from your temporary address {standing.placeholder} and replies go to you.",
    )


def _could_only_be_lost(standing: SenderStanding, others: tuple[str, ...]) -> Answer:
    policy = standing.domain.policy
    return _from_placeholder(
        standing,
        others,
        "dmarc_policy",
        f"{shown_domain(standing.domain.from_domain)} asks mail services to "
        f"{'refuse' if policy == 'reject' else 'put aside'} mail that is not signed by it "
        f"(its DMARC policy is “{policy}”), and it is not authenticated here. So mail leaves from "
        f"your temporary address {standing.placeholder} and replies go to you.",
    )


def _signed(standing: SenderStanding) -> Answer:
    domain = standing.domain
    return _as_wanted(
        standing,
        code="proven_domain",
        why=f"The domain {shown_domain(domain.domain or domain.from_domain)} is authenticated.",
        signing_domain=domain.domain if domain.has_signature else None,
        return_path_domain=domain.return_path,
    )


def _by_mailbox(standing: SenderStanding) -> Answer:
    return _as_wanted(
        standing,
        code="proven_mailbox",
        why=f"The mailbox {shown_address(standing.send_from)} was confirmed. Its domain is not "
        "authenticated, so fewer messages arrive than could.",
    )


def _as_wanted(
    standing: SenderStanding,
    *,
    code: str,
    why: str,
    signing_domain: str | None = None,
    return_path_domain: str | None = None,
) -> Answer:
    reply_to = standing.reply_to
    return Answer(
        name=standing.name,
        send_from=standing.send_from,
        reply_to=reply_to if reply_to and _takes_mail(reply_to, standing.placeholder) else None,
        code=code,
        why=why,
        is_as_wanted=True,
        signing_domain=signing_domain,
        return_path_domain=return_path_domain,
    )


def _from_placeholder(
    standing: SenderStanding, others: tuple[str, ...], code: str, why: str
) -> Answer:
    """The temporary address, with the wanted one as the address that replies go to."""
    return Answer(
        name=standing.name,
        send_from=standing.placeholder,
        reply_to=_reply_to(standing, others),
        code=code,
        why=why,
        is_as_wanted=standing.send_from == standing.placeholder,
    )
