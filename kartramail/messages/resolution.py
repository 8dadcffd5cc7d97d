"""Who a message comes from, and why (R-RESOLVE). One function decides it for every message.

It is asked when a message is accepted (for the answer) and again at every attempt, since proof may
have come or gone meanwhile. Pure: what it needs to know is handed in.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from kartramail.messages.proof import Answer, Reserve, judge_proof, wanted_reply_addresses
from kartramail.senders.standing import SenderStanding


class Place(StrEnum):
    """Where a sender may be chosen for a message; the first place that has one decides."""

    ASSET = "asset"
    NOTIFICATION = "notification"
    SOURCE = "source"  # named by who made the message: a program, a broadcast, a sequence
    GATEWAY = "gateway"
    PLACEHOLDER = "placeholder"


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is chosen at one place; `standing` None: nothing is."""

    place: Place
    standing: SenderStanding | None


@dataclass(frozen=True, slots=True)
class Step:
    """One link of the chain as data: a place, and who is chosen there (None: nobody).

    `is_chosen`: this place decided. `is_used`: and its sender is the one that is used; one that is
    not proven is not, and the last link, the temporary address, is used instead.
    """

    place: Place
    name: str | None
    send_from: str | None
    is_chosen: bool
    is_used: bool

    def as_json(self) -> dict[str, Any]:
        """The step as it is kept with a message and shown by the API."""
        return asdict(self) | {"place": self.place.value}


@dataclass(frozen=True, slots=True)
class Resolution:
    """The sender of one message. `code` is for programs, `why` is a sentence or two for people.

    `signing_domain` is the account's domain that signs, None where the platform's does.
    `return_path_domain` likewise. `wanted` is the send-from that was chosen, whether or not it is
    used. `chain` are all places that could have decided, in their order.
    """

    name: str
    send_from: str
    reply_to: str | None
    signing_domain: str | None
    code: str
    why: str
    is_as_wanted: bool
    return_path_domain: str | None = None
    wanted: str | None = None
    chain: tuple[Step, ...] = ()

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


_WORDS = {
    Place.ASSET: "A sender of its own was chosen for it.",
    Place.NOTIFICATION: "A sender of its own was chosen for this notification.",
    Place.SOURCE: "This sender was named for the message.",
}


def resolve_sender(standing: SenderStanding) -> Resolution:
    """Who a message leaves as when nothing but the default sender is asked."""
    return resolve((Candidate(Place.GATEWAY, standing),))


def resolve(candidates: Sequence[Candidate], reserve: Reserve | None = None) -> Resolution:
    """The first candidate that is chosen, judged by its proof; else the temporary address.

    `candidates` come in the order of R-RESOLVE. `reserve` is the account's temporary address; it
    may be left out where any candidate has a standing, which says it too. Raises ValueError with
    neither: then there is no account.
    """
    chosen = next((one for one in candidates if one.standing is not None), None)
    if chosen is None or chosen.standing is None:
        if reserve is None:
            raise ValueError("no sender and no temporary address: this is no account")
        answer = reserve.answer()
        place = Place.PLACEHOLDER
    else:
        answer = judge_proof(chosen.standing, _other_reply_addresses(candidates, chosen))
        place = chosen.place
    words = _WORDS.get(place)
    return Resolution(
        name=answer.name,
        send_from=answer.send_from,
        reply_to=answer.reply_to,
        signing_domain=answer.signing_domain,
        code=answer.code,
        why=f"{words} {answer.why}" if words else answer.why,
        is_as_wanted=answer.is_as_wanted,
        return_path_domain=answer.return_path_domain,
        wanted=chosen.standing.send_from if chosen and chosen.standing else None,
        chain=tuple(_chain(candidates, place, answer)),
    )


def _other_reply_addresses(candidates: Sequence[Candidate], chosen: Candidate) -> list[str]:
    """Where replies could go instead: what the other candidates give, in their order."""
    return [
        address
        for other in candidates
        if other is not chosen and other.standing is not None
        for address in wanted_reply_addresses(other.standing)
    ]


def _chain(candidates: Sequence[Candidate], place: Place, answer: Answer) -> Iterator[Step]:
    for candidate in candidates:
        standing, is_chosen = candidate.standing, candidate.place is place
        yield Step(
            candidate.place,
            standing.name if standing else None,
            standing.send_from if standing else None,
            is_chosen=is_chosen,
            is_used=is_chosen and answer.is_as_wanted,
        )
    is_chosen = place is Place.PLACEHOLDER
    is_used = is_chosen or not answer.is_as_wanted
    yield Step(
        Place.PLACEHOLDER,
        answer.name if is_used else None,
        answer.send_from if is_used else None,
        is_chosen=is_chosen,
        is_used=is_used,
    )


def as_platform(platform_domain: str) -> Resolution:
    """The sender of the mail system's own mails: nobody chooses it, so there is no chain."""
    return Resolution(
        name="KartraMail",
        send_from=f"notifications@{platform_domain}",
        reply_to=None,
        signing_domain=None,
        code="platform",
        why="This message is from the mail system itself.",
        is_as_wanted=True,
    )
