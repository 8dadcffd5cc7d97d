"""The way into the outbox: checked, answered with its sender, durable before anyone is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, insert

from kartramail.adapters.templating import TemplateKind, compile_template
from kartramail.clock import now
from kartramail.errors import TemplateError
from kartramail.ids import new_id
from kartramail.messages.answers import store_resolution
from kartramail.messages.resolution import Resolution, resolve_sender
from kartramail.outbox.contents import Words, store_contents
from kartramail.outbox.models import Message, MessageState, SourceKind
from kartramail.rules.addresses import Address, AddressPolicy, judge_recipient_address
from kartramail.rules.backoff import lifetime
from kartramail.rules.streams import Stream
from kartramail.senders.standing import SenderStanding, gateway_standing, sender_standing

MAX_REQUEST_CODE = 200_000
"""Characters of code in all different templates of one request: about two seconds of work."""


@dataclass(frozen=True, slots=True)
class MessageRequest:
    """One message as asked for by a program. `sender_id` None means the account's default."""

    to: str
    subject: str
    text: str | None
    html: str | None
    stream: Stream = Stream.TRANSACTIONAL
    sender_id: int | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one message of a request. `index` counts from 0."""

    index: int
    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Enqueued:
    """A message that is in the outbox, and who it would come from now."""

    id: int
    state: MessageState
    sender: Resolution


def find_faults(
    requests: Sequence[MessageRequest], policy: AddressPolicy
) -> tuple[list[Address | None], list[Fault]]:
    """Judge all messages without the database: their addresses, and every fault with its index."""
    addresses: list[Address | None] = []
    faults: list[Fault] = []
    judge = _TemplateJudge()
    for index, request in enumerate(requests):
        judged = judge_recipient_address(request.to, policy)
        addresses.append(judged.address)
        if judged.address is None or judged.verdict.is_error:
            faults.append(
                Fault(index, "to", judged.verdict.code or "syntax", judged.verdict.message)
            )
        faults += _template_faults(index, request, judge)
        if request.stream is Stream.COMMERCIAL:
            faults.append(_no_consent(index, request.to))
    return addresses, faults


def _no_consent(index: int, to: str) -> Fault:
    return Fault(
        index,
        "to",
        "no_consent",
        f"There is no contact {to} who may get commercial mail. Send receipts and confirmations "
        'with "stream": "transactional"; newsletters and offers need a contact who agreed to them.',
    )


def _template_faults(index: int, request: MessageRequest, judge: "_TemplateJudge") -> list[Fault]:
    faults = []
    for name in TemplateKind:
        source = getattr(request, name)
        problem = None if source is None else judge.problem(source, name)
        if problem is not None:
            faults.append(Fault(index, name.value, "template", problem))
    if request.text is None and request.html is None:
        faults.append(Fault(index, "text", "missing", "Give text, html, or both."))
    return faults


class _TemplateJudge:
    """Judges the templates of one request, each once, and how much code there is in all of them."""

    def __init__(self) -> None:
        self._problems: dict[tuple[str, TemplateKind], str | None] = {}
        self._code = 0

    def problem(self, source: str, kind: TemplateKind) -> str | None:
        """What is wrong with it, in words; None where it can be used."""
        if (source, kind) not in self._problems:
            self._problems[source, kind] = self._judged(source, kind)
        return self._problems[source, kind]

    def _judged(self, source: str, kind: TemplateKind) -> str | None:
        if self._code <= MAX_REQUEST_CODE:
            try:
                self._code += compile_template(source, kind).code_size
            except TemplateError as error:
                self._code += len(source)  # finding a fault is work as well
                return str(error)
        if self._code <= MAX_REQUEST_CODE:
            return None
        return (
            f"The different templates of one request may have {MAX_REQUEST_CODE:,} characters of "
            "code in all, in placeholders and tags. Send fewer of them at a time, or one template "
            "with what differs in its variables."
        )


def enqueue_messages(
    session: Session,
    account_id: int,
    requests: Sequence[MessageRequest],
    addresses: Sequence[Address],
    platform_domain: str,
) -> tuple[list[Enqueued], list[Fault]]:
    """Put all messages into the outbox, or none and say why. Judged by `find_faults` before."""
    standings = _standings(session, account_id, requests, platform_domain)
    faults = [
        Fault(index, "sender_id", "not_found", "This account has no such sender.")
        for index, request in enumerate(requests)
        if standings[request.sender_id] is None
    ]
    if faults:
        return [], faults
    resolutions = {key: resolve_sender(found) for key, found in standings.items() if found}
    contents = store_contents(session, account_id, map(_words, requests))
    numbers = _store_resolutions(session, account_id, resolutions)
    rows = [
        _row(account_id, request, address)
        | {
            "content_id": contents[_words(request)],
            "resolved_id": numbers[request.sender_id],
        }
        for request, address in zip(requests, addresses, strict=True)
    ]
    session.connection().execute(insert(Message), rows)
    return [
        Enqueued(row["id"], row["state"], resolutions[request.sender_id])
        for row, request in zip(rows, requests, strict=True)
    ], []


def _standings(
    session: Session, account_id: int, requests: Sequence[MessageRequest], platform_domain: str
) -> dict[int | None, SenderStanding | None]:
    return {
        sender_id: gateway_standing(session, account_id, platform_domain)
        if sender_id is None
        else sender_standing(session, account_id, sender_id, platform_domain)
        for sender_id in {request.sender_id for request in requests}
    }


def _words(request: MessageRequest) -> Words:
    return request.subject, request.text, request.html


def _store_resolutions(
    session: Session, account_id: int, resolutions: Mapping[int | None, Resolution]
) -> dict[int | None, int]:
    """In the order of their digests, as contents are: nobody waits for each other."""
    ordered = sorted(resolutions.items(), key=lambda item: item[1].digest)
    return {key: store_resolution(session, account_id, found) for key, found in ordered}


def _row(account_id: int, request: MessageRequest, address: Address) -> dict[str, Any]:
    at = now()
    return {
        "id": new_id(),
        "account_id": account_id,
        "stream": request.stream,
        "state": MessageState.QUEUED,
        "created_at": at,
        "due_at": at,
        "expires_at": at + lifetime(request.stream),
        "tries": 0,
        "attempts": 0,
        "deaths": 0,
        "source_kind": SourceKind.API,
        "sender_id": request.sender_id,
        "to_addr": f"{address.local}@{address.domain}",
        "to_key": address.key,
        "to_domain": address.domain,
        "variables": dict(request.variables) or None,
    }
