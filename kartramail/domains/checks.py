"""The one checker of domains: for the button, the worker's rounds and the API (R-CHECK).

It looks while no transaction is open, then writes what it saw in a short one. A state flips only on
a complete answer; where a look got none, the state stays what it was.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, select

from kartramail.clock import now
from kartramail.domains.checklist import Checklist
from kartramail.domains.dmarc_discovery import BREAKING_CODES, DmarcReport, discover_dmarc
from kartramail.domains.keys import KeyPairs, load_keys, make_key_pairs
from kartramail.domains.look import DomainLook, fit_to_keep, look_at_records
from kartramail.domains.models import DomainKey, DomainRecord, DomainState, SendingDomain
from kartramail.domains.own_keys import find_own_keys
from kartramail.domains.records import (
    DMARC_LABEL,
    is_cname_selector,
    wanted_records,
)
from kartramail.domains.rotation import has_waiting_key, note_seen_keys
from kartramail.domains.schedule import next_check_at
from kartramail.domains.service import give_keys
from kartramail.domains.spf_tree import SpfReport, read_spf
from kartramail.domains.transitions import settle_state
from kartramail.installation import Installation
from kartramail.rules.dns_records import Finding, Problem, Purpose, RecordState, WantedRecord

_PAGE_LOOKS_EVERY = timedelta(seconds=4)


@dataclass(frozen=True, slots=True)
class _Subject:
    """A domain as it was when the look began."""

    domain: SendingDomain
    keys: list[DomainKey]
    wanted: tuple[WantedRecord, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    """What DNS said of a domain: its records, its DMARC and SPF, and which of our keys it holds."""

    looked_at: datetime
    is_thorough: bool
    findings: Mapping[str, Finding]
    look: DomainLook
    dmarc: DmarcReport
    spf: SpfReport
    key_ids: set[int]


def check_domain(installation: Installation, domain_id: int, *, is_thorough: bool = True) -> None:
    """Look at the domain's records and write down what is there; nothing where it is gone.

    `is_thorough` also looks for the mistake behind what is missing, for somebody who waits.
    """
    subject = _load_subject(installation, domain_id)
    if subject is not None:
        seen = _look(installation, subject, is_thorough=is_thorough)
        with installation.db.transaction() as session:
            _record(session, installation, domain_id, seen)


def is_check_due(checklist: Checklist, at: datetime) -> bool:
    """Whether a page that is open may have the domain looked at again."""
    return checklist.checked_at is None or checklist.checked_at < at - _PAGE_LOOKS_EVERY


def _load_subject(installation: Installation, domain_id: int) -> _Subject | None:
    """The domain with its keys, which it gets now if it was added by itself.

    Of one that was removed only its DMARC is of interest, for mail that goes on without it.
    """
    with installation.db.reading() as session:
        domain = session.get(SendingDomain, domain_id)
        keys = load_keys(session, domain_id)
    if domain is None:
        return None
    if domain.state is DomainState.REMOVED:
        return _Subject(domain, [], wanted_records(domain, (), installation.settings)[-1:])
    if not keys:
        fresh: KeyPairs = make_key_pairs()
        with installation.db.transaction() as session:
            give_keys(session, domain_id, fresh, installation.settings)
            keys = load_keys(session, domain_id)
    return _Subject(domain, keys, wanted_records(domain, keys, installation.settings))


def _look(installation: Installation, subject: _Subject, *, is_thorough: bool) -> _Seen:
    """All of it side by side: somebody may be waiting."""
    name, resolver, looked_at = subject.domain.domain, installation.resolver, now()
    authoritative = installation.authoritative(name) if is_thorough else None
    with ThreadPoolExecutor(3, thread_name_prefix="check") as pool:
        look = pool.submit(
            look_at_records, resolver, authoritative, name, subject.wanted, is_thorough=is_thorough
        )
        dmarc = pool.submit(discover_dmarc, resolver, name, fresh=True)
        bounce_host = installation.settings.bounce_host
        is_platform = subject.domain.account_id is None
        spf = pool.submit(
            read_spf, resolver, bounce_host if is_platform else name, bounce_host, fresh=True
        )
        is_cname = is_cname_selector(subject.domain, installation.settings)
        findings, key_ids = find_own_keys(
            look.result().findings, subject.wanted, subject.keys, resolver if is_cname else None
        )
        return _Seen(
            looked_at,
            is_thorough,
            {key: fit_to_keep(finding) for key, finding in findings.items()},
            look.result(),
            dmarc.result(),
            spf.result(),
            key_ids,
        )


def _record(session: Session, installation: Installation, domain_id: int, seen: _Seen) -> None:
    """Write what was seen, unless the domain is gone meanwhile, or a later look was written."""
    domain = session.get(SendingDomain, domain_id, with_for_update=True)
    if domain is None or (domain.checked_at and domain.checked_at > seen.looked_at):
        return
    _record_reports(domain, seen)
    domain.checked_at = seen.looked_at
    keys = load_keys(session, domain_id)
    if domain.state is not DomainState.REMOVED:
        wanted = wanted_records(domain, keys, installation.settings)
        states = _record_findings(session, domain, wanted, seen)
        note_seen_keys(session, domain, keys, seen.key_ids)
        settle_state(session, domain, wanted, states, installation.settings, seen.looked_at)
    domain.next_check_at = next_check_at(domain, now(), is_key_waiting=has_waiting_key(keys))
    session.add(domain)


def _record_findings(
    session: Session,
    domain: SendingDomain,
    wanted: Sequence[WantedRecord],
    seen: _Seen,
) -> dict[str, RecordState]:
    """Write each finding; returns what this look says of each record, by its key."""
    at, said = seen.looked_at, {}
    statement = select(DomainRecord).where(DomainRecord.domain_id == domain.id)
    rows = {row.key: row for row in session.exec(statement)}
    for record in wanted:
        finding = _finding(record, seen)
        if finding is None:
            continue
        said[record.key] = finding.state
        row = rows.get(record.key)
        if row is None:
            row = rows[record.key] = DomainRecord(
                domain_id=domain.id, key=record.key, state=finding.state, since=at
            )
        _write_finding(row, finding, at, is_thorough=seen.is_thorough)
        session.add(row)
    return said


def _finding(record: WantedRecord, seen: _Seen) -> Finding | None:
    own = seen.findings.get(record.key)
    if own is None or record.purpose is not Purpose.DMARC:
        return own
    return _dmarc_finding(record, own, seen.dmarc)


def _dmarc_finding(record: WantedRecord, own: Finding, dmarc: DmarcReport) -> Finding:
    """What discovery says, with the sentence of the look at the domain itself.

    A DMARC record of a domain above stands for this one as well. Nothing is missing or wrong while
    it is not known whether there is one.
    """
    if dmarc.state is RecordState.UNREACHABLE and own.state is not RecordState.FOUND:
        return Finding(RecordState.UNREACHABLE)
    if dmarc.record is None or dmarc.found_at is None:
        return own
    problem = own.problem if own.state is dmarc.state else None
    if record.host == f"{DMARC_LABEL}.{dmarc.found_at}":
        texts = own.found or (dmarc.record,)
        return Finding(dmarc.state, texts, problem or _breaking_problem(dmarc), own.ttl)
    if dmarc.state is RecordState.FOUND or own.state is RecordState.NOT_FOUND:
        return Finding(dmarc.state, (dmarc.record,), _breaking_problem(dmarc))
    return own


def _breaking_problem(dmarc: DmarcReport) -> Problem | None:
    return next((each for each in dmarc.problems if each.code in BREAKING_CODES), None)


def _write_finding(row: DomainRecord, finding: Finding, at: datetime, *, is_thorough: bool) -> None:
    if finding.state is RecordState.UNREACHABLE and row.state is not RecordState.UNREACHABLE:
        row.unreachable_at = at  # no answer says nothing: what was known stays (R-CHECK)
        return
    is_as_before = row.state is finding.state and list(row.found) == list(finding.found)
    if row.state is not finding.state:
        row.since = at
    row.state = finding.state
    row.found = list(finding.found)
    problem = finding.problem
    if problem:
        row.problem = {"code": problem.code, "message": problem.message, "fix": problem.fix}
    elif is_thorough or not is_as_before:  # another look does not search, and knows no better
        row.problem = None
    row.checked_at = at
    row.unreachable_at = at if finding.state is RecordState.UNREACHABLE else None


def _record_reports(domain: SendingDomain, seen: _Seen) -> None:
    """Keep the reports; one that could not be made does not displace one that could."""
    report = dict(domain.report)
    if seen.spf.state is not RecordState.UNREACHABLE or "spf" not in report:
        report["spf"] = seen.spf.as_json()
    if seen.dmarc.state is not RecordState.UNREACHABLE or "dmarc" not in report:
        report["dmarc"] = seen.dmarc.as_json()
        if seen.dmarc.policy is not None:  # a policy that was known is not forgotten for a fault
            domain.dmarc_policy = seen.dmarc.policy.value
        domain.is_dkim_strict = seen.dmarc.is_dkim_strict
        domain.is_spf_strict = seen.dmarc.is_spf_strict
    if seen.look.name_servers:
        report["name_servers"] = list(seen.look.name_servers)
    domain.report = report
    if seen.look.zone:
        domain.zone = seen.look.zone
