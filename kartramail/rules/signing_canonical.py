"""RFC 6376 §3.4: a header and a body in their relaxed form, the one that is hashed and signed.

Both expect CRLF as the only line end, as the transport does (adapters/transport.py). Blanks are
spaces and tabs, nothing else.
"""

import re
from functools import lru_cache

_FIELD_NAME = re.compile(rb"([!-9;-~]+) *")  # RFC 5322 §2.2, and §4.5.3 for the spaces


def relaxed_body(body: bytes) -> bytes:
    """`body` with its runs of blanks as one space, none before a line end, one line end last.

    RFC 6376 §3.4.4. An empty body, or one of blanks and empty lines, is empty.
    """
    text = _single_spaced(body)
    if text.rfind(b" \r\n") >= 0:
        text = text.replace(b" \r\n", b"\r\n")
    text = text.rstrip(b" \r\n")
    return text + b"\r\n" if text else b""


def relaxed_fields(header: bytes) -> dict[bytes, list[bytes]]:
    """The fields of `header` without their line ends, by lower-case name, each name's top first.

    RFC 6376 §3.4.2. `header` ends with its last field. Raises ValueError for a line that is
    neither a field nor the continuation of one.
    """
    fields: dict[bytes, list[bytes]] = {}
    for line in unfolded(header).split(b"\r\n"):
        shown, colon, value = line.partition(b":")
        name = _field_name(shown, colon)
        field = name + b":" + value.strip(b" ")
        if name in fields:
            fields[name].append(field)
        else:
            fields[name] = [field]
    return fields


def unfolded(header: bytes) -> bytes:
    """`header` with each field on one line and its runs of blanks as one space."""
    return _single_spaced(header.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" "))


@lru_cache(maxsize=1024)
def _field_name(shown: bytes, colon: bytes) -> bytes:
    """The lower-case name in `shown`, if there is a colon after it."""
    match = _FIELD_NAME.fullmatch(shown) if colon else None
    if match is None:
        raise ValueError("a line of the header is no field")
    return match[1].lower()


def _single_spaced(text: bytes) -> bytes:
    """`text` with its runs of blanks as one space.

    Halves the runs until there are none, which is far quicker than a regular expression; `rfind`
    sees that there are none in half the time of `in` and `replace`.
    """
    text = text.replace(b"\t", b" ")
    while text.rfind(b"  ") >= 0:
        text = text.replace(b"  ", b" ")
    return text
