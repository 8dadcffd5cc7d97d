"""Messages as programs ask for them, and what is wrong with each, judged without the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kartramail.adapters.templating import TemplateKind, compile_template
from kartramail.errors import TemplateError
from kartramail.rules.addresses import Address, AddressPolicy, judge_recipient_address
from kartramail.rules.streams import Stream

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
    asset_id: int | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one message of a request. `index` counts from 0."""

    index: int
    field: str
    code: str
    message: str


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
    if not (request.text or request.html):
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
