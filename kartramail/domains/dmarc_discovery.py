"""Which DMARC policy holds for mail from a domain, by RFC 9989's tree walk (R-DMARC)."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from kartramail.adapters.resolver import Resolver
from kartramail.domains.dmarc_walk import Walked, walk_up
from kartramail.rules import dmarc_problems as problems_of
from kartramail.rules.dmarc import (
    DmarcRecord,
    Policy,
    explain,
    governing_domain,
    is_almost_dmarc_record,
    is_dmarc_record,
    organization_of,
)
from kartramail.rules.dns_answers import Absent, Found, RecordType
from kartramail.rules.dns_records import Problem, RecordState
from kartramail.rules.record_text import LONGEST_KEPT, kept

BREAKING_CODES = frozenset({"several_records", "syntax", "missing_policy"})
"""The problems that make a record count for nothing."""


@dataclass(frozen=True, slots=True)
class DmarcReport:
    """What is known of the DMARC of mail From: exactly this domain.

    `policy` is the one that receivers apply, None where it could not be checked. `found_at` is the
    domain whose record it is. `organizational_domain` is None where the walk did not get to know
    it. WRONG: there is a record, but receivers ignore it or a part of it.
    """

    state: RecordState
    record: str | None = None
    policy: Policy | None = None
    found_at: str | None = None
    organizational_domain: str | None = None
    is_dkim_strict: bool = False
    is_spf_strict: bool = False
    problems: tuple[Problem, ...] = ()
    explanation: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The form of the API."""
        return {
            "state": self.state.value,
            "record": self.record,
            "policy": self.policy.value if self.policy else None,
            "found_at": self.found_at,
            "organizational_domain": self.organizational_domain,
            "is_dkim_strict": self.is_dkim_strict,
            "is_spf_strict": self.is_spf_strict,
            "problems": [
                {"code": each.code, "message": each.message, "fix": each.fix}
                for each in self.problems
            ],
            "explanation": list(self.explanation),
        }


def discover_dmarc(resolver: Resolver, domain: str, *, fresh: bool = True) -> DmarcReport:
    """Find the record that governs `domain` and what it means. Raises nothing.

    At most eight names are asked for a record, one more for a misplaced one, and three for whether
    the domain exists where that makes a difference (`np`). `fresh` as in `Resolver.lookup`.
    """
    domain = domain.lower().rstrip(".")
    walk = walk_up(resolver, domain, fresh=fresh)
    if walk.unreachable and domain not in walk.found:
        return _unreachable(domain, walk)
    problems = list(walk.problems)
    if domain not in walk.found and domain not in walk.discarded:
        problems += _misplaced(resolver, domain, fresh)
    governing = domain if domain in walk.found else governing_domain(domain, walk.found)
    if governing is None:
        return _without_record(domain, walk, problems)
    return _governed(resolver, domain, governing, walk, problems, fresh)


def _unreachable(domain: str, walk: Walked) -> DmarcReport:
    """Nothing is known of the policy, but what was seen at the domain itself is certain."""
    discarded = walk.discarded.get(domain)
    problem = problems_of.unreachable(walk.unreachable or domain)
    return DmarcReport(
        RecordState.WRONG if discarded else RecordState.UNREACHABLE,
        record="\n".join(map(kept, discarded)) if discarded else None,
        problems=(*walk.problems, problem),
    )


def _without_record(domain: str, walk: Walked, problems: list[Problem]) -> DmarcReport:
    discarded = next(iter(walk.discarded.values()), None)
    return DmarcReport(
        RecordState.WRONG if discarded else RecordState.NOT_FOUND,
        record="\n".join(map(kept, discarded)) if discarded else None,
        policy=Policy.NONE,
        problems=tuple(problems),
        explanation=explain(None, domain),
    )


def _governed(
    resolver: Resolver,
    domain: str,
    governing: str,
    walk: Walked,
    problems: list[Problem],
    fresh: bool,
) -> DmarcReport:
    record = walk.found[governing]
    problems += record.problems
    is_long = len(record.text) > LONGEST_KEPT
    if not is_long and all(problem.code == "gone_tag" for problem in record.problems):
        problems += _strict_reading(record.text, governing)
    is_inherited = governing != domain
    exists = not _depends_on_existence(record, is_inherited) or _exists(resolver, domain, fresh)
    policy: Policy | None = None
    explanation: tuple[str, ...] = ()
    if exists is not None:
        policy = record.applies_to(is_inherited=is_inherited, exists=exists)
        explanation = explain(record, domain, governing, exists=exists)
    return DmarcReport(
        _state(problems, policy),
        kept(record.text),
        policy,
        governing,
        _organization(domain, walk),
        record.is_dkim_strict,
        record.is_spf_strict,
        tuple(problems),
        explanation,
    )


def _state(problems: list[Problem], policy: Policy | None) -> RecordState:
    if any(problem.code in BREAKING_CODES for problem in problems):
        return RecordState.WRONG
    return RecordState.UNREACHABLE if policy is None else RecordState.FOUND


def _organization(domain: str, walk: Walked) -> str | None:
    return None if walk.unreachable else organization_of(domain, walk.found)


def _depends_on_existence(record: DmarcRecord, is_inherited: bool) -> bool:
    return (
        is_inherited
        and len({record.applies_to(is_inherited=True, exists=exists) for exists in (True, False)})
        > 1
    )


def _exists(resolver: Resolver, domain: str, fresh: bool) -> bool | None:
    """Whether the name has addresses or mail (RFC 9989 §3.2.13); None if that is not known."""
    kinds = (RecordType.MX, RecordType.A, RecordType.AAAA)
    is_certain = True
    for kind in kinds:
        answer = resolver.lookup(domain, kind, fresh=fresh)
        if isinstance(answer, Found):
            return True
        is_certain = is_certain and isinstance(answer, Absent)
    return False if is_certain else None


def _misplaced(resolver: Resolver, domain: str, fresh: bool) -> list[Problem]:
    """A DMARC record at the domain itself, where no receiver looks."""
    answer = resolver.lookup(domain, RecordType.TXT, fresh=fresh)
    texts = [record.text for record in answer.records] if isinstance(answer, Found) else []
    if not any(is_dmarc_record(text) or is_almost_dmarc_record(text) for text in texts):
        return []
    return [problems_of.misplaced(domain)]


def _strict_reading(text: str, domain: str) -> list[Problem]:
    """What checkdmarc's grammar says of a record that we found nothing in.

    Addresses for reports are left out: for those it would ask DNS by itself. The import takes half
    a second, so it waits until there is a record to read.
    """
    checkdmarc = import_module("checkdmarc.dmarc")
    pieces = (piece.strip() for piece in text.split(";"))
    judged = [piece for piece in pieces if piece and not _is_about_reports(piece)]
    try:
        checkdmarc.parse_dmarc_record("; ".join(judged), domain)
    except checkdmarc.DMARCError as error:
        return [problems_of.not_by_the_book(domain, str(error))]
    return []


def _is_about_reports(piece: str) -> bool:
    return piece.partition("=")[0].strip().lower() in ("rua", "ruf")
