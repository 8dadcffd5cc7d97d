"""A domain as somebody types it: read, and judged as a place to send from (R-DOMAIN, R-BUSINESS).

An address on the domain is judged by the very rules of addresses, so that a domain is refused for
the same reasons, with the same codes, as an address on it would be.
"""

import re
from dataclasses import dataclass

from kartramail.rules.address_syntax import refusal, shown_domain
from kartramail.rules.addresses import AddressPolicy, judge_business_address
from kartramail.rules.verdict import Verdict

_LIKELY_LOCAL = "hello"  # stands before the @ while a domain is judged as an address
_AROUND = re.compile(r"^[a-z][a-z0-9+.-]*://|[/?#].*$|:\d*$", re.IGNORECASE | re.DOTALL)
_MAX_READ = 1000


@dataclass(frozen=True, slots=True)
class JudgedDomain:
    """A verdict, and the domain in A-labels where one could be read and may be used."""

    domain: str | None
    verdict: Verdict


def judge_domain(text: str, policy: AddressPolicy) -> JudgedDomain:
    """Judge a domain that somebody wants to send from.

    What stands around it is left away: a web address, an address of mail, "www.", a final dot.
    """
    typed = _bare(text)
    if not typed:
        return JudgedDomain(
            None, refusal("syntax", "Type the domain that your mail comes from: yourbusiness.com.")
        )
    judged = judge_business_address(f"{_LIKELY_LOCAL}@{typed}", policy)
    if judged.address is None or judged.verdict.is_error:
        return JudgedDomain(None, _about_the_domain(judged.verdict))
    return JudgedDomain(judged.address.domain, _about_the_domain(judged.verdict))


def show_domain(domain: str) -> str:
    """The domain as people read it, in its own script."""
    return shown_domain(domain)


def _bare(text: str) -> str:
    typed = text.strip()[:_MAX_READ]
    while (cut := _AROUND.sub("", typed)) != typed:
        typed = cut
    typed = typed.rpartition("@")[2].strip().rstrip(".")
    return typed[4:] if typed.lower().startswith("www.") and typed.count(".") > 1 else typed


def _about_the_domain(verdict: Verdict) -> Verdict:
    """The verdict on the address as one on its domain: nobody typed what stands before the @."""
    before = f"{_LIKELY_LOCAL}@"
    return Verdict(
        verdict.status,
        verdict.code,
        verdict.message.replace(before, ""),
        verdict.suggestion.removeprefix(before) if verdict.suggestion else None,
    )
