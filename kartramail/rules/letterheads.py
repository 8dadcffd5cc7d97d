"""The header of all messages of one sender in one second, made once, with gaps for one's own.

It is made the ordinary way (`mime.whole`, `signing.to_be_signed`) from a message with marks in it,
and cut where the marks came out. So what it gives is what the ordinary way gives, for a recipient
that stands on one line as it is and a subject with single blanks, at a third of the work.
"""

import hashlib
import secrets
from base64 import b64encode
from binascii import b2a_base64
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple, Self

from kartramail.rules.headers import (
    Mailbox,
    address_in_ascii,
    is_written_on_one_line,
    unstructured_field,
)
from kartramail.rules.mime import Composed, Filled, MessageHeaders, whole
from kartramail.rules.signing import SigningKey, Unsigned, to_be_signed

_END_OF_HEADER = b"\r\n\r\n"
_EMPTY = b64encode(hashlib.sha256(b"").digest())
# Nobody can have written these into a name, an address or a domain before.
_TO = f"{secrets.token_hex(8)}@{secrets.token_hex(8)}"
_SUBJECT = secrets.token_hex(8)


class Letterhead:
    """What is before the content, what is signed, and the field of the signature up to its b=."""

    __slots__ = ("_field", "_head", "_octets")

    def __init__(self, head: bytes, octets: bytes, field: bytes) -> None:
        self._head, self._octets, self._field = head, octets, field

    @classmethod
    def make(
        cls, headers: MessageHeaders, shown: str, mime_header: bytes, key: SigningKey, at: datetime
    ) -> Self | None:
        """For all messages with these headers but for `to`, the subject, and the id `shown`.

        `mime_header` begins their bodies, without the empty line; `at` is the time of signing.
        None where the marks do not come out as they went in. Raises what the ordinary way raises.
        """
        marked = headers._replace(to=Mailbox(_TO))
        body = Filled(mime_header + _END_OF_HEADER, 0)
        message = whole(marked, Composed(_SUBJECT, body)).data
        unsigned = to_be_signed(message, key, at, is_relaxed=True)
        own = ((_TO, 1), (_SUBJECT, 1), (shown, 2))
        signed = _cut(unsigned.octets, *own, (_EMPTY.decode(), 1))
        head, field = _cut(message, *own), _cut(unsigned.field, (_EMPTY.decode(), 1))
        return cls(head, signed, field) if head and signed and field else None

    def unsigned(self, to: str, shown: str, subject: str, content: bytes) -> Unsigned | None:
        """The message but for its signature; None where the ordinary way must be gone.

        `content` is what follows the header of the body, in relaxed form.
        Raises UnsafeHeader for an address that is none, and for a subject with a line break.
        """
        address = address_in_ascii(to)
        written = _subject(subject)
        if written is None or not is_written_on_one_line("To", address):
            return None
        values = {
            b"to": address.encode("ascii"),
            b"subject": written.on_one_line,
            b"id": shown.encode("ascii"),
            b"hash": b2a_base64(hashlib.sha256(content).digest(), newline=False),
        }
        octets, field = self._octets % values, self._field % values
        values[b"subject"] = written.folded
        return Unsigned(octets, field, self._head % values + content)


class _Subject(NamedTuple):
    """As it is signed, and as it is sent."""

    on_one_line: bytes
    folded: bytes


def _subject(words: str) -> _Subject | None:
    """None for one that is not sent with single blanks between its words."""
    if is_written_on_one_line("Subject", words):
        written = words.encode("ascii")
        return _Subject(written, written)
    return _folded_subject(words)


@lru_cache(maxsize=1024)  # to encode it is a third of what is done for a header here
def _folded_subject(words: str) -> _Subject | None:
    folded = unstructured_field("Subject", words).removeprefix(b"Subject: ").removesuffix(b"\r\n")
    on_one_line = folded.replace(b"\r\n ", b" ")
    is_single_spaced = on_one_line == b" ".join(on_one_line.split())
    return _Subject(on_one_line, folded) if on_one_line and is_single_spaced else None


_GAPS = {_TO: b"%(to)b", _SUBJECT: b"%(subject)b", _EMPTY.decode(): b"%(hash)b"}


def _cut(octets: bytes, *marks: tuple[str, int]) -> bytes | None:
    """A template with gaps where the marks are; None unless each is there so many times."""
    octets = octets.replace(b"%", b"%%")
    for mark, count in marks:
        written = mark.encode("ascii")
        if octets.count(written) != count:
            return None
        octets = octets.replace(written, _GAPS.get(mark, b"%(id)b"))
    return octets
