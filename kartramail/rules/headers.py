"""Header fields as bytes that are safe on the wire and read back as what went in.

RFC 5322 §2.2 (fields, folding), §3.4 (addresses); RFC 2047 (other scripts than ASCII).
"""

import base64
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import idna

from kartramail.errors import UnsafeHeader

LINE_LENGTH = 78
"""Where lines are folded (RFC 5322 §2.1.1)."""

MAX_LINE_LENGTH = 998
"""What no line may exceed, without its CRLF (RFC 5322 §2.1.1)."""

ENCODED_LINE_LENGTH = 76
"""The limit of a line with an encoded word in it (RFC 2047 §2)."""

MAX_ENCODED_WORD = 75
"""The limit of one encoded word (RFC 2047 §2)."""

# C0, DEL, C1 and the two separators that Python, JavaScript and some servers take for line ends.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")

_FIELD_NAME = re.compile(r"[!-9;-~]{1,76}")
_MESSAGE_ID = re.compile(r"<[!-;=?A-~]{1,200}@[!-;=?A-~]{1,255}>")
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ATOMS = re.compile(rf"{_ATEXT}(?: {_ATEXT})*")
_DOT_ATOM = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
_QUOTED_LOCAL = re.compile(r'"(?:[ !#-\[\]-~]|\\[ -~])*"')
_HOST_NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)(?:\.[a-z0-9_-]{1,63})*")


class Mailbox(NamedTuple):
    """An address (`local@domain`, the domain in any script) and the name shown beside it."""

    address: str
    name: str = ""


def unstructured_field(name: str, value: str) -> bytes:
    """A field of free text, such as Subject, folded, with its CRLF.

    Raises UnsafeHeader for a control character or a line break in `value`.
    """
    text = _checked(name, value)
    if _reads_as_written(text, LINE_LENGTH - len(name) - 2):
        return _fold(f"{name}: {text}")
    return f"{name}: {_encoded_words(text, len(name) + 2)}\r\n".encode("ascii")


def token_field(name: str, value: str) -> bytes:
    """A field whose value has a grammar of its own, such as List-Unsubscribe: never encoded.

    Folded at its spaces. Raises UnsafeHeader for anything but printable ASCII, for a name that is
    no field name, and for a value that cannot be kept within 998 octets a line.
    """
    if not _FIELD_NAME.fullmatch(name):
        raise UnsafeHeader(f"{name[:80]!r} is not the name of a header field")
    text = _checked(name, value)
    if not text.isascii():
        raise UnsafeHeader(f"{name} must be plain ASCII")
    if text != " ".join(text.split()):
        raise UnsafeHeader(f"{name} has spaces at its ends or several in a row")
    return _fold(f"{name}: {text}")


@lru_cache(maxsize=4096)
def mailbox_field(name: str, mailbox: Mailbox) -> bytes:
    """A field of one address, such as From or To, with its CRLF (RFC 5322 §3.4).

    Blanks at the ends of the name go: no reader shows them, and some lose them.

    Raises UnsafeHeader for control characters anywhere, and for an address that is not one.
    """
    address = address_in_ascii(mailbox.address)
    shown = _checked(name, mailbox.name).strip(" ")
    if not shown:
        return _fold(f"{name}: {address}")
    phrase = _phrase(shown, len(name) + 2)
    last_line = len(phrase.rpartition("\n")[2]) + (0 if "\n" in phrase else len(name) + 2)
    limit = ENCODED_LINE_LENGTH if "=?" in phrase else LINE_LENGTH
    gap = " " if last_line + len(address) + 3 <= limit else "\r\n "
    return f"{name}: {phrase}{gap}<{address}>\r\n".encode("ascii")


def message_id_field(message_id: str) -> bytes:
    """The Message-ID field. Raises UnsafeHeader unless it has the form `<left@right>`."""
    if not _MESSAGE_ID.fullmatch(message_id):
        raise UnsafeHeader("a Message-ID has the form <left@right>, in ASCII without spaces")
    return f"Message-ID: {message_id}\r\n".encode("ascii")


