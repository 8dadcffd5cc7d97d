"""What stands at _dmarc, and the mistakes in it (RFC 9989 §4.7). Any sound record will do."""

import re
from collections.abc import Sequence

from kartramail.domains.doctor.scene import Scene, shown_values
from kartramail.domains.doctor.words import excerpt, host_to_type, listed, value_to_type
from kartramail.rules.dmarc import is_dmarc_record
from kartramail.rules.dns_answers import Answer, Found, Record
from kartramail.rules.dns_records import Finding, Problem, RecordState, WantedRecord

_BLEMISHED = re.compile(r"[\W_]*v\W*dmarc1", re.IGNORECASE)
_QUOTED = re.compile("[\"'“”„‟‘’«»`\\\\]")
_POLICIES = frozenset(("none", "quarantine", "reject"))


def judge_dmarc(scene: Scene, wanted: WantedRecord, answer: Answer[Record]) -> Finding:
    """What the TXT records at a domain's _dmarc are worth; others than DMARC's do not count."""
    texts = shown_values(answer)
    ttl = answer.ttl if isinstance(answer, Found) else None
    records = [text for text in texts if is_dmarc_record(text)]
    if len(records) > 1:
        return Finding(RecordState.WRONG, texts, _two(scene, wanted, records), ttl)
    if not records:
        return Finding(RecordState.WRONG, texts, _why_none(scene, wanted, texts), ttl)
    problem = _without_policy(scene, wanted, records[0])
    return Finding(RecordState.WRONG if problem else RecordState.FOUND, texts, problem, ttl)


def _two(scene: Scene, wanted: WantedRecord, records: Sequence[str]) -> Problem:
    shown = listed([f"“{excerpt(each)}”" for each in records])
    return Problem(
        "two_dmarc_records",
        f"At {wanted.host} stand {len(records)} DMARC records: {shown}. Receivers then act as if "
        "there were none.",
        f"Keep the one that you mean and delete the other, so that one record is left at "
        f"{host_to_type(scene, wanted)}.",
    )


def _without_policy(scene: Scene, wanted: WantedRecord, record: str) -> Problem | None:
    """A record without a policy counts only where it asks for reports (RFC 9989 §4.10.1)."""
    tags = _tags(record)
    if tags.get("p", "").lower() in _POLICIES or tags.get("rua"):
        return None
    what = f"says p={excerpt(tags['p'])}" if "p" in tags else "has no p="
    return Problem(
        "not_a_record",
        f"The DMARC record at {wanted.host} {what}, and only none, quarantine and reject are "
        "allowed there: receivers pass over it.",
        f"Edit the record at {host_to_type(scene, wanted)}; to start with, {value_to_type(wanted)} "
        "is right.",
    )


def _tags(record: str) -> dict[str, str]:
    pairs = (spec.partition("=") for spec in record.split(";"))
    return {name.strip(): value.strip() for name, sign, value in pairs if sign}


def _why_none(scene: Scene, wanted: WantedRecord, texts: Sequence[str]) -> Problem:
    blemished = [text for text in texts if _BLEMISHED.match(text)]
    fix = (
        f"Edit the record at {host_to_type(scene, wanted)} so that its value is "
        f"{value_to_type(wanted)}."
    )
    if not blemished:
        return Problem(
            "not_a_record",
            f"At {wanted.host} stands “{excerpt(texts[0])}”, which is no DMARC record.",
            f"Add a record with {value_to_type(wanted)} at {host_to_type(scene, wanted)}.",
        )
    text = blemished[0]
    if _QUOTED.search(text):
        return Problem(
            "quoted_value",
            f"The DMARC record at {wanted.host} was stored with quotation marks or backslashes as "
            f"a part of it: it reads {excerpt(text)}.",
            f"{fix} Type no quotation marks.",
        )
    if is_dmarc_record(text.strip()) or not text.isascii():
        return Problem(
            "spaces_in_value",
            f"The DMARC record at {wanted.host} has spaces or invisible characters in it, and "
            "receivers pass over it.",
            fix,
        )
    return Problem(
        "not_a_record",
        f"The record at {wanted.host} reads “{excerpt(text)}”. A DMARC record begins with "
        "v=DMARC1; in exactly these letters, with the semicolon.",
        fix,
    )
