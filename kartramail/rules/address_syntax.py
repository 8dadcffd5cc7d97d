"""Reading an address: what is written, not yet whose it is (R-BUSINESS, RFC 5321 §4.1.2).

Judged by email_validator, since `email.utils.parseaddr` mis-reads hostile input. We are stricter
where mail servers are: no quoted local parts, no SMTPUTF8, no address literals.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import idna
from email_validator import EmailNotValidError, validate_email

from kartramail.rules.domain_spelling import completed_domain
from kartramail.rules.verdict import Status, Verdict

_MAX_ADDRESS = 254  # RFC 5321 §4.5.3.1.3, without the angle brackets
_MAX_LOCAL = 64  # RFC 5321 §4.5.3.1.1
_MAX_READ = 1000  # longer text is not looked at

# Names for trials are sound in form; whether they may be used is the policy's question.
_SYNTAX_ONLY: dict[str, Any] = {
    "allow_smtputf8": False,
    "check_deliverability": False,
    "test_environment": True,
    "globally_deliverable": False,
}
_NAMED_ADDRESS = re.compile(r"[^<>]*<([^<>\s@]+@[^<>\s@]+)>\s*")
_IPV4 = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
_DOTS = ".。．｡"  # what IDNA takes for the dot between labels (UTS #46)
_AT_SIGNS = "＠﹫"

_RESERVED_EVERYWHERE = frozenset(
    {"alt", "arpa", "internal", "invalid", "local", "localhost", "onion"}
)
_RESERVED_FOR_TRIALS = frozenset({"example", "test", "example.com", "example.net", "example.org"})


@dataclass(frozen=True, slots=True)
class Address:
    """A sound address. `domain` is in lower-case A-labels, `local` as it was written."""

    local: str
    domain: str

    @property
    def text(self) -> str:
        """The address as it goes on the wire."""
        return f"{self.local}@{self.domain}"

    @property
    def display(self) -> str:
        """The address as people read it, with the domain in its own script."""
        return f"{self.local}@{shown_domain(self.domain)}"

    @property
    def key(self) -> str:
        """What two spellings of one address have in common (R-CONTACTS: compared without case)."""
        return self.text.lower()


def refusal(code: str, message: str, suggestion: str | None = None) -> Verdict:
    """A verdict that keeps the value from being saved."""
    return Verdict(Status.ERROR, code, message, suggestion)


def read_address(text: str) -> Address | Verdict:
    """Read one bare address; white space around it is ignored. Raises nothing, whatever comes."""
    if len(text) > _MAX_READ:
        return refusal("syntax", f"An address has at most {_MAX_ADDRESS} characters. Shorten it.")
    if any(_is_control(letter) for letter in text.strip(" \t\r\n\u00a0\u3000")):
        return refusal("syntax", "The address holds an invisible character. Type it again by hand.")
    bare = _without_final_dot(text.strip())
    if not bare:
        return refusal("syntax", "Type an address, such as jane@doeinc.com.")
    return _misread_shape(bare) or _read(bare)


@lru_cache(maxsize=4096)
def shown_domain(domain: str) -> str:
    """The form of an A-label domain that people read; itself where it cannot be decoded."""
    if "xn--" not in domain:
        return domain
    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain


def shown_address(text: str) -> str:
    """The form of an address that people read; any other text as it is."""
    address = read_address(text)
    return address.display if isinstance(address, Address) else text


def special_use_kind(domain: str) -> str | None:
    """`never` or `trial` for names that belong to nobody (RFC 6761, 6762, 7686, 9476), else None.

    `trial` names (.test, .example, example.com …) may be used where the operator allows them.
    """
    labels = domain.split(".")
    if labels[-1] in _RESERVED_EVERYWHERE:
        return "never"
    if labels[-1] in _RESERVED_FOR_TRIALS or ".".join(labels[-2:]) in _RESERVED_FOR_TRIALS:
        return "trial"
    return None


def _is_control(letter: str) -> bool:
    """Control and format characters, surrogates, and what Python takes for the end of a line."""
    if " " <= letter <= "~":
        return False
    return unicodedata.category(letter) in _UNWRITABLE


_UNWRITABLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def _without_final_dot(bare: str) -> str:
    """One dot after a domain says the same as none (RFC 1034 §3.1)."""
    has_one = bare[-1:] and bare[-1:] in _DOTS and bare[-2:-1] not in (*_DOTS, "@")
    return bare[:-1] if has_one and "@" in bare else bare


def _misread_shape(bare: str) -> Verdict | None:
    """What people type instead of a bare address, each named, with the way out."""
    named = _NAMED_ADDRESS.fullmatch(bare)
    if named:
        return refusal(
            "syntax",
            "Only the address itself belongs here, without a name around it.",
            _if_sound(named[1]),
        )
    if any(sign in bare for sign in _AT_SIGNS):
        plain = re.sub(f"[{_AT_SIGNS}]", "@", bare)
        return refusal("syntax", "Use the plain @ sign instead of the wide one.", _if_sound(plain))
    if "@" not in bare:
        return refusal("syntax", "An address has an @ in the middle, such as jane@doeinc.com.")
    if bare.startswith('"'):
        return refusal("syntax", "Addresses in quotation marks cannot be used. Leave them out.")
    if re.search(r"[\s,;<>()]", bare):
        return refusal("syntax", "Type one address, without spaces, commas or brackets.")
    if bare.count("@") > 1:
        return refusal("syntax", "An address has only one @. Remove the other.")
    return _misread_parts(*bare.split("@"))


def _if_sound(text: str) -> str | None:
    """Offer an address only where it would be read."""
    address = read_address(text)
    return address.display if isinstance(address, Address) else None


def _misread_parts(local: str, domain: str) -> Verdict | None:
    if not local:
        return refusal("syntax", "Something is missing before the @, such as jane@doeinc.com.")
    if not domain:
        return refusal("syntax", "A domain is missing after the @, such as jane@doeinc.com.")
    if not local.isascii():
        return refusal(
            "syntax",
            "Many mail servers take only the letters a to z, digits and . _ + - before the @. "
            "Use an address of that kind.",
        )
    if len(local) > _MAX_LOCAL:
        return refusal("syntax", f"At most {_MAX_LOCAL} characters may stand before the @.")
    if domain.startswith("[") or ":" in domain or _IPV4.fullmatch(domain):
        return refusal(
            "not_a_domain",
            f"{domain} is the address of a machine. Use an address on a domain, such as "
            "jane@doeinc.com.",
        )
    if not any(dot in domain for dot in _DOTS):
        completed = completed_domain(domain)
        if completed:
            meant = f"{local}@{completed}"
            return refusal(
                "not_a_domain",
                f"{domain} is not a whole domain. Did you mean {meant}?",
                _if_sound(meant),
            )
        return refusal(
            "not_a_domain",
            f"{domain} is not a whole domain. Add its ending, such as {domain}.com.",
        )
    return None


def _read(bare: str) -> Address | Verdict:
    local, _, typed_domain = bare.partition("@")
    domain = _wire_domain(typed_domain)
    if domain is None:
        return refusal("syntax", f"{typed_domain} cannot be a domain. Check what follows the @.")
    if not _is_valid_local(local):
        return refusal("syntax", f"{local} cannot stand before the @. Check dots and signs in it.")
    address = Address(local, domain)
    if len(address.text) > _MAX_ADDRESS:
        return refusal("syntax", f"An address has at most {_MAX_ADDRESS} characters. Shorten it.")
    if "." not in address.domain or address.domain.rpartition(".")[2].isdigit():
        return refusal(
            "not_a_domain", f"{address.domain} is not a domain. Check what follows the @."
        )
    return address


@lru_cache(maxsize=4096)
def _wire_domain(typed: str) -> str | None:
    """Return the lower-case A-labels of a domain, None where it can be none (IDNA 2008)."""
    # The validator knows no form but only a refusal for reserved endings: read them before `.com`.
    ending = ".com" if special_use_kind(typed.lower()) == "never" else ""
    try:
        found = validate_email(f"a@{typed}{ending}", **_SYNTAX_ONLY)
    except (EmailNotValidError, ValueError):
        return None
    return (found.ascii_domain or "").lower().removesuffix(ending) or None


@lru_cache(maxsize=4096)
def _is_valid_local(local: str) -> bool:
    """Judged with a short domain: decoding the real one again would cost more than all the rest."""
    try:
        validate_email(f"{local}@a.bc", **_SYNTAX_ONLY)
    except (EmailNotValidError, ValueError):
        return False
    return True
