"""What a caught message says, however broken or hostile it is.

Python's parser of mail raises nearly anything on hostile input (its own defects, but ValueError,
IndexError, LookupError and RecursionError as well). Here every part is read by itself, and one
that cannot be read is shown as it came: a test inbox must show exactly the mail that is wrong.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.policy import compat32, default
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

_MOST_TEXT = 2_000_000  # bytes of one body that are shown
_MOST_PARTS = 1_000
_MOST_HEADERS = 1_000
_LONGEST_HEADER = 20_000  # characters; the parser's time grows faster than these
_SUMMARY = 500  # characters of an address or a subject in the list
_UNSAFE_IN_NAME = re.compile(r'[/\\:*?"<>|]')


@dataclass(frozen=True, slots=True)
class Attachment:
    """A part that is not shown as a body. `size` in bytes, once decoded."""

    name: str
    content_type: str
    data: bytes

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data)


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in its parts. `headers` keep their order and may repeat."""

    headers: tuple[tuple[str, str], ...]
    text: str | None
    html: str | None
    attachments: tuple[Attachment, ...]

    def header(self, name: str) -> str:
        """The first header of that name; empty without one."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def summarize(raw: bytes) -> tuple[str, str]:
    """The From and the Subject of a message, decoded, for a list; empty where there is none."""
    headers = _headers(raw)
    found = {name.lower(): value[:_SUMMARY] for name, value in reversed(headers)}
    return found.get("from", ""), found.get("subject", "")


def read_letter(raw: bytes) -> Letter:
    """Take a message apart. Raises nothing."""
    nothing: Message | None = None
    message = _attempt(lambda: BytesParser(policy=compat32).parsebytes(raw), nothing)
    text: str | None = None
    html: str | None = None
    attachments: list[Attachment] = []
    for part in _leaves(message):
        content_type = _attempt(part.get_content_type, "application/octet-stream")
        is_attached = _is_attached(part)
        if content_type == "text/plain" and text is None and not is_attached:
            text = _text(part)
        elif content_type == "text/html" and html is None and not is_attached:
            html = _text(part)
        else:
            attachments.append(_attachment(part, content_type, len(attachments) + 1))
    return Letter(_headers(raw), text, html, tuple(attachments))


def split_links(text: str, base_url: str) -> list[tuple[str, str | None]]:
    """`text` in pieces, each with an address to go to where it is one of this installation."""
    own = re.compile(f"({re.escape(base_url)}/[^\\s<>\"'()]*[^\\s<>\"'().,;:!?])")
    return [
        (piece, piece if position % 2 else None)
        for position, piece in enumerate(own.split(text))
        if piece
    ]


def decode_source(raw: bytes) -> str:
    """The source for the screen: UTF-8 where it is, else every byte a character of Latin-1."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _attempt(read: Callable[[], T], instead: T) -> T:
    try:
        return read()
    except Exception:  # see the docstring of this module
        return instead


def _headers(raw: bytes) -> tuple[tuple[str, str], ...]:
    message = _attempt(lambda: BytesHeaderParser(policy=compat32).parsebytes(raw), Message())
    items = islice(message.raw_items(), _MOST_HEADERS)
    return tuple((_printable(name), _decode_header(name, str(value))) for name, value in items)


def _decode_header(name: str, value: str) -> str:
    unfolded = re.sub(r"\r?\n(?=[ \t])", "", value)
    if len(unfolded) > _LONGEST_HEADER:
        return _printable(unfolded[:_LONGEST_HEADER]) + " …"
    return _printable(
        _attempt(lambda: str(default.header_fetch_parse(name, unfolded)), unfolded)
    ).strip()


def _leaves(message: Message | None) -> Iterator[Message]:
    """Parts that hold something, in order. Not recursive: mail may be nested without end."""
    waiting = [message] if message is not None else []
    for _ in range(_MOST_PARTS):
        if not waiting:
            return
        part = waiting.pop()
        inside = part.get_payload()
        if isinstance(inside, list) and part.get_content_maintype() == "multipart":
            waiting += reversed([child for child in inside if isinstance(child, Message)])
        else:
            yield part


def _is_attached(part: Message) -> bool:
    disposition = _attempt(part.get_content_disposition, None)
    return disposition == "attachment" or bool(_attempt(part.get_filename, None))


def _data(part: Message) -> bytes:
    inside = part.get_payload()
    if isinstance(inside, list):  # a message in a message
        messages = [child for child in inside if isinstance(child, Message)]
        return b"".join(_attempt(message.as_bytes, b"") for message in messages)
    nothing: object = b""
    data = _attempt(lambda: part.get_payload(decode=True), nothing)
    return data if isinstance(data, bytes) else b""


def _text(part: Message) -> str:
    data = _data(part)[:_MOST_TEXT]
    charset = _attempt(part.get_content_charset, None) or "utf-8"
    return _printable(_attempt(lambda: data.decode(charset), data.decode("utf-8", "replace")))


def _attachment(part: Message, content_type: str, number: int) -> Attachment:
    given = _attempt(lambda: part.get_filename() or "", "")
    return Attachment(_safe_name(given, f"attachment-{number}"), content_type, _data(part))


def _safe_name(name: str, instead: str) -> str:
    """A file name without a path, control or direction characters, or a leading dot."""
    seen = "".join(c for c in _printable(name) if unicodedata.category(c)[0] != "C")
    return _UNSAFE_IN_NAME.sub("_", seen).strip(" .")[-100:].strip(" .") or instead


def _printable(text: str) -> str:
    """Without surrogates, which no page can be encoded with; raw UTF-8 in headers is read."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
