"""DKIM signatures (RFC 6376): relaxed/relaxed, rsa-sha256, the whole body. The key is handed in.

R-DKIM. What is signed is what goes over the wire: dots are stuffed after it and unstuffed before
anyone verifies (RFC 5321 §4.5.2), and nothing else is changed on the way.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from kartramail.rules.signing_canonical import relaxed_body, relaxed_fields, unfolded

LINE_LENGTH = 76
"""Where the lines of the signature are folded; only a long domain makes one longer."""

SIGNED_FIELDS = (
    *(b"from", b"sender", b"reply-to", b"subject", b"date", b"to", b"cc"),
    *(b"message-id", b"in-reply-to", b"references"),
    *(b"mime-version", b"content-type", b"content-transfer-encoding", b"content-disposition"),
    *(b"list-id", b"list-unsubscribe", b"list-unsubscribe-post"),
    *(b"feedback-id", b"auto-submitted", b"x-kartramail-message"),
)
"""What is signed wherever it occurs, in this order (RFC 6376 §5.4.1, RFC 8058 §4)."""

# Listed once more than they occur, so that nobody can add a second one, which some readers would
# show instead (RFC 6376 §5.4.2, §8.15). These also where there is none …
_CLOSED = frozenset((b"from", b"reply-to", b"subject", b"date", b"to", b"cc"))
# … and these only where there is one: relays and mailing lists may add them to what has none.
_CLOSED_WHERE_PRESENT = frozenset(
    {b"sender", b"message-id", b"mime-version", b"content-type", b"content-transfer-encoding"}
    | {b"list-unsubscribe", b"list-unsubscribe-post"}
)

_Counts = tuple[tuple[bytes, int], ...]  # the names to sign that occur, in order, and how often
_END_OF_HEADER = b"\r\n\r\n"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key that can only sign, and where its public half stands.

    `domain` (d=) and `selector` (s=) are A-labels. `sign` makes RSASSA-PKCS1-v1_5 with SHA-256
    over the bytes that it is given (RFC 6376 §3.3.1).
    """

    domain: str
    selector: str
    sign: Callable[[bytes], bytes]


class Unsigned(NamedTuple):
    """A message but for its signature: `octets` are those that the key signs."""

    octets: bytes
    field: bytes  # the signature field up to its b=
    data: bytes

    def signed(self, signature: bytes) -> bytes:
        """The whole message, with the signature in front."""
        return b"".join((self.field, _folded(b64encode(signature)), b"\r\n", self.data))


def sign_message(data: bytes, key: SigningKey, at: datetime, *, is_relaxed: bool = False) -> bytes:
    """`data`, a whole message, with a DKIM-Signature field of `key` in front, made `at` (aware).

    Raises what `to_be_signed` raises.
    """
    unsigned = to_be_signed(data, key, at, is_relaxed=is_relaxed)
    return unsigned.signed(key.sign(unsigned.octets))


def to_be_signed(
    data: bytes, key: SigningKey, at: datetime, *, is_relaxed: bool = False
) -> Unsigned:
    """What a signature of `data`, a whole message, by `key`, made `at` (aware), is over.

    A header that nothing follows, not even an empty line, gets one: some verifiers would not see
    its end. Nothing else of `data` is changed. `is_relaxed`: the caller knows that the body is in
    relaxed form.

    Assumes that every line end of `data` is CRLF; the transport refuses anything else, and a
    signature over it would not hold. Raises ValueError for a message without exactly one From,
    for a header with a line that is no field, for a naive time, and for a key whose domain or
    selector is no name in DNS.
    """
    if at.tzinfo is None:
        raise ValueError("the time of a signature must have a time zone")
    header, end, body = data.partition(_END_OF_HEADER)
    if not end:
        header = data.removesuffix(b"\r\n")
        data = header + _END_OF_HEADER
    fields = relaxed_fields(header)
    if len(fields.get(b"from", ())) != 1:
        raise ValueError("a message that is signed has exactly one From")
    counts = _counts(tuple([(name, len(each)) for name, each in fields.items()]))
    written, relaxed = _constant_tags(key.domain, key.selector, counts)
    own = (
        int(at.timestamp()),
        b64encode(hashlib.sha256(body if is_relaxed else relaxed_body(body)).digest()),
    )
    return Unsigned(_signed_octets(fields, counts, relaxed % own), written % own, data)


@lru_cache(maxsize=1024)
def _counts(found: _Counts) -> _Counts:
    """Of the names found in a header, and how often, those to sign in their order."""
    counts = dict(found)
    return tuple((name, counts[name]) for name in SIGNED_FIELDS if name in counts)


def _signed_octets(fields: dict[bytes, list[bytes]], counts: _Counts, unsigned: bytes) -> bytes:
    """What the signature is over: the fields, and `unsigned`, its own without a value of b=.

    Fields of one name from the bottom up (RFC 6376 §5.4.2), the last one without a line end
    (§3.7). A field that is listed and is not there counts as nothing.
    """
    signed: list[bytes] = []
    for name, count in counts:
        signed += fields[name] if count == 1 else reversed(fields[name])
    signed.append(unsigned)
    return b"\r\n".join(signed)


@lru_cache(maxsize=4096)
def _constant_tags(domain: str, selector: str, counts: _Counts) -> tuple[bytes, bytes]:
    """The field up to its b=, to be filled in with t= and bh=: as it is written, and relaxed.

    The same for all messages of one shape by one key.
    """
    if not _NAME.fullmatch(domain) or not _NAME.fullmatch(selector):
        raise ValueError("the domain and the selector of a signing key are names in DNS")
    tags = (b" d=" + domain.encode("ascii") + b";", b" s=" + selector.encode("ascii") + b";")
    names = list(_listed_names(dict(counts)))
    listed = [name + b":" for name in names[:-1]] + [names[-1] + b";"]
    lines = chain(_lines(tags), _lines((b" h=", *listed)))
    value = b"v=1; a=rsa-sha256; c=relaxed/relaxed; t=%d;\r\n" + b"".join(
        line + b"\r\n" for line in lines
    )
    value += b" bh=%b;\r\n b="
    return b"DKIM-Signature: " + value, b"dkim-signature:" + unfolded(value)


def _listed_names(counts: Mapping[bytes, int]) -> Iterator[bytes]:
    for name in SIGNED_FIELDS:
        count = counts.get(name, 0)
        is_closed = name in _CLOSED or (name in _CLOSED_WHERE_PRESENT and count > 0)
        yield from (name,) * (count + is_closed)


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """`pieces` put together to lines that begin with a space, as few as there can be."""
    line = b""
    for piece in pieces:
        if line and len(line) + len(piece) > LINE_LENGTH:
            yield line
            line = b" " + piece.lstrip()
        else:
            line += piece
    yield line


def _folded(value: bytes) -> bytes:
    """The value of b=, after " b=" on its first line."""
    first = LINE_LENGTH - len(" b=")
    rest = range(first, len(value), LINE_LENGTH - 1)
    return b"\r\n ".join([value[:first], *[value[at : at + LINE_LENGTH - 1] for at in rest]])
