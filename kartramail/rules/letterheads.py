"""The header of all messages of one sender in one second, made once, with gaps for one's own.

It is made the ordinary way (`mime.whole`, `signing.to_be_signed`) from a message with marks in it,
and cut where the marks came out. So what it gives is what the ordinary way gives, for a recipient
and a subject that stand on one line as they are, at a third of the work.
"""

import hashlib
import secrets
from base64 import b64encode
from binascii import b2a_base64
from datetime import datetime
from typing import Self

from kartramail.rules.headers import Mailbox, address_in_ascii, is_written_on_one_line
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
        Raises UnsafeHeader for an address that is none.
        """
        address = address_in_ascii(to)
        if not (
            is_written_on_one_line("To", address) and is_written_on_one_line("Subject", subject)
        ):
            return None
        values = {
            b"to": address.encode("ascii"),
            b"subject": subject.encode("ascii"),
            b"id": shown.encode("ascii"),
            b"hash": b2a_base64(hashlib.sha256(content).digest(), newline=False),
        }
        return Unsigned(self._octets % values, self._field % values, self._head % values + content)


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
