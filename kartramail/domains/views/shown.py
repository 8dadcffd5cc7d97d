"""What the pages of a domain say beside its records: the next step, and what changed since."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from kartramail.domains.checklist import Checklist, ChecklistRow
from kartramail.domains.dns_hosts import find_dns_host
from kartramail.domains.instructions import (
    RecordWords,
    is_to_be_set,
    words_for,
    words_on_what_is_there,
)
from kartramail.domains.models import DomainState
from kartramail.rules.dmarc import DmarcStep, read_dmarc_record
from kartramail.rules.dmarc import next_step as next_dmarc_step
from kartramail.rules.dns_records import Purpose, RecordState

_LOOKS = ((60, 5), (100, 15), (145, 60))
"""Up to which look the page waits how many seconds for the next one; after an hour it stops."""


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """A row of the checklist, and the words about it."""

    row: ChecklistRow
    words: RecordWords
    is_to_be_set: bool

    @property
    def key(self) -> str:
        """What the parts of the page that are about it are called."""
        return self.row.wanted.key


def shown_records(checklist: Checklist) -> list[ShownRecord]:
    """The records in the order of the page."""
    return [
        ShownRecord(row, words_for(row.wanted), is_to_be_set(checklist, row))
        for row in checklist.rows
    ]


def needed_titles(checklist: Checklist) -> list[str]:
    """The records that are not found, by what they are called."""
    return [words_for(row.wanted).title for row in checklist.needed if not row.is_found]


def next_step(checklist: Checklist, dns_host: str | None, *, is_own_work: bool = True) -> str:
    """The one thing to do next, in a sentence; empty where there is nothing to do."""
    open_rows = [row for row in checklist.needed if not row.is_found]
    if not open_rows:
        return ""
    mistaken = next((row for row in open_rows if row.problem and row.problem.fix), None)
    if mistaken is not None and mistaken.problem is not None:
        return f"{words_for(mistaken.wanted).title}: {mistaken.problem.fix}"
    if not is_own_work:
        return "Send the records to the person who runs your DNS."
    title = words_for(open_rows[0].wanted).title
    where = f" at {dns_host}" if dns_host else ""
    return f"Add the {title[0].lower()}{title[1:]}{where}."


def is_unsettled(checklist: Checklist) -> bool:
    """Whether something may still turn up in DNS, so that it is worth looking again."""
    return checklist.missing > 0 or checklist.new_key_for is not None


def wait_before(look: int) -> int | None:
    """Seconds until the page looks for the nth time, None once it has looked for an hour."""
    return next((wait for until, wait in _LOOKS if look <= until), None)


def what_is_seen(checklist: Checklist) -> str:
    """A short text, of which a part changes when that part of the page would."""
    return ".".join(_digests(checklist).values())


def changed_parts(seen: str, checklist: Checklist) -> set[str]:
    """The parts of the page that are not what they were: "states", "where", a record by its key.

    What is copied is left alone otherwise: somebody may be copying it just now.
    """
    digests = _digests(checklist)
    before = seen.split(".")
    if len(before) != len(digests):
        return set(digests)
    return {part for part, old in zip(digests, before, strict=True) if digests[part] != old}


def _digests(checklist: Checklist) -> dict[str, str]:
    rows = [(row.state, row.found, row.problem, row.unreachable_at) for row in checklist.rows]
    states = (rows, checklist.state, checklist.lost_since, checklist.spf, checklist.dmarc)
    host = find_dns_host(checklist.name_servers)
    where = (checklist.name_servers, host, words_on_what_is_there(checklist))
    is_relative = host is None or host.is_host_relative
    parts: dict[str, object] = {"states": (states, checklist.new_key_for, where), "where": where}
    for row in checklist.rows:
        parts[row.wanted.key] = (row.wanted, is_to_be_set(checklist, row), is_relative)
    return {
        part: hashlib.sha256(repr(content).encode()).hexdigest()[:8]
        for part, content in parts.items()
    }


def badge_of(checklist: Checklist) -> tuple[str, str]:
    """The state of the whole domain, as a badge and its word."""
    if checklist.is_authenticated and checklist.lost_since is None:
        return "authenticated", "Authenticated"
    if checklist.is_authenticated:
        return "warning", "Records are gone"
    if checklist.state is DomainState.LOST:
        return "error", "No longer authenticated"
    if checklist.state is DomainState.CLAIMED:
        return "error", "Proved by someone else"
    return "waiting", "Not authenticated yet"


@dataclass(frozen=True, slots=True)
class ShownDmarc:
    """The DMARC record that holds, in words, and the next safe step."""

    sentences: tuple[str, ...]
    step: DmarcStep | None
    policy_words: str
    record: str | None
    found_at: str | None
    problems: tuple[dict[str, str], ...]


_POLICY_WORDS = {
    "none": "Nothing happens to forged mail (none)",
    "quarantine": "Forged mail goes to the spam folder (quarantine)",
    "reject": "Forged mail is refused (reject)",
}


_MENDED_FIRST = frozenset({"several_records", "misplaced"})
_TOLD_BY_ROW = frozenset({"several_records", "syntax", "missing_policy"})


def shown_dmarc(checklist: Checklist) -> ShownDmarc | None:
    """What the page says of DMARC; None before the first look, and where there was no answer."""
    report = checklist.dmarc
    if report is None or report.get("state") == RecordState.UNREACHABLE:
        return None
    text, problems = report.get("record"), tuple(report.get("problems", ()))
    record = read_dmarc_record(text) if text else None
    is_own = report.get("found_at") in (None, checklist.domain)
    is_readable = text is None or record is not None
    is_to_be_mended = not is_readable or any(each["code"] in _MENDED_FIRST for each in problems)
    row = next((row for row in checklist.rows if row.wanted.purpose is Purpose.DMARC), None)
    if row is not None and row.state is RecordState.WRONG and row.problem is not None:
        problems = tuple(each for each in problems if each["code"] not in _TOLD_BY_ROW)
    return ShownDmarc(
        sentences=tuple(report.get("explanation", ())),
        step=next_dmarc_step(record, checklist.is_authenticated)
        if is_own and not is_to_be_mended
        else None,
        policy_words=_POLICY_WORDS.get(report.get("policy") or "", "Not known"),
        record=text,
        found_at=report.get("found_at"),
        problems=problems,
    )


class SpfStanding(StrEnum):
    """What SPF says of mail with our return path, where receivers judge it (R-SPF)."""

    STRICT = "strict"
    """It counts only on exactly the domain, so that the signature alone aligns."""
    COUNTS = "counts"
    NOT_SET = "not_set"
    """The record of the return path is missing, or leads elsewhere."""
    NOT_LISTED = "not_listed"
    """It leads to us, but our record does not list the servers that mail leaves from."""
    UNKNOWN = "unknown"


def spf_standing(checklist: Checklist, lists_us: bool | None) -> SpfStanding:
    """The answer for this domain; `lists_us` is `lists_sending_ips`."""
    if (checklist.dmarc or {}).get("is_spf_strict"):
        return SpfStanding.STRICT
    states = {row.wanted.purpose: row.state for row in checklist.rows}
    state = states.get(Purpose.RETURN_PATH)
    if state in (RecordState.NOT_FOUND, RecordState.WRONG):
        return SpfStanding.NOT_SET
    if lists_us is False:
        return SpfStanding.NOT_LISTED
    return SpfStanding.COUNTS if lists_us and state is RecordState.FOUND else SpfStanding.UNKNOWN
