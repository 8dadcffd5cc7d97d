"""The walk up the DNS tree for DMARC records: what stands there, and where it broke off.

RFC 9989 §4.10. At most eight names are asked.
"""

from dataclasses import dataclass, field

from kartramail.adapters.resolver import Resolver
from kartramail.rules import dmarc_problems as problems_of
from kartramail.rules.dmarc import (
    DmarcRecord,
    ends_walk,
    is_almost_dmarc_record,
    is_dmarc_record,
    read_dmarc_record,
    walk_names,
)
from kartramail.rules.dns_answers import Absent, RecordType, Unreachable
from kartramail.rules.dns_records import Problem


@dataclass(slots=True)
class Walked:
    """What a walk met: records by domain, texts that receivers discard, where it broke off."""

    found: dict[str, DmarcRecord] = field(default_factory=dict)
    discarded: dict[str, list[str]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unreachable: str | None = None


def walk_up(resolver: Resolver, domain: str, *, fresh: bool) -> Walked:
    """Ask from `domain` upwards, and no further than to a name that gives no answer."""
    walk = Walked()
    for name in walk_names(domain):
        answer = resolver.lookup(f"_dmarc.{name}", RecordType.TXT, fresh=fresh)
        if isinstance(answer, Unreachable):
            walk.unreachable = name
            break
        if isinstance(answer, Absent):
            continue
        texts = [record.text for record in answer.records]
        records = [text for text in texts if is_dmarc_record(text)]
        if len(records) == 1 and (record := read_dmarc_record(records[0])):
            walk.found[name] = record
            if ends_walk(record):
                break
        elif domain not in walk.found:
            _note_discarded(walk, name, texts, records)
    return walk


def _note_discarded(walk: Walked, name: str, texts: list[str], records: list[str]) -> None:
    """Several records, or one that only looks like one: receivers act as if there were none."""
    if records:
        walk.discarded[name] = records
        walk.problems.append(problems_of.several_records(name, records))
        return
    almost = [text for text in texts if is_almost_dmarc_record(text)]
    if almost:
        walk.discarded[name] = almost
        walk.problems.append(problems_of.almost_record(name, almost[0]))
