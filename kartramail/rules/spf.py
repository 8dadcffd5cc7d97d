"""SPF records as they are written: reading, merging and building them (R-SPF, RFC 7208).

Pure: what the records lead to in DNS is walked in `domains/spf_tree.py`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_network
from itertools import islice

from kartramail.rules.spf_terms import SpfTerm, read_term

__all__ = [
    "LONGEST_RECORD",
    "MOST_LOOKUPS",
    "MOST_VOID_LOOKUPS",
    "SpfTerm",
    "build_spf_record",
    "is_almost_spf_record",
    "is_spf_record",
    "merge_include",
    "parse_spf_record",
    "repair_spf_record",
]

MOST_LOOKUPS = 10
"""How many terms of a whole tree may ask DNS (RFC 7208 §4.6.4)."""

MOST_VOID_LOOKUPS = 2
"""How many of them may find nothing (RFC 7208 §4.6.4)."""

LONGEST_RECORD = 450
"""Octets; a longer record may not fit an answer by UDP (RFC 7208 §3.4)."""

_MOST_TERMS = 500  # what stands after them is not read; no sound record has a tenth of it

_VERSION = re.compile(r"v=spf1(?= |$)", re.IGNORECASE)
_ALMOST = re.compile(r"[\s\"'“”„\ufffd]*v\s*=\s*spf\s*1\b", re.IGNORECASE)
_TERM = re.compile(r"[^ ]+")

# From what refuses most to what lets everything through.
_STRICTEST_FIRST = "-~?"


def is_spf_record(text: str) -> bool:
    """Whether receivers take this TXT record for SPF (RFC 7208 §4.5): any case, then a space."""
    return _VERSION.match(text) is not None


def is_almost_spf_record(text: str) -> bool:
    """Whether somebody meant SPF, but receivers pass it over: quotes, `v=spf1;`."""
    return _ALMOST.match(text) is not None and not is_spf_record(text)


def parse_spf_record(text: str) -> tuple[SpfTerm, ...]:
    """The terms after the version, in order; what is wrong with one stands in its `fault`.

    Never raises. A record that is none has no terms.
    """
    if not is_spf_record(text):
        return ()
    pieces = islice(_TERM.finditer(text, len("v=spf1")), _MOST_TERMS + 1)
    terms = [read_term(piece[0], piece.start()) for piece in pieces]
    if len(terms) > _MOST_TERMS:
        terms[-1] = terms[-1].with_fault(f"the record has more than {_MOST_TERMS} terms")
    return tuple(_name_repetitions(terms))


def repair_spf_record(text: str) -> str:
    """What somebody meant who wrote an almost-record: without quotes and blanks around it."""
    rest = _ALMOST.sub("", text, count=1).strip(" \t\r\n;\"'“”„\ufffd")
    return " ".join(("v=spf1", *rest.split()))


def merge_include(records: Sequence[str], include: str) -> str | None:
    """The one record that says what all `records` say and has `include:<include>` in it.

    None if the only record has it already, and if a record cannot be understood. Of several `all`
    the most lenient stays, so that no mail that passes now is lost; `+all`, which lets anybody
    through, becomes `~all`. What receivers do not come to stays out: it would have an effect all at
    once. An empty `include` merges without adding anything.
    """
    read = [parse_spf_record(record) for record in records]
    if any(term.fault for terms in read for term in terms):
        return None
    parsed = [_live(terms) for terms in read]
    if len(parsed) == 1 and (not include or _has_include(parsed[0], include)):
        return None
    mechanisms = _mechanisms(parsed, include)
    modifiers = _modifiers(parsed)
    ending = _ending(parsed)
    return " ".join(("v=spf1", *mechanisms, *ending, *modifiers))


def build_spf_record(ips: Sequence[str]) -> str:
    """The record of a host that mail leaves from by these addresses or networks only.

    Raises ValueError for a text that is neither an address nor a network.
    """
    networks = dict.fromkeys(ip_network(ip.strip(), strict=False) for ip in ips)
    terms = [
        f"ip{network.version}:"
        + str(network.network_address if network.num_addresses == 1 else network)
        for network in networks
    ]
    return " ".join(("v=spf1", *terms, "-all"))


def _name_repetitions(terms: Iterable[SpfTerm]) -> Iterator[SpfTerm]:
    """RFC 7208 §6: `redirect` and `exp` may each stand in a record once."""
    seen = set()
    for term in terms:
        if term.is_modifier and term.name in ("redirect", "exp"):
            if term.name in seen and not term.fault:
                yield term.with_fault(f"{term.name}= stands in the record twice")
                continue
            seen.add(term.name)
        yield term


def _live(terms: tuple[SpfTerm, ...]) -> tuple[SpfTerm, ...]:
    """The terms that have an effect: up to `all`, and beside one no `redirect` (RFC 7208 §5.1)."""
    end = next((place for place, term in enumerate(terms) if term.name == "all"), None)
    if end is None:
        return terms
    after = [term for term in terms[end + 1 :] if term.is_modifier]
    return tuple(term for term in (*terms[: end + 1], *after) if term.name != "redirect")


def _has_include(terms: tuple[SpfTerm, ...], include: str) -> bool:
    wanted = include.lower().rstrip(".")
    return any(
        term.name == "include" and term.value.lower().rstrip(".") == wanted for term in terms
    )


def _mechanisms(parsed: Sequence[tuple[SpfTerm, ...]], include: str) -> list[str]:
    """All mechanisms but `all`, each once; beside other records a `redirect` is an `include`."""
    found: dict[str, str] = {}
    for terms in parsed:
        for term in terms:
            if term.name == "redirect" and _is_replaced(parsed):
                text = f"include:{term.value}"
            elif term.is_modifier or term.name == "all":
                continue
            else:
                text = term.text
            found.setdefault(text.lower().removeprefix("+"), text)
    if include and not any(_has_include(terms, include) for terms in parsed):
        found.setdefault(f"include:{include}".lower(), f"include:{include}")
    return list(found.values())


def _modifiers(parsed: Sequence[tuple[SpfTerm, ...]]) -> list[str]:
    """The modifiers, of `redirect` and `exp` only the first."""
    found: dict[str, str] = {}
    for terms in parsed:
        for term in terms:
            if not term.is_modifier or (term.name == "redirect" and _is_replaced(parsed)):
                continue
            key = term.name if term.name in ("redirect", "exp") else term.text.lower()
            found.setdefault(key, term.text)
    return list(found.values())


def _ending(parsed: Sequence[tuple[SpfTerm, ...]]) -> list[str]:
    """The `all` of the merged record; none where a `redirect` goes on instead."""
    qualifiers = [
        next((term.qualifier for term in terms if term.name == "all"), None) for terms in parsed
    ]
    if len(parsed) == 1 and qualifiers[0] is None:
        has_redirect = any(term.name == "redirect" for term in parsed[0])
        return [] if has_redirect else ["~all"]
    known = ["~" if each in (None, "+") else each for each in qualifiers] or ["~"]
    return [f"{max(known, key=_STRICTEST_FIRST.index)}all"]


def _is_replaced(parsed: Sequence[tuple[SpfTerm, ...]]) -> bool:
    """Whether a `redirect` cannot stay what it is, because the merged record has an `all`."""
    return len(parsed) > 1