@lru_cache(maxsize=4096)
def address_in_ascii(address: str) -> str:
    """`address` with its domain as A-labels (RFC 5891).

    Raises UnsafeHeader when it is no address that can travel without SMTPUTF8 (RFC 6531): who
    lets people type addresses judges them before, in words for people.
    """
    local, at, domain = address.rpartition("@")
    if not at or not (_DOT_ATOM.fullmatch(local) or _QUOTED_LOCAL.fullmatch(local)):
        raise UnsafeHeader("an address has the form local@domain, its local part in ASCII")
    host = domain.lower()
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise UnsafeHeader("the domain of an address is not a domain name") from error
    if len(host) > 253 or not _HOST_NAME.fullmatch(host):
        raise UnsafeHeader("the domain of an address is not a domain name")
    return f"{local}@{host}"


def is_written_on_one_line(name: str, value: str) -> bool:
    """Whether `unstructured_field` gives nothing but `name: value`, on one line."""
    return (
        0 < len(value) <= LINE_LENGTH - len(name) - 2
        and value.isascii()
        and value.isprintable()
        and "=?" not in value
        and "  " not in value
        and value[0] != " " != value[-1]
    )


def _checked(name: str, value: str) -> str:
    """`value`, if no reader could take a part of it for a line end. Half characters go."""
    if _CONTROL.search(value):
        raise UnsafeHeader(f"{name} has a line break or a control character in it")
    return value if value.isascii() else _SURROGATE.sub("\ufffd", value)


def _reads_as_written(text: str, room: int) -> bool:
    """True when ASCII `text` folds at single spaces and nobody takes it for an encoded word."""
    if not text.isascii() or "=?" in text or "  " in text or text != text.strip(" "):
        return False
    return max(map(len, text.split(" "))) <= room


def _phrase(name: str, used: int) -> str:
    """A display name: atoms, a quoted string, or encoded words (RFC 5322 §3.2.5)."""
    if _reads_as_written(name, LINE_LENGTH - used):
        if len(name) + used <= LINE_LENGTH and _ATOMS.fullmatch(name):
            return name
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        if len(quoted) + used + 2 <= LINE_LENGTH:
            return f'"{quoted}"'
    return _encoded_words(name, used)


def _fold(line: str) -> bytes:
    """`line` broken before spaces so that no line is longer than it has to be."""
    if len(line) <= LINE_LENGTH:
        return f"{line}\r\n".encode("ascii")
    words = line.split(" ")
    lines = [f"{words[0]} {words[1]}"]  # a first line of nothing but the name would be obsolete
    for word in words[2:]:
        if len(lines[-1]) + 1 + len(word) <= LINE_LENGTH:
            lines[-1] += f" {word}"
        else:
            lines.append(f" {word}")
    if max(map(len, lines)) > MAX_LINE_LENGTH:
        raise UnsafeHeader(f"{words[0]} has a word that is too long for a line of mail")
    return "\r\n".join([*lines, ""]).encode("ascii")


# What an encoded word may show as itself wherever it stands, in a phrase too (RFC 2047 §5.3).
_Q_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_Q_BYTES = tuple(
    chr(octet) if octet in _Q_PLAIN else "_" if octet == 0x20 else f"={octet:02X}"
    for octet in range(256)
)
_WORD_OVERHEAD = len("=?utf-8?q?") + len("?=")


def _encoded_words(text: str, used: int) -> str:
    """`text` as encoded words on folded lines, the first after `used` characters (RFC 2047)."""
    octets = text.encode("utf-8")
    in_q = sum(map(len, map(_Q_BYTES.__getitem__, octets)))
    in_b = (len(octets) + 2) // 3 * 4
    encode = _as_q if in_q <= in_b else _as_b
    return "\r\n ".join(encode(text, used))


def _as_q(text: str, used: int) -> Iterator[str]:
    room = _room(used)
    word = ""
    for char in text:
        shown = "".join(map(_Q_BYTES.__getitem__, char.encode("utf-8")))
        if len(word) + len(shown) > room:
            yield f"=?utf-8?q?{word}?="
            word, room = "", _room(1)
        word += shown
    yield f"=?utf-8?q?{word}?="


def _as_b(text: str, used: int) -> Iterator[str]:
    room = _room(used) // 4 * 3
    word = b""
    for char in text:
        octets = char.encode("utf-8")
        if len(word) + len(octets) > room:
            yield f"=?utf-8?b?{base64.b64encode(word).decode()}?="
            word, room = b"", _room(1) // 4 * 3
        word += octets
    yield f"=?utf-8?b?{base64.b64encode(word).decode()}?="


def _room(used: int) -> int:
    """Characters for the inside of an encoded word on a line where `used` are taken."""
    return min(MAX_ENCODED_WORD, ENCODED_LINE_LENGTH - used) - _WORD_OVERHEAD
