"""A signed message with one octet changed where it counts."""

import random
import re
from collections.abc import Iterator

_FIELD = re.compile(rb"^([!-9;-~]+)[ \t]*:((?:[^\r]|\r\n[ \t])*)\r\n", re.MULTILINE)
_BLANKS = b" \t\r\n"


def alter_body(signed: bytes, seed: int) -> bytes:
    """One octet of the body changed for another; a body without any but blanks gets one."""
    start = len(signed.partition(b"\r\n\r\n")[0]) + 4
    places = [at for at in range(start, len(signed)) if signed[at] not in _BLANKS]
    if places:
        return _with_another(signed, random.Random(seed).choice(places))
    return (signed if b"\r\n\r\n" in signed else signed + b"\r\n") + b"x\r\n"


def alter_header(signed: bytes, seed: int) -> bytes:
    """One octet of the value of a signed field changed for another."""
    places = list(_signed_places(signed))
    return _with_another(signed, random.Random(seed).choice(places))


def _signed_places(signed: bytes) -> Iterator[int]:
    header = signed.partition(b"\r\n\r\n")[0].removesuffix(b"\r\n") + b"\r\n"
    listed = re.search(rb";h=([^;]+);", re.sub(rb"\s", b"", header))
    assert listed is not None
    names = set(listed[1].split(b":"))
    for match in _FIELD.finditer(header):
        if match[1].lower() in names:
            yield from (at for at in range(*match.span(2)) if header[at] not in _BLANKS)


def _with_another(octets: bytes, at: int) -> bytes:
    """Another octet that is no blank, and not the same but for its case."""
    other = ord("x") if octets[at : at + 1].lower() != b"x" else ord("y")
    return octets[:at] + bytes([other]) + octets[at + 1 :]
