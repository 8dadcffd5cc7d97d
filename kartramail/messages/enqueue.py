"""The way into the outbox: checked, answered with its sender, durable before anyone is told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, insert

from kartramail.clock import now
from kartramail.ids import new_id
from kartramail.messages.answers import store_resolution
from kartramail.messages.candidates import Wanted, resolve_all
from kartramail.messages.requests import Fault, MessageRequest
from kartramail.messages.resolution import Resolution
from kartramail.outbox.contents import Words, store_contents
from kartramail.outbox.lanes import lane_id_for
from kartramail.outbox.models import Message, MessageState, SourceKind
from kartramail.rules.addresses import Address
from kartramail.rules.backoff import kept_for
from kartramail.rules.streams import Stream
from kartramail.senders.standing import known_senders


@dataclass(frozen=True, slots=True)
class Letter:
    """One message that is sound: what `enqueue_letters` puts into the outbox as it is.

    `words` are finished templates; `type` and `asset_id` name the notification and what it is from,
    `sender_id` a sender that its source names. `at`: when it may leave, None at once;
    `expires_at`: when it is of no use any more, None as long as its stream lets it wait.
    """

    to: Address
    words: Words
    variables: Mapping[str, Any]
    source_kind: SourceKind
    stream: Stream = Stream.TRANSACTIONAL
    sender_id: int | None = None
    asset_id: int | None = None
    type: str | None = None
    at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Enqueued:
    """A message that is in the outbox, and who it would come from now."""

    id: int
    state: MessageState
    sender: Resolution


def enqueue_messages(
    session: Session,
    account_id: int,
    requests: Sequence[MessageRequest],
    addresses: Sequence[Address],
    platform_domain: str,
) -> tuple[list[Enqueued], list[Fault]]:
    """Put all messages into the outbox, or none and say why. Judged by `find_faults` before."""
    named = {request.sender_id for request in requests if request.sender_id is not None}
    # Without a lock: one that is removed in this moment stands as what took its place.
    unknown = named - known_senders(session, account_id, named)
    faults = [
        Fault(index, "sender_id", "not_found", "This account has no such sender.")
        for index, request in enumerate(requests)
        if request.sender_id in unknown
    ]
    if faults:
        return [], faults
    letters = [_letter(*pair) for pair in zip(requests, addresses, strict=True)]
    return enqueue_letters(session, account_id, letters, platform_domain), []


def _letter(request: MessageRequest, to: Address) -> Letter:
    return Letter(
        to=to,
        words=(request.subject, request.text, request.html),
        variables=request.variables,
        source_kind=SourceKind.API,
        stream=request.stream,
        sender_id=request.sender_id,
        asset_id=request.asset_id,
    )


def enqueue_letters(
    session: Session, account_id: int, letters: Sequence[Letter], platform_domain: str
) -> list[Enqueued]:
    """Put these into the outbox; each is answered with who it would come from now."""
    if not letters:
        return []
    wanted = [_wanted(account_id, letter) for letter in letters]
    resolutions = resolve_all(session, set(wanted), platform_domain)
    contents = store_contents(session, account_id, [letter.words for letter in letters])
    numbers = _store_resolutions(session, account_id, resolutions.values())
    lanes = {
        stream: lane_id_for(session, account_id, stream)
        for stream in sorted({letter.stream for letter in letters})
    }
    rows = [
        _row(account_id, letter)
        | {
            "lane_id": lanes[letter.stream],
            "content_id": contents[letter.words],
            "resolved_id": numbers[id(resolutions[one])],
        }
        for letter, one in zip(letters, wanted, strict=True)
    ]
    session.connection().execute(insert(Message), rows)
    return [
        Enqueued(row["id"], row["state"], resolutions[one])
        for row, one in zip(rows, wanted, strict=True)
    ]


def _wanted(account_id: int, letter: Letter) -> Wanted:
    return Wanted(account_id, letter.sender_id, letter.asset_id, letter.type)


def _store_resolutions(
    session: Session, account_id: int, resolutions: Iterable[Resolution]
) -> dict[int, int]:
    """Their numbers by identity: many messages share an answer.

    They are written in the order of their digests, as contents are: nobody waits for each other.
    """
    distinct = {id(one): one for one in resolutions}
    ordered = sorted((one.digest, key) for key, one in distinct.items())
    return {key: store_resolution(session, account_id, distinct[key]) for _, key in ordered}


def _row(account_id: int, letter: Letter) -> dict[str, Any]:
    at = now()
    due_at = letter.at or at
    longest = due_at + kept_for(letter.stream)
    return {
        "id": new_id(),
        "account_id": account_id,
        "stream": letter.stream,
        "state": MessageState.SCHEDULED if due_at > at else MessageState.QUEUED,
        "created_at": at,
        "due_at": due_at,
        "expires_at": min(longest, letter.expires_at or longest),
        "tries": 0,
        "attempts": 0,
        "deaths": 0,
        "source_kind": letter.source_kind,
        "type": letter.type,
        "asset_id": letter.asset_id,
        "sender_id": letter.sender_id,
        "to_addr": f"{letter.to.local}@{letter.to.domain}",
        "to_key": letter.to.key,
        "to_domain": letter.to.domain,
        "variables": dict(letter.variables) or None,
    }
