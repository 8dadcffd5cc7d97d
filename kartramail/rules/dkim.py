"""DKIM key records: build, read and split them (RFC 6376 §3.6.1)."""

import base64
import binascii
import re
from dataclasses import dataclass

from kartramail.rules.dns_records import Problem

TXT_STRING = 255
"""Octets that one character string of a TXT record holds at most (RFC 1035 §3.3)."""

_FWS = re.compile(r"(?:\r\n)?[ \t]+")  # RFC 6376 §2.8
_TAG = re.compile(
    r"(?P<name>[A-Za-z][A-Za-z0-9_]*)[ \t\r\n]*=[ \t\r\n]*(?P<value>[!-:<-~ \t\r\n]*)"
)
_BLANKS = " \t\r\n"


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """The tags of a key record. `public` is base64 without the blanks that RFC 6376 lets stand.

    `hashes` and `services` are empty where the record leaves them open, which allows all.
    """

    public: str
    key_type: str = "rsa"
    hashes: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def is_revoked(self) -> bool:
        """An empty key says that nothing signed with it counts any more."""
        return not self.public

    @property
    def signs_mail(self) -> bool:
        """Whether a signature of ours, rsa-sha256 for mail, is allowed by the record."""
        return (
            self.key_type == "rsa"
            and (not self.hashes or "sha256" in self.hashes)
            and (not self.services or bool({"*", "email"} & set(self.services)))
        )


def build_key_record(public: str) -> str:
    """The text of the record for `public`, the base64 of a SubjectPublicKeyInfo (RFC 5280)."""
    return f"v=DKIM1; k=rsa; p={public}"


def parse_key_record(text: str) -> KeyRecord | Problem:
    """The record that `text` is; a Problem (`not_a_record`) when verifiers would not take it.

    A revoked key is a record. The fix is left to who knows the host.
    """
    tags = _read_tags(text)
    if isinstance(tags, Problem):
        return tags
    if "=" in tags.get("v", ""):
        return _no_record("The semicolons between its parts are missing.")
    if "v" in tags and (next(iter(tags)) != "v" or tags["v"] != "DKIM1"):
        return _no_record("A key record begins with v=DKIM1, and this one does not.")
    if "p" not in tags:
        return _no_record("There is no p= in it, which holds the key.")
    public = _FWS.sub("", tags["p"])
    if not _is_base64(public):
        return _no_record("What stands after p= is not a key.")
    return KeyRecord(
        public,
        tags.get("k", "rsa").lower(),
        _read_list(tags.get("h", "")),
        _read_list(tags.get("s", "")),
        _read_list(tags.get("t", "")),
    )


def split_text(value: str, limit: int = TXT_STRING) -> tuple[str, ...]:
    """`value` in parts of at most `limit` octets of UTF-8, none within a character; "" is one."""
    parts = []
    start, used = 0, 0
    for at, char in enumerate(value):
        size = len(char.encode("utf-8", "surrogatepass"))
        if used + size > limit:
            parts.append(value[start:at])
            start, used = at, 0
        used += size
    return (*parts, value[start:])


def _read_tags(text: str) -> dict[str, str] | Problem:
    """RFC 6376 §3.2: `name=value` between semicolons, the last of which may be left out."""
    tags: dict[str, str] = {}
    specs = text.split(";")
    if len(specs) > 1 and not specs[-1].strip(_BLANKS):
        specs.pop()
    for spec in specs:
        tag = _TAG.fullmatch(spec.strip(_BLANKS))
        if tag is None:
            return _no_record("It is not a list of name=value with semicolons between them.")
        if tag["name"] in tags:
            return _no_record(f"The tag {tag['name']}= stands in it twice.")
        tags[tag["name"]] = tag["value"]
    return tags


def _read_list(value: str) -> tuple[str, ...]:
    return tuple(filter(None, (each.strip(_BLANKS).lower() for each in value.split(":"))))


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _no_record(message: str) -> Problem:
    return Problem("not_a_record", message)
