"""What a DMARC record says (R-DMARC, RFC 9989 §4.7 and §4.8).

Read as receivers read it: unknown tags are passed over, and a mistake in one tag does not spoil
the others, but each is named.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from kartramail.rules.dns_records import Problem
from kartramail.rules.record_text import shown

PROPOSED = "v=DMARC1; p=none"
"""The record to start with: nothing changes for any mail, and the step to more is open."""

_MOST_PROBLEMS = 20

GONE = {"pct": "a percentage", "rf": "a format of reports", "ri": "an interval of reports"}
"""Tags that RFC 9989 took away, and what they set."""

ALLOWED = {
    "t": ("n", "y"),
    "adkim": ("r", "s"),
    "aspf": ("r", "s"),
    "psd": ("u", "y", "n"),
}
"""The values of the tags that take one letter; the first is what a missing or wrong one means."""

# RFC 9989 §4.8: the name in any case, the version in capitals, then a semicolon or the end.
_VERSION = re.compile(r"[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)")
_ALMOST = re.compile(r"[\s\"'“”„\ufffd]*v\s*=\s*dmarc\s*1", re.IGNORECASE)
_TAG = re.compile(r"\s*([A-Za-z]+)\s*=\s*([\x20-\x3a\x3c-\x7e]*?)\s*")
_URI = re.compile(r"[a-z][a-z0-9+.-]*:[^\s,!]+(?:![0-9]+[kmgt]?)?", re.IGNORECASE)
_MAILTO = re.compile(r"mailto:[^\s@,!]+@[^\s@,!]+(?:![0-9]+[kmgt]?)?", re.IGNORECASE)


class Policy(StrEnum):
    """What a domain asks receivers to do with mail that fails DMARC, the mildest first."""

    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"

    @property
    def one_below(self) -> "Policy":
        """What is applied while the policy is only tried (`t=y`, RFC 9989 §4.7)."""
        return Policy.QUARANTINE if self is Policy.REJECT else Policy.NONE


@dataclass(frozen=True, slots=True)
class DmarcRecord:
    """One record. `p` is NONE where receivers must take it so, whatever is written.

    `rua` are the addresses that reports go to, as URIs. `psd` is "y" for a public suffix, "n" for
    an organization that says where it begins, "u" for all others. `problems` name the mistakes.
    """

    text: str
    p: Policy
    sp: Policy | None = None
    np: Policy | None = None
    is_testing: bool = False
    is_dkim_strict: bool = False
    is_spf_strict: bool = False
    rua: tuple[str, ...] = ()
    psd: str = "u"
    problems: tuple[Problem, ...] = ()

    def applies_to(self, *, is_inherited: bool, exists: bool = True) -> Policy:
        """The policy for the record's own domain or, if `is_inherited`, for a name below it.

        `exists` is false for a name without any record (RFC 9989 §3.2.13); testing mode lowers
        the policy by one level (§4.7).
        """
        policy = self.p
        if is_inherited:
            policy = self.sp or self.p
            if not exists:
                policy = self.np or policy
        return policy.one_below if self.is_testing else policy


def is_dmarc_record(text: str) -> bool:
    """Whether receivers take this TXT record for DMARC: the version first, in capitals."""
    return _VERSION.match(text) is not None


def is_almost_dmarc_record(text: str) -> bool:
    """Whether somebody meant DMARC, but receivers pass it over (quotes, `v=dmarc1`, no `;`)."""
    return _ALMOST.match(text) is not None and not is_dmarc_record(text)


def read_dmarc_record(text: str) -> DmarcRecord | None:
    """Read one record; None for a text that receivers do not take for DMARC. Never raises."""
    if not is_dmarc_record(text):
        return None
    tags, problems = _read_tags(text)
    rua = _report_uris(tags.get("rua", ""))
    policies: dict[str, Policy | None] = {
        name: _policy(tags[name]) for name in ("p", "sp", "np") if name in tags
    }
    problems += _policy_problems(tags, policies)
    problems += _value_problems(tags, rua)
    is_broken = policies.get("p") is None or None in policies.values()
    return DmarcRecord(
        text,
        # RFC 9989 §4.10.1: without a valid p, sp or np the whole record asks for nothing.
        p=Policy.NONE if is_broken else policies["p"] or Policy.NONE,
        sp=None if is_broken else policies.get("sp"),
        np=None if is_broken else policies.get("np"),
        is_testing=tags.get("t", "").lower() == "y",
        is_dkim_strict=tags.get("adkim", "").lower() == "s",
        is_spf_strict=tags.get("aspf", "").lower() == "s",
        rua=rua,
        psd=_one_of("psd", tags),
        problems=tuple(problems[:_MOST_PROBLEMS]),
    )


def tags_of(text: str) -> tuple[tuple[str, str], ...]:
    """The tags of a record in order, each name once and in lower case, as written; without `v`."""
    return tuple((name, value) for name, value in _read_tags(text)[0].items() if name != "v")


def _read_tags(text: str) -> tuple[dict[str, str], list[Problem]]:
    tags: dict[str, str] = {}
    problems = []
    for piece in text.split(";"):
        if not piece.strip():
            continue
        match = _TAG.fullmatch(piece)
        if match is None or not match[2]:
            problems.append(_unreadable(piece.strip()))
        elif match[1].lower() in tags:
            problems.append(_doubled(match[1].lower()))
        else:
            tags[match[1].lower()] = match[2]
    return tags, problems


def _policy(value: str) -> Policy | None:
    return next((policy for policy in Policy if policy == value.lower()), None)


def _one_of(name: str, tags: dict[str, str]) -> str:
    value = tags.get(name, "").lower()
    return value if value in ALLOWED[name] else ALLOWED[name][0]


def _report_uris(value: str) -> tuple[str, ...]:
    uris = (uri.strip() for uri in value.split(","))
    return tuple(uri for uri in uris if _is_report_uri(uri))


def _is_report_uri(uri: str) -> bool:
    if uri.lower().startswith("mailto:"):
        return _MAILTO.fullmatch(uri) is not None
    return _URI.fullmatch(uri) is not None


def _policy_problems(tags: dict[str, str], policies: dict[str, Policy | None]) -> Iterator[Problem]:
    if "p" not in tags:
        yield Problem(
            "missing_policy",
            "The DMARC record does not say what should happen with mail that fails (p= is "
            "missing), so receivers do nothing.",
            "Put p=none right behind v=DMARC1; and the record is complete.",
        )
    for name, policy in policies.items():
        if policy is None:
            yield Problem(
                "syntax",
                f"{name}={shown(tags[name])} in the DMARC record is no policy, so receivers take "
                "the whole record as if it asked for nothing.",
                f"Set {name}= to none, quarantine or reject.",
            )


def _value_problems(tags: dict[str, str], rua: tuple[str, ...]) -> Iterator[Problem]:
    for name, allowed in ALLOWED.items():
        if name in tags and tags[name].lower() not in allowed:
            yield Problem(
                "ignored_value",
                f"{name}={shown(tags[name])} in the DMARC record is not a value that receivers "
                f"know, so they use {name}={allowed[0]}.",
                f"Set {name}= to {' or '.join(allowed)}, or leave it out.",
            )
    if "rua" in tags and len(rua) < len(tags["rua"].split(",")):
        yield Problem(
            "bad_report_address",
            f"rua={shown(tags['rua'])} in the DMARC record holds something that is not an address "
            "for reports, so no reports go there.",
            "Write each address with mailto: before it, with commas between them, such as "
            "rua=mailto:reports@yourcompany.com.",
        )
    for name in sorted(GONE.keys() & tags.keys()):
        yield Problem(
            "gone_tag",
            f"{name}= set {GONE[name]} in former times. Receivers that follow today's standard "
            "pass it over.",
            f"Nothing is broken; leave {name}= out when you next change the record.",
        )


def _unreadable(piece: str) -> Problem:
    return Problem(
        "ignored_value",
        f"“{shown(piece)}” in the DMARC record is not of the form name=value, so receivers "
        "pass it over.",
        "Correct that piece or take it out; each piece is name=value, with a semicolon after it.",
    )


def _doubled(name: str) -> Problem:
    return Problem(
        "syntax",
        f"{name}= stands in the DMARC record twice, and receivers may then ignore the record.",
        f"Leave one {name}= in the record.",
    )
