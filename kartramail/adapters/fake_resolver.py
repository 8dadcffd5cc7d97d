"""A resolver that answers from a table and sends nothing: for rules and services under test.

Where what goes over the wire matters, tests use the real DNS server in tests/support instead.
"""

import dns.name

from kartramail.adapters.dns_cache import Question
from kartramail.adapters.dns_replies import Reading
from kartramail.adapters.resolver import Resolver
from kartramail.rules.dns_answers import (
    Absent,
    AbsentReason,
    Answer,
    Found,
    MailExchanger,
    Record,
    RecordType,
    Unreachable,
    UnreachableReason,
)

_TTL = 300


class FakeResolver(Resolver):
    """Names that were never mentioned do not exist; nothing is remembered between look-ups.

    `asked` lists what would have gone out, as (name, type), in order.
    """

    def __init__(self, *, answers_special_use: bool = True) -> None:
        super().__init__([], cache_size=0, answers_special_use=answers_special_use)
        self.asked: list[tuple[str, RecordType]] = []
        self._answers: dict[Question, Answer[Record]] = {}
        self._failures: dict[dns.name.Name, Unreachable] = {}

    def add(self, name: str, record_type: RecordType, *records: Record) -> None:
        """Let `name` have exactly these records of that type; none at all means NODATA."""
        answer = Found(records, _TTL) if records else Absent(AbsentReason.NODATA)
        self._answers[dns.name.from_text(name), record_type] = answer

    def add_mail_host(self, domain: str, host: str = "mail.doeinc.test") -> None:
        """Let `domain` receive mail at `host`; "." means that it wants none (RFC 7505)."""
        self.add(domain, RecordType.MX, MailExchanger(0 if host == "." else 10, host))

    def fail(self, name: str, why: UnreachableReason = UnreachableReason.TIMEOUT) -> None:
        """Let every look-up of `name` go without an answer."""
        self._failures[dns.name.from_text(name)] = Unreachable(why, "so the test wants it")

    def _ask(self, question: Question, deadline: float) -> Reading:
        name, record_type = question
        self.asked.append((name.to_text(omit_final_dot=True), record_type))
        if name in self._failures:
            return Reading(self._failures[name])
        if question in self._answers:
            return Reading(self._answers[question])
        is_known = any(known == name for known, _ in self._answers)
        return Reading(Absent(AbsentReason.NODATA if is_known else AbsentReason.NXDOMAIN))
