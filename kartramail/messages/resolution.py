"""Who a message comes from, and why (R-RESOLVE). One function decides it for every message.

It is asked when a message is accepted (for the answer) and again at every attempt, since proof may
have come or gone meanwhile. Pure: what it needs to know is handed in.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from kartramail.senders.standing import Proof, SenderStanding


@dataclass(frozen=True, slots=True)
class Resolution:
    """The sender of one message. `code` is for programs, `why` is one sentence for people.

    `signing_domain` is the account's domain that signs, None where the platform's does.
    `return_path_domain` likewise.
    """

    name: str
    send_from: str
    reply_to: str | None
    signing_domain: str | None
    code: str
    why: str
    is_as_wanted: bool
    return_path_domain: str | None = None

    @property
    def digest(self) -> str:
        """Two equal answers have the same digest, so that an answer is stored once."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """The sender as the API shows it."""
        return {
            "name": self.name,
            "send_from": self.send_from,
            "reply_to": self.reply_to,
            "why": self.why,
        }


def resolve_sender(standing: SenderStanding) -> Resolution:
    """The wanted sender where it is proven and can pass, else the account's temporary address.

    R-PROOF: nobody sends as what they have not proven. R-LOWDELIV: where receivers are asked to
    refuse what does not pass DMARC, an address that cannot pass is not used.
    """
    match standing.proof:
        case Proof.PLACEHOLDER:
            return _chosen_placeholder(standing)
        case Proof.NONE:
            return _unproven(standing)
        case Proof.DOMAIN if standing.domain.can_pass or not standing.domain.is_lost_unsigned:
            return _signed(standing)
        case Proof.MAILBOX if not standing.domain.is_lost_unsigned:
            return _by_mailbox(standing)
        case _:
            return _could_only_be_lost(standing)


def _chosen_placeholder(standing: SenderStanding) -> Resolution:
    return _from_placeholder(
        standing,
        reply_to=standing.reply_to,
        code="placeholder",
        why=f"{standing.placeholder} is your temporary address on our domain. "
        "It is used until you give an address on a domain of your own.",
    )


def _unproven(standing: SenderStanding) -> Resolution:
    if standing.domain.claimed_at is not None:
        return _instead(
            standing,
            "claimed",
            f"Another account has shown that {standing.domain.from_domain} is theirs, so mail "
            f"leaves from your temporary address {standing.placeholder} and replies go to you.",
        )
    return _instead(
        standing,
        "unproven",
        f"Nobody has followed the link sent to {standing.send_from} yet, so mail leaves "
        f"from your temporary address {standing.placeholder} and replies go to you.",
    )


def _could_only_be_lost(standing: SenderStanding) -> Resolution:
    policy = standing.domain.policy
    return _instead(
        standing,
        "dmarc_policy",
        f"{standing.domain.from_domain} asks mail services to "
        f"{'refuse' if policy == 'reject' else 'put aside'} mail that is not signed by it "
        f"(its DMARC policy is “{policy}”), and it is not authenticated here. So mail leaves from "
        f"your temporary address {standing.placeholder} and replies go to you.",
    )


def _signed(standing: SenderStanding) -> Resolution:
    domain = standing.domain
    return _as_wanted(
        standing,
        code="proven_domain",
        why=f"The domain {domain.domain} is authenticated.",
        signing_domain=domain.domain if domain.has_signature else None,
        return_path_domain=domain.return_path,
    )


def _by_mailbox(standing: SenderStanding) -> Resolution:
    return _as_wanted(
        standing,
        code="proven_mailbox",
        why=f"The mailbox {standing.send_from} was confirmed. Its domain is not authenticated, so "
        "fewer messages arrive than could.",
    )


def _as_wanted(
    standing: SenderStanding,
    *,
    code: str,
    why: str,
    signing_domain: str | None = None,
    return_path_domain: str | None = None,
) -> Resolution:
    return Resolution(
        name=standing.name,
        send_from=standing.send_from,
        reply_to=standing.reply_to,
        signing_domain=signing_domain,
        code=code,
        why=why,
        is_as_wanted=True,
        return_path_domain=return_path_domain,
    )


def _instead(standing: SenderStanding, code: str, why: str) -> Resolution:
    """The temporary address, with the wanted one as the address that replies go to."""
    reply_to = standing.reply_to or standing.send_from
    return _from_placeholder(standing, reply_to=reply_to, code=code, why=why)


def _from_placeholder(
    standing: SenderStanding, *, reply_to: str | None, code: str, why: str
) -> Resolution:
    return Resolution(
        name=standing.name,
        send_from=standing.placeholder,
        reply_to=reply_to,
        signing_domain=None,
        code=code,
        why=why,
        is_as_wanted=standing.send_from == standing.placeholder,
    )
