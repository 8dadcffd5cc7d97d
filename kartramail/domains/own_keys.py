"""Which of a domain's own keys verifiers find now (R-DKIM)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kartramail.adapters.resolver import Resolver
from kartramail.domains.models import DomainKey
from kartramail.rules.dkim import KeyRecord, parse_key_record
from kartramail.rules.dns_answers import Found, RecordType, TextRecord, Unreachable
from kartramail.rules.dns_records import Finding, Problem, Purpose, RecordState, WantedRecord


def find_own_keys(
    findings: Mapping[str, Finding],
    wanted: Sequence[WantedRecord],
    keys: Sequence[DomainKey],
    resolver: Resolver | None,
) -> tuple[dict[str, Finding], set[int]]:
    """The findings, and the numbers of the keys that stand in DNS.

    With a `resolver` the selectors are CNAMEs: what stands behind them is asked for, and a record
    whose key is not there, or not ours, is not found, whatever the CNAME says. A host with
    different keys shows none of them: verifiers take any.
    """
    judged, seen = dict(findings), set()
    numbers = {key.public: key.id for key in keys}
    for record in wanted:
        finding = findings.get(record.key)
        if finding is None or record.purpose is not Purpose.DKIM or not _is_found(finding):
            continue
        texts = finding.found if resolver is None else _behind(resolver, record.host)
        publics = _publics(texts or ())
        own = {numbers[each] for each in publics if each in numbers and len(publics) == 1}
        seen |= own
        if texts is None:
            judged[record.key] = Finding(RecordState.UNREACHABLE)
        elif resolver is not None and not own:
            judged[record.key] = replace(
                finding, state=RecordState.WRONG, problem=_not_published(record)
            )
    return judged, seen


def _is_found(finding: Finding) -> bool:
    return finding.state is RecordState.FOUND


def _behind(resolver: Resolver, host: str) -> Sequence[str] | None:
    """The texts that a verifier gets at this host; None where there was no answer."""
    answer = resolver.lookup(host, RecordType.TXT, fresh=True)
    if isinstance(answer, Unreachable):
        return None
    if not isinstance(answer, Found):
        return ()
    return [record.text for record in answer.records if isinstance(record, TextRecord)]


def _publics(texts: Sequence[str]) -> set[str]:
    read = [parse_key_record(text) for text in texts]
    return {each.public for each in read if isinstance(each, KeyRecord)}


def _not_published(record: WantedRecord) -> Problem:
    return Problem(
        "operator_zone",
        f"{record.host} points to {record.value}, as it should, but another key is published "
        "there. That is not your mistake: it is for the people who run this mail service.",
        "You have nothing to do; it is looked at again by itself.",
    )
