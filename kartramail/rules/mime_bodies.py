"""A text as a body of mail that nothing on the way has a reason to change.

RFC 2045 §6 (transfer encodings), RFC 5322 §2.1.1 (length of lines).
"""

import binascii
import re

from kartramail.rules.headers import MAX_LINE_LENGTH
from kartramail.rules.signing_canonical import relaxed_body

BOUNDARY = b"=_kartramail"
"""Between parts. Quoted-printable and base64 cannot contain `=_` (RFC 2045 §6.7), and a body that
does is never sent as it is: so one boundary is right for every message."""


def encode_part(subtype: str, text: str) -> bytes:
    """`text` as an entity of type text/`subtype`: header, empty line, content that ends in CRLF.

    Line ends of every kind become CRLF, NUL and half characters U+FFFD; a text that does not end
    its last line gets a line end.
    """
    octets = _in_lines(text)
    if octets.isascii() and travels_as_it_is(octets):
        charset, encoding, content = b"us-ascii", b"7bit", octets.replace(b"\n", b"\r\n")
    else:
        charset = b"utf-8"
        encoding, content = _encoded(octets)
    return entity_header(subtype, charset, encoding) + content


def entity_header(subtype: str, charset: bytes, encoding: bytes) -> bytes:
    """The header of an entity of type text/`subtype`, and the empty line after it."""
    return (
        b'Content-Type: text/%b; charset="%b"\r\n' % (subtype.encode("ascii"), charset)
        + b"Content-Transfer-Encoding: %b\r\n\r\n" % encoding
    )


def _in_lines(text: str) -> bytes:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    octets = text.replace("\0", "\ufffd").encode("utf-8", "surrogatepass")
    if not octets.isascii() and b"\xed" in octets:  # only then can there be a surrogate
        octets = re.sub("[\ud800-\udfff]", "\ufffd", text.replace("\0", "\ufffd")).encode()
    return octets if not octets or octets.endswith(b"\n") else octets + b"\n"


def is_plain(content: bytes) -> bool:
    """Whether whole lines, as `encode_part` makes them, are the same when signed and when sent.

    In the relaxed form of RFC 6376 §3.4.4, and without a dot to be doubled (RFC 5321 §4.5.2).
    """
    has_dot = content.startswith(b".") or b"\n." in content
    return not has_dot and relaxed_body(content) == content


_PRINTABLE = bytes([0x09, 0x0A, *range(0x20, 0x7F)])


def travels_as_it_is(octets: bytes) -> bool:
    """True when no server, filter or mailbox on the way has a reason to touch these ASCII lines.

    Trailing blanks get lost, "From " gets a ">" in mbox files: both would break a signature.
    """
    return (
        not octets.translate(None, _PRINTABLE)
        and max(map(len, octets.split(b"\n"))) <= MAX_LINE_LENGTH
        and not any(trap in octets for trap in (b" \n", b"\t\n", b"\nFrom ", b"--=_"))
        and not octets.startswith(b"From ")
    )


def is_quoted_shorter(octets: bytes) -> bool:
    """Whether quoted-printable is shorter than base64 for these lines, or as long.

    Each octet that it quotes costs two more; base64 costs a third of the whole.
    """
    strange = len(octets.translate(None, _PRINTABLE)) + octets.count(b"=")
    return strange * 6 <= len(octets)


def _encoded(octets: bytes) -> tuple[bytes, bytes]:
    """The transfer encoding that is shorter, and the content in it (RFC 2045 §6.7, §6.8)."""
    if is_quoted_shorter(octets):
        return b"quoted-printable", quoted(octets).replace(b"\n", b"\r\n")
    lines = binascii.b2a_base64(octets.replace(b"\n", b"\r\n"), newline=False)
    return b"base64", b"".join(
        lines[start : start + 76] + b"\r\n" for start in range(0, len(lines), 76)
    )


SOFT_BREAK = b"=\n"
"""A line break of quoted-printable that is none of the text (RFC 2045 §6.7 (5))."""

_BLANK_PAST_THE_MARGIN = re.compile(rb"^(.{74,75})(=20|=09)$", re.MULTILINE)
_LEADING_DOTS = re.compile(rb"^\.+", re.MULTILINE)
_LAST_IN_FULL_LINE = re.compile(rb"(=[0-9A-F]{2}|.)\Z")


def quoted(octets: bytes) -> bytes:
    """`octets` in quoted-printable, its lines ended by LF and after the last one room for a "=".

    With what binascii leaves open: it lets a guarded blank stand past column 76, and guards neither
    "From " nor a dot at the beginning of a line (RFC 5321 §4.5.2).
    """
    text = binascii.b2a_qp(octets, istext=True)
    if b" \n" in octets or b"\t\n" in octets or octets.endswith((b" ", b"\t")):
        text = _BLANK_PAST_THE_MARGIN.sub(rb"\1=\n\2", text)
    text = (b"\n" + text).replace(b"\nFrom ", b"\n=46rom=\n ")[1:]
    if b"\n." in text or text.startswith(b"."):
        text = _LEADING_DOTS.sub(lambda dots: b"=2E=\n" * len(dots[0]), text)
    if len(text) - text.rfind(b"\n") > _LONGEST_QUOTED:
        text = _LAST_IN_FULL_LINE.sub(rb"=\n\1", text)
    return text


_LONGEST_QUOTED = 76  # characters of a line (RFC 2045 §6.7 (5)), and here of its line feed before
