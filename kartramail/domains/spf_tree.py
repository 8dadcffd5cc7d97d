"""A domain's SPF with all that it includes, and what is wrong with it (R-SPF, RFC 7208).

Receivers judge our mail by the return path's SPF, not by this one; it is read to name its faults.
"""

from dataclasses import dataclass
from typing import Any

from kartramail.adapters.resolver import Resolver
from kartramail.domains.spf_walk import Place, SpfNode, Walk, texts_of
from kartramail.rules import spf_words as words
from kartramail.rules.dns_answers import RecordType, Unreachable
from kartramail.rules.dns_records import Problem, RecordState
from kartramail.rules.record_text import kept
from kartramail.rules.spf import (
    LONGEST_RECORD,
    MOST_LOOKUPS,
    MOST_VOID_LOOKUPS,
    SpfTerm,
    is_almost_spf_record,
    is_spf_record,
    merge_include,
    repair_spf_record,
)

__all__ = ["SpfNode", "SpfReport", "read_spf"]


@dataclass(frozen=True, slots=True)
class SpfReport:
    """What is known of a domain's SPF.

    WRONG: it fails at receivers, or protects nothing. UNREACHABLE: a part could not be checked, and
    the rest is right. `merged` is the one record to set for whoever wants the platform's include.
    With several records, `record` has one a line, and the tree is that of all of them together.
    """

    state: RecordState
    record: str | None = None
    lookups: int = 0
    void_lookups: int = 0
    problems: tuple[Problem, ...] = ()
    merged: str | None = None
    tree: SpfNode | None = None

    def as_json(self) -> dict[str, Any]:
        """The form of the API."""
        return {
            "state": self.state.value,
            "record": self.record,
            "lookups": self.lookups,
            "void_lookups": self.void_lookups,
            "problems": [
                {"code": each.code, "message": each.message, "fix": each.fix}
                for each in self.problems
            ],
            "merged": self.merged,
            "tree": self.tree.as_json() if self.tree else None,
        }


def read_spf(resolver: Resolver, domain: str, include: str, *, fresh: bool = True) -> SpfReport:
    """Read the SPF of `domain` and of all that it includes. Raises nothing.

    `include` is the host that `merged` makes room for; `merged` is None where it is in the tree
    already, and where the record would fail: `include` has no SPF record, say. `fresh` as in
    `Resolver.lookup`.
    """
    domain = domain.lower().rstrip(".")
    answer = resolver.lookup(domain, RecordType.TXT, fresh=fresh)
    if isinstance(answer, Unreachable):
        return SpfReport(RecordState.UNREACHABLE)
    texts = texts_of(answer)
    records = [text for text in texts if is_spf_record(text)]
    walk = Walk(resolver, fresh)
    if not records:
        return _without_record(domain, texts, include, walk)
    together = records[0] if len(records) == 1 else merge_include(records, "")
    tree = walk.evaluate(_root(domain), together or records[0])
    return _report(domain, records, tree, walk, include)


def _root(domain: str) -> Place:
    return Place(domain, SpfTerm("", 0), (domain,))


def _without_record(domain: str, texts: list[str], include: str, walk: Walk) -> SpfReport:
    almost = next((text for text in texts if is_almost_spf_record(text)), None)
    if almost is None:
        proposed = _if_sound(merge_include([], include), domain, walk)
        return SpfReport(RecordState.NOT_FOUND, merged=proposed)
    repaired = repair_spf_record(almost)
    return SpfReport(
        RecordState.WRONG,
        record=kept(almost),
        problems=(words.almost_record(domain, almost),),
        merged=_if_sound(merge_include([repaired], include) or repaired, domain, walk),
    )


def _report(domain: str, records: list[str], tree: SpfNode, walk: Walk, include: str) -> SpfReport:
    problems = [words.several_records(domain, records)] if len(records) > 1 else []
    if tree.lookups > MOST_LOOKUPS:
        problems.append(
            words.too_many_lookups(domain, tree.lookups, is_complete=not walk.is_cut_short)
        )
    if tree.void_lookups > MOST_VOID_LOOKUPS:
        problems.append(
            words.too_many_void_lookups(domain, tree.void_lookups, list(walk.void_names))
        )
    longest = max(len(record) for record in records)
    if longest > LONGEST_RECORD:
        problems.append(words.too_long(domain, longest))
    problems += walk.problems
    problems.sort(key=lambda problem: problem.code not in words.BREAKING)
    return SpfReport(
        _state(problems, walk),
        "\n".join(map(kept, records)),
        tree.lookups,
        tree.void_lookups,
        tuple(problems),
        _merged(records, include, tree, walk),
        tree,
    )


def _state(problems: list[Problem], walk: Walk) -> RecordState:
    if any(problem.code in words.BREAKING for problem in problems):
        return RecordState.WRONG
    return RecordState.FOUND if walk.is_complete else RecordState.UNREACHABLE


def _merged(records: list[str], include: str, tree: SpfNode, walk: Walk) -> str | None:
    is_in_it = _is_in_tree(tree, include.lower().rstrip("."))
    if is_in_it and len(records) == 1:
        return None
    return _if_sound(merge_include(records, "" if is_in_it else include), tree.domain, walk)


def _if_sound(proposed: str | None, domain: str, walk: Walk) -> str | None:
    """The record, if receivers would follow it to its end: it is read as they would read it."""
    if proposed is None or len(proposed) > LONGEST_RECORD or not walk.is_complete:
        return None
    trial = walk.again()
    tree = trial.evaluate(_root(domain), proposed)
    is_within = tree.lookups <= MOST_LOOKUPS and tree.void_lookups <= MOST_VOID_LOOKUPS
    is_broken = any(problem.code in words.BREAKING for problem in trial.problems)
    return proposed if is_within and trial.is_complete and not is_broken else None


def _is_in_tree(node: SpfNode, domain: str) -> bool:
    return any(child.domain == domain or _is_in_tree(child, domain) for child in node.children)
