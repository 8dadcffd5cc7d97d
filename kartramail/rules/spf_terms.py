"""One term of an SPF record, and what is wrong with it (RFC 7208 §4.6.1, §5, §6, §7, §12)."""

import re
from dataclasses import dataclass, replace
from ipaddress import AddressValueError, IPv4Address, IPv6Address

ASKING = frozenset({"include", "a", "mx", "ptr", "exists", "redirect"})
"""The terms that ask DNS, and so count (RFC 7208 §4.6.4)."""

_MECHANISMS = frozenset({"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"})
_NEEDS_DOMAIN = frozenset({"include", "exists", "redirect", "exp"})
_WIDTHS = {"ip4": 32, "ip6": 128}

_SHAPE = re.compile(r"([+\-~?]?)([A-Za-z][A-Za-z0-9_.\-]*)(?:([:=/])(.*))?", re.DOTALL)
_PREFIX = re.compile(r"(?:/(0|[1-9]\d{0,2}))?(?://(0|[1-9]\d{0,2}))?")
_MACRO = re.compile(r"%(?:[%_-]|\{[slodiphcrtv]\d*r?[-.+,/_=]*\})", re.IGNORECASE)
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_TOP_LABEL = re.compile(r"(?=[A-Za-z0-9-]*[A-Za-z-])[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_GLUED = re.compile(r".[+~?-]all$", re.IGNORECASE)
_MEANT = {"ipv4": "ip4", "ip": "ip4", "ipv6": "ip6", "includes": "include", "inlcude": "include"}


@dataclass(frozen=True, slots=True)
class SpfTerm:
    """A mechanism (`-all`, `ip4:192.0.2.1`) or a modifier (`redirect=…`).

    `name` is lower case, `value` what follows it as written: for ip4 and ip6 the address or
    network, for a and mx the domain without the `prefix` after it (`/24`, `//64`). `position`
    counts characters from the start of the record. `fault` says in words what is wrong, "" if
    nothing is.
    """

    text: str
    position: int
    qualifier: str = "+"
    name: str = ""
    value: str = ""
    prefix: str = ""
    is_modifier: bool = False
    fault: str = ""

    @property
    def asks(self) -> bool:
        """Whether evaluating it takes a DNS look-up that counts."""
        return self.name in ASKING and not self.fault

    @property
    def has_macro(self) -> bool:
        """Whether the name that is looked up depends on the message (RFC 7208 §7)."""
        return "%" in self.value

    def with_fault(self, fault: str) -> "SpfTerm":
        """The same term, known to be wrong."""
        return replace(self, fault=fault)


def read_term(text: str, position: int) -> SpfTerm:
    """Read one term. Never raises: what cannot be read has a `fault`."""
    bare = SpfTerm(text, position)
    if not text.isascii() or "\ufffd" in text:
        return bare.with_fault(
            "it has letters that are not plain ASCII; a domain in another script is written as xn--"
        )
    if not text.isprintable():
        return bare.with_fault("it has a tab or another invisible character in it")
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return bare.with_fault("no term of SPF looks like this")
    sign, name, mark, rest = shape[1], shape[2].lower(), shape[3], shape[4] or ""
    if mark == "=":
        return _modifier(replace(bare, name=name, value=rest, is_modifier=True), sign)
    if mark == "/":
        rest = f"/{rest}"
    term = replace(bare, qualifier=sign or "+", name=name, value=rest)
    return _mechanism(term, has_colon=mark == ":")


def _modifier(term: SpfTerm, sign: str) -> SpfTerm:
    if term.name in _MECHANISMS:
        return term.with_fault(
            f"{term.name} takes a colon, not an equals sign; as it is, receivers ignore it"
        )
    if sign:
        return term.with_fault(f"{term.name}= may not have a {sign} before it")
    if term.name in _NEEDS_DOMAIN:
        return term.with_fault(_domain_fault(term))
    return term


def _mechanism(term: SpfTerm, *, has_colon: bool) -> SpfTerm:
    if term.name not in _MECHANISMS:
        return term.with_fault(_unknown(term))
    if term.name == "all":
        return term.with_fault("nothing may follow all") if term.value else term
    if term.name in _WIDTHS:
        return _network(term)
    term = _without_prefix(term)
    if has_colon and not term.value:
        return term.with_fault(f"the domain after {term.name}: is missing")
    if term.value or term.name in _NEEDS_DOMAIN:
        return term.with_fault(_domain_fault(term))
    return term.with_fault(_prefix_fault(term.prefix))


def _unknown(term: SpfTerm) -> str:
    meant = _MEANT.get(term.name)
    if meant:
        return f"there is no {term.name} in SPF; it is called {meant}"
    if term.name in ("redirect", "exp"):
        return f"{term.name} takes an equals sign, not a colon"
    return f"there is no {term.name} in SPF"


def _network(term: SpfTerm) -> SpfTerm:
    """`ip4:` and `ip6:` (RFC 7208 §5.6)."""
    address, slash, width = term.value.partition("/")
    if _GLUED.search(term.text):
        return term.with_fault("a blank is missing before the all at its end")
    try:
        IPv4Address(address) if term.name == "ip4" else IPv6Address(address)
    except AddressValueError:
        kind = "an IPv4" if term.name == "ip4" else "an IPv6"
        return term.with_fault(f"{address or 'nothing'} is not {kind} address")
    is_width = re.fullmatch(r"0|[1-9]\d{0,2}", width) and int(width) <= _WIDTHS[term.name]
    if slash and not is_width:
        return term.with_fault(f"{slash}{width} is not the size of a network")
    return term


def _without_prefix(term: SpfTerm) -> SpfTerm:
    """Take `/24` and `//64` off a term that may have them; macros may hold slashes too."""
    if term.name not in ("a", "mx"):
        return term
    plain = _MACRO.sub(lambda macro: "_" * len(macro[0]), term.value)
    cut = plain.find("/")
    if cut < 0:
        return term
    return replace(term, value=term.value[:cut], prefix=term.value[cut:])


def _prefix_fault(prefix: str) -> str:
    match = _PREFIX.fullmatch(prefix)
    if match is None or int(match[1] or 0) > 32 or int(match[2] or 0) > 128:
        return f"{prefix} is not the size of a network"
    return ""


def _domain_fault(term: SpfTerm) -> str:
    """What is wrong with the domain of a term; macros are judged by their form only."""
    value = term.value
    if not value:
        return f"the domain after {term.name} is missing"
    if "%" in value:
        rest = _MACRO.sub("", value)
        return f"{value} has a % that belongs to no macro" if "%" in rest else ""
    if _GLUED.search(value):
        return "a blank is missing before the all at its end"
    if re.fullmatch(r"[\d.]+|.*:.*:.*", value):
        return f"{value} is an address, which takes ip4: or ip6: before it"
    if not _is_name(value):
        return f"{value} is not the name of a domain"
    return _prefix_fault(term.prefix)


def _is_name(value: str) -> bool:
    labels = value.removesuffix(".").split(".")
    return (
        len(labels) > 1
        and len(value) <= 254
        and all(_LABEL.fullmatch(label) for label in labels)
        and _TOP_LABEL.fullmatch(labels[-1]) is not None
    )
