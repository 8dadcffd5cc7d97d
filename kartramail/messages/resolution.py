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
    """The sender of one message. `code` is for programs, `why` is one sentence for people."""

    name: str
    send_from: str
    reply_to: str | None
    signing_domain: str | None
    code: str
    why: str
    is_as_wanted: bool

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
    """The wanted sender where it is proven, else the account's temporary address (R-PROOF)."""
    if standing.proof is Proof.PLACEHOLDER:
        return _from_placeholder(
            standing,
            reply_to=standing.reply_to,
            code="placeholder",
            why=f"{standing.placeholder} is your temporary address on our domain. "
            "It is used until you give an address on a domain of your own.",
        )
    if standing.proof is Proof.NONE:
        return _from_placeholder(
            standing,
            reply_to=standing.reply_to or standing.send_from,
            code="unproven",
            why=f"Nobody has followed the link sent to {standing.send_from} yet, so mail leaves "
            f"from your temporary address {standing.placeholder} and replies go to you.",
        )
    why = (
        f"The domain of {standing.send_from} is authenticated."
        if standing.proof is Proof.DOMAIN
        else f"The mailbox {standing.send_from} was confirmed."
    )
    return Resolution(
        name=standing.name,
        send_from=standing.send_from,
        reply_to=standing.reply_to,
        signing_domain=None,
        code=f"proven_{standing.proof}",
        why=why,
        is_as_wanted=True,
    )


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
