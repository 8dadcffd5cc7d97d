"""The walk over a tree of SPF records, within bounds that no record can stretch (RFC 7208 §4.6.4).

Receivers stop at ten look-ups; we go on a little, to say how many there are, and then stop too.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from kartramail.adapters.resolver import Resolver
from kartramail.rules import spf_words as words
from kartramail.rules.dns_answers import (
    Absent,
    Answer,
    Found,
    MailExchanger,
    Record,
    RecordType,
    TextRecord,
    Unreachable,
)
from kartramail.rules.dns_records import Problem, RecordState
from kartramail.rules.record_text import kept
from kartramail.rules.spf import SpfTerm, is_spf_record, parse_spf_record

MOST_QUESTIONS = 25
"""Questions to DNS for one tree; more than ten terms that ask are too many anyway."""

_DEEPEST = 10
_MOST_FAILURES = 3  # after so many look-ups without an answer the rest is not waited for
_LONGEST = 20.0  # seconds for a whole tree, as receivers wait (RFC 7208 §4.6.4)
_MOST_PROBLEMS = 20
_MOST_MAIL_HOSTS = 10  # RFC 7208 §4.6.4


@dataclass(frozen=True, slots=True)
class SpfNode:
    """One record of the tree. `term` led to it ("" at the root).

    `lookups` and `void_lookups` count the terms of this record and of all below it.
    """

    domain: str
    record: str | None
    term: str
    lookups: int
    void_lookups: int
    state: RecordState
    children: tuple["SpfNode", ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The node and all below it as plain JSON."""
        return {
            "domain": self.domain,
            "record": self.record,
            "term": self.term,
            "lookups": self.lookups,
            "void_lookups": self.void_lookups,
            "state": self.state.value,
            "children": [child.as_json() for child in self.children],
        }


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the tree a record stands: its domain, the term that led there, the way to it.

    `is_end` says whether its `all` decides for the root (the root, and where it redirects to).
    """

    domain: str
    term: SpfTerm
    path: tuple[str, ...]
    is_end: bool = True


@dataclass(slots=True)
class Walk:
    """One walk over a tree: what was asked, what is left to ask, and what was noticed."""

    resolver: Resolver
    fresh: bool
    failures: int = 0
    is_cut_short: bool = False
    problems: list[Problem] = field(default_factory=list)
    void_names: dict[str, None] = field(default_factory=dict)
    _left: int = MOST_QUESTIONS
    _deadline: float = field(default_factory=lambda: time.monotonic() + _LONGEST)
    _answers: dict[tuple[str, RecordType], Answer[Record]] = field(default_factory=dict)

    def again(self) -> "Walk":
        """A walk over another record of the same domain: what was asked is not asked anew."""
        return Walk(self.resolver, self.fresh, _deadline=self._deadline, _answers=self._answers)

    @property
    def is_complete(self) -> bool:
        """Whether nothing was left out, and nothing stayed without an answer."""
        return not self.failures and not self.is_cut_short

    def evaluate(self, place: Place, text: str) -> SpfNode:
        """The node of a record that was found, and of all below it."""
        terms = parse_spf_record(text)
        used = _used(terms)
        self._judge(place, terms)
        voids = 0
        children = []
        for term in used:
            if not term.asks or term.has_macro or term.name == "ptr":
                continue
            if term.name in ("include", "redirect"):
                child = self._follow(place, term)
                if child is not None:
                    children.append(child)
            else:
                voids += self._is_void(place, term)
        return SpfNode(
            place.domain,
            kept(text),
            place.term.text,
            sum(term.asks for term in used) + sum(child.lookups for child in children),
            voids + sum(child.void_lookups for child in children),
            RecordState.WRONG if any(term.fault for term in terms) else RecordState.FOUND,
            tuple(children),
        )

    def _follow(self, place: Place, term: SpfTerm) -> SpfNode | None:
        """What an `include` or `redirect` leads to; None where the walk does not go on."""
        domain = term.value.lower().rstrip(".")
        if domain in place.path:
            self._note(words.loop(place.domain, term))
            if not self._may_go_on():
                return None
            return SpfNode(domain, None, term.text, 0, 0, RecordState.WRONG)
        if len(place.path) > _DEEPEST:
            self.is_cut_short = True
            return None
        answer = self._ask(domain, RecordType.TXT)
        if answer is None:
            return None
        if isinstance(answer, Unreachable):
            self._note(words.unreachable_include(place.domain, term))
            return SpfNode(domain, None, term.text, 0, 0, RecordState.UNREACHABLE)
        records = [text for text in texts_of(answer) if is_spf_record(text)]
        if not records:
            self._note(words.missing_include(place.domain, term))
            voids = int(isinstance(answer, Absent))
            if voids:
                self.void_names[domain] = None
            return SpfNode(domain, None, term.text, 0, voids, RecordState.NOT_FOUND)
        if len(records) > 1:
            is_own = domain == place.path[0] or domain.endswith(f".{place.path[0]}")
            self._note(
                words.several_records(domain, records)
                if is_own
                else words.several_records_of_another(place.domain, records, term)
            )
            return SpfNode(
                domain, "\n".join(map(kept, records)), term.text, 0, 0, RecordState.WRONG
            )
        is_end = place.is_end and term.name == "redirect"
        return self.evaluate(Place(domain, term, (*place.path, domain), is_end), records[0])

    def _is_void(self, place: Place, term: SpfTerm) -> bool:
        """Whether an `a`, `mx` or `exists` finds nothing for sure (RFC 7208 §4.6.4)."""
        name = (term.value or place.domain).lower().rstrip(".")
        kinds = {
            "a": (RecordType.A, RecordType.AAAA),
            "mx": (RecordType.MX,),
            "exists": (RecordType.A,),
        }[term.name]
        for kind in kinds:
            answer = self._ask(name, kind)
            if isinstance(answer, Unreachable):
                self._note(words.unreachable_include(place.domain, term))
                return False
            if answer is None:
                return False
            if isinstance(answer, Found):
                self._count_mail_hosts(place, name, answer)
                return False
        self.void_names[name] = None
        return True

    def _count_mail_hosts(self, place: Place, name: str, answer: Found[Record]) -> None:
        hosts = sum(isinstance(record, MailExchanger) for record in answer.records)
        if hosts > _MOST_MAIL_HOSTS:
            self._note(words.too_many_mail_hosts(place.domain, name, hosts))

    def _ask(self, name: str, kind: RecordType) -> Answer[Record] | None:
        """An answer, each question asked once; None when enough was asked or waited for."""
        if not self._may_go_on():
            return None
        if (name, kind) not in self._answers:
            answer = self.resolver.lookup(name, kind, fresh=self.fresh)
            self._answers[name, kind] = answer
            self.failures += isinstance(answer, Unreachable)
        return self._answers[name, kind]

    def _may_go_on(self) -> bool:
        """Whether there is room for one more step.

        What was asked before counts again, or a tree could double at every level without end.
        """
        is_over = self.failures >= _MOST_FAILURES or time.monotonic() > self._deadline
        if self._left <= 0 or is_over:
            self.is_cut_short = True
            return False
        self._left -= 1
        return True

    def _judge(self, place: Place, terms: tuple[SpfTerm, ...]) -> None:
        """Name what can be seen from the record itself."""
        domain = place.domain
        for term in terms:
            if term.fault:
                self._note(words.syntax(domain, term))
        for term in _used(terms):
            if term.asks and term.name in ("ptr", "exists"):
                self._note(words.costs(domain, term))
        final = next((term for term in terms if term.name == "all"), None)
        if final is None:
            if place.is_end and not any(term.name == "redirect" for term in terms):
                self._note(words.no_all(domain))
            return
        if final.qualifier == "+" and place.term.qualifier == "+":
            self._note(words.plus_all(domain, is_root=not place.term.text))
        if final.qualifier == "?" and place.is_end:
            self._note(words.neutral_all(domain))
        unread = [term for term in terms[terms.index(final) + 1 :] if not term.is_modifier]
        if unread:
            self._note(words.after_all(domain, unread))

    def _note(self, problem: Problem) -> None:
        if problem not in self.problems and len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(problem)


def _used(terms: tuple[SpfTerm, ...]) -> list[SpfTerm]:
    """The terms that receivers come to: up to `all`; `redirect` last, and only without `all`."""
    mechanisms: list[SpfTerm] = []
    for term in terms:
        if term.name == "all" and not term.is_modifier:
            return mechanisms
        if not term.is_modifier:
            mechanisms.append(term)
    return mechanisms + [term for term in terms if term.is_modifier]


def texts_of(answer: Answer[Any]) -> list[str]:
    """The TXT records of an answer as texts; none for every other answer."""
    if not isinstance(answer, Found):
        return []
    return [record.text for record in answer.records if isinstance(record, TextRecord)]
