"""A message as bytes: compiled once for a source, filled in once for a recipient.

What all recipients share (bodies without variables, their transfer encoding, the boundary) is
built by `compile_message`; `CompiledMessage.fill` adds what is one recipient's. The result is
7-bit, has CRLF everywhere and no line over 998 octets, so nothing on the way has a reason to
change it, and a signature over it stays good.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import NamedTuple, Protocol

from kartramail.errors import UnsafeHeader
from kartramail.rules.headers import (
    Mailbox,
    mailbox_field,
    message_id_field,
    token_field,
    unstructured_field,
)
from kartramail.rules.mime_bodies import BOUNDARY, encode_part, is_plain
from kartramail.rules.mime_gap_plans import GapPlan, HasGaps
from kartramail.rules.mime_gaps import plan_gaps


class Renderable(Protocol):
    """A text with or without gaps to fill, such as a compiled template."""

    @property
    def is_constant(self) -> bool:
        """True when `render` gives the same for every recipient, at any time."""

    def render(self, variables: Mapping[str, object], /) -> str:
        """The text for one recipient."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A text without gaps."""

    words: str

    @property
    def is_constant(self) -> bool:
        """Always."""
        return True

    def render(self, _variables: Mapping[str, object], /) -> str:
        """The text."""
        return self.words


@dataclass(frozen=True, slots=True)
class MessageSource:
    """What is said: the same for all recipients but for its variables."""

    subject: Renderable
    text: Renderable | None = None
    html: Renderable | None = None


class MessageHeaders(NamedTuple):
    """What is one message's own. `message_id` in angle brackets, `date` aware.

    `extra` are further fields in ASCII (X-KartraMail-Message, Feedback-ID, List-Unsubscribe …).
    """

    sender: Mailbox
    to: Mailbox
    message_id: str
    date: datetime
    reply_to: Mailbox | None = None
    extra: tuple[tuple[str, str], ...] = ()


class Filled(NamedTuple):
    """A header, a body or both, as bytes.

    `plain_from`: all octets from there on are known to be plain, so that nobody need look through
    them again; None where nothing is known. Plain is a body in the relaxed form of RFC 6376 §3.4.4,
    in whole lines none of which begins with a dot: as it is signed, and as it is sent.
    """

    data: bytes
    plain_from: int | None


class Composed(NamedTuple):
    """What one message says: its subject, and its body with the MIME header in front."""

    subject: str
    body: Filled


@dataclass(frozen=True, slots=True)
class _Part:
    """One body. `entity` is its header and content where they are the same for everybody.

    `plans` are the quick ways to it, for most values of most templates.
    """

    subtype: str
    content: Renderable
    entity: Filled | None
    plans: tuple[GapPlan, ...]

    def fill(self, variables: Mapping[str, object]) -> Filled:
        if self.entity is not None:
            return self.entity
        for plan in self.plans:
            planned = plan.fill(variables)
            if planned is not None:
                return Filled(planned, plan.plain_from)
        return _encoded(self.subtype, self.content.render(variables))


@dataclass(frozen=True, slots=True)
class CompiledMessage:
    """A source, ready to be filled in. Made by `compile_message`; safe to share by threads."""

    subject: Renderable
    parts: tuple[_Part, ...]
    body: Filled | None

    def fill(self, headers: MessageHeaders, variables: Mapping[str, object]) -> bytes:
        """The whole message for one recipient, header and body.

        Raises what `compose` and `whole` raise.
        """
        return whole(headers, self.compose(variables)).data

    def compose(self, variables: Mapping[str, object]) -> Composed:
        """The words for one recipient.

        Raises whatever the templates raise (TemplateError) for these variables.
        """
        body = self.body or _join([part.fill(variables) for part in self.parts])
        return Composed(self.subject.render(variables), body)


def whole(headers: MessageHeaders, composed: Composed) -> Filled:
    """The whole message, header and body.

    Raises UnsafeHeader for a value that would break out of its header.
    """
    head, body = _head(headers, composed.subject), composed.body
    return Filled(head + body.data, None if body.plain_from is None else len(head))


def compile_message(source: MessageSource) -> CompiledMessage:
    """Do once what all recipients of `source` share. Without text and HTML the body is empty."""
    bodies = [("plain", source.text), ("html", source.html)]  # the plainest first, RFC 2046 §5.1.4
    parts = tuple(_compile_part(kind, body) for kind, body in bodies if body is not None)
    parts = parts or (_compile_part("plain", Fixed("")),)
    entities = [part.entity for part in parts if part.entity is not None]
    return CompiledMessage(
        source.subject, parts, _join(entities) if len(entities) == len(parts) else None
    )


def _compile_part(subtype: str, content: Renderable) -> _Part:
    if content.is_constant:
        return _Part(subtype, content, _encoded(subtype, content.render({})), ())
    filling = content.filling if isinstance(content, HasGaps) else None
    return _Part(subtype, content, None, plan_gaps(subtype, filling) if filling else ())


def _encoded(subtype: str, text: str) -> Filled:
    entity = encode_part(subtype, text)
    return Filled(entity, 0 if is_plain(entity.partition(b"\r\n\r\n")[2]) else None)


def _head(headers: MessageHeaders, subject: str) -> bytes:
    fields = [
        mailbox_field("From", headers.sender),
        mailbox_field("To", headers.to),
        unstructured_field("Subject", subject),
        _date_field(headers.date.replace(microsecond=0)),
        message_id_field(headers.message_id),
    ]
    if headers.reply_to is not None:
        fields.insert(2, mailbox_field("Reply-To", headers.reply_to))
    fields += [_extra_field(name, value) for name, value in headers.extra]
    fields.append(b"MIME-Version: 1.0\r\n")
    return b"".join(fields)


_OWN_FIELDS = frozenset(
    {"from", "sender", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id"}
    | {"mime-version", "content-type", "content-transfer-encoding"}
)


@lru_cache(maxsize=1024)
def _extra_field(name: str, value: str) -> bytes:
    if name.lower() in _OWN_FIELDS:
        raise UnsafeHeader(f"{name} is set by KartraMail, it cannot be an extra field")
    return token_field(name, value)


@lru_cache(maxsize=16)
def _date_field(date: datetime) -> bytes:
    if date.tzinfo is None:
        raise ValueError("the date of a message must have a time zone")
    return f"Date: {format_datetime(date)}\r\n".encode("ascii")


_OPENING = b'Content-Type: multipart/alternative; boundary="' + BOUNDARY + b'"\r\n'
_DELIMITER = b"\r\n--" + BOUNDARY


def _join(entities: Iterable[Filled]) -> Filled:
    """One entity as it is, or several as alternatives of each other (RFC 2046 §5.1.4)."""
    first, *others = entities
    if not others:
        return first
    pieces = [_OPENING]
    for entity in (first, *others):
        pieces += (_DELIMITER, b"\r\n", entity.data)
    pieces += (_DELIMITER, b"--\r\n")
    is_known = all(entity.plain_from is not None for entity in (first, *others))
    return Filled(b"".join(pieces), 0 if is_known else None)
