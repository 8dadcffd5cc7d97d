"""Records as lines of a zone file (RFC 1035 §5), which any name server and most panels take."""

import re
from collections.abc import Iterable

from kartramail.rules.dkim import split_text
from kartramail.rules.dns_answers import RecordType
from kartramail.rules.dns_records import WantedRecord

DEFAULT_TTL = 3600
_QUOTED_AS_IS = frozenset(range(0x20, 0x7F)) - frozenset(b'"\\')
_LABEL_AS_IS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_*/")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_NAMED = frozenset((RecordType.CNAME, RecordType.NS, RecordType.PTR))


def zone_line(host: str, record_type: RecordType, value: str, ttl: int = DEFAULT_TTL) -> str:
    """One record on one line, without its line end.

    `host` and the host names in `value` are absolute whether or not they end with a dot; `value` is
    the plain text for TXT, "10 mail.doeinc.com" for MX, `ttl` is in seconds.
    """
    return f"{_absolute(host)}\t{ttl}\tIN\t{record_type}\t{_data(record_type, value)}"


def zone_file(
    records: Iterable[WantedRecord], comments: Iterable[str] = (), ttl: int = DEFAULT_TTL
) -> str:
    """The records as a zone file, each comment on a line of its own before them."""
    heads = [f"; {_CONTROL.sub(' ', each)}".rstrip() for each in comments]
    lines = [zone_line(each.host, each.type, each.value, ttl) for each in records]
    return "".join(f"{line}\n" for line in [*heads, *lines])


def quoted_strings(value: str) -> str:
    """`value` as the quoted strings of one TXT record, none longer than 255 octets."""
    return " ".join(f'"{_escaped(part)}"' for part in split_text(value))


def _data(record_type: RecordType, value: str) -> str:
    if record_type is RecordType.TXT:
        return quoted_strings(value)
    if record_type in _NAMED:
        return _absolute(value)
    if record_type is RecordType.MX:
        preference, _, exchanger = value.partition(" ")
        return f"{int(preference)} {_absolute(exchanger.strip())}"
    return value


def _escaped(text: str) -> str:
    r"""RFC 1035 §5.1: `\"` and `\\`, and `\DDD` for what is not printable ASCII."""
    return "".join(
        chr(octet)
        if octet in _QUOTED_AS_IS
        else f"\\{chr(octet)}"
        if octet in b'"\\'
        else f"\\{octet:03d}"
        for octet in text.encode("utf-8", "surrogatepass")
    )


def _absolute(name: str) -> str:
    labels = name.removesuffix(".").split(".")
    return ".".join(map(_label, labels)) + "."


def _label(label: str) -> str:
    return "".join(
        chr(octet) if octet in _LABEL_AS_IS else f"\\{octet:03d}" for octet in label.encode("utf-8")
    )
