"""Mistakes in the target of a CNAME, and what stands behind it or beside it."""

import re
from collections.abc import Callable, Sequence

from kartramail.domains.doctor.scene import Scene, shown_values
from kartramail.domains.doctor.words import (
    company_name,
    excerpt,
    host_to_type,
    listed,
    value_to_type,
)
from kartramail.rules.dkim import KeyRecord, parse_key_record
from kartramail.rules.dns_answers import (
    Answer,
    Found,
    Record,
    RecordType,
    Unreachable,
    UnreachableReason,
)
from kartramail.rules.dns_records import Finding, Problem, Purpose, RecordState, WantedRecord

_DECORATION = re.compile(r"\\\d{3}|[\\\s\"'“”„‟‘’«»`]")
_ESCAPED_BLANK = re.compile(r"\\(?:032|009|010|013)|\s")
_MOST_STEPS = 8
_CERTAIN = (UnreachableReason.SPECIAL_USE, UnreachableReason.LOOP)  # leads nowhere
# Not addresses: those of a host may change from answer to answer.
_BESIDE = (RecordType.TXT, RecordType.MX)


def judge_alias(scene: Scene, wanted: WantedRecord, answer: Answer[Record]) -> Finding:
    """Whether a CNAME leads where it should, and works as one."""
    targets = shown_values(answer)
    ttl = answer.ttl if isinstance(answer, Found) else None
    end = end_of_chain(scene, wanted, targets[0])
    if end is None or end not in targets_of(wanted):
        state = RecordState.UNREACHABLE if end is None else RecordState.WRONG
        return Finding(state, targets, _why_other(scene, wanted, targets[0]), ttl)
    if wanted.purpose is Purpose.DKIM:
        state, problem = _behind(scene, wanted, end)
    else:
        problem = _beside(scene, wanted, end, _BESIDE, scene.ask_remembered)
        state = RecordState.WRONG if problem else RecordState.FOUND
    return Finding(state, targets, problem, ttl)


def end_of_chain(scene: Scene, wanted: WantedRecord, target: str) -> str | None:
    """Where a target leads by further CNAMEs, if not before to a target that is wanted.

    None where no answer came on the way. A chain that goes on for too long, or leads back to
    itself, ends where it is given up.
    """
    for _ in range(_MOST_STEPS):
        if target in targets_of(wanted):
            break
        if scene.is_out_of_time:
            return None
        answer = scene.ask(target, RecordType.CNAME)
        if isinstance(answer, Unreachable):
            return target if answer.why in _CERTAIN else None
        if not isinstance(answer, Found):
            break
        target = shown_values(answer)[0]
    return target


def targets_of(wanted: WantedRecord) -> frozenset[str]:
    """The targets that count, as the resolver shows them."""
    return frozenset(each.rstrip(".").lower() for each in (wanted.value, *wanted.also))


def bare_target(text: str) -> str:
    """A target without what people type around it."""
    return _DECORATION.sub("", text).rstrip(".").lower()


def _why_other(scene: Scene, wanted: WantedRecord, target: str) -> Problem:
    fix = (
        f"Edit the CNAME at {host_to_type(scene, wanted)} so that it points to "
        f"{value_to_type(wanted)}."
    )
    for other in scene.wanted:
        is_alike = other.type == wanted.type and other.purpose == wanted.purpose
        if is_alike and other.key != wanted.key and target in targets_of(other):
            return Problem(
                "swapped_selectors",
                f"{wanted.host} points to {target}, which belongs at {other.host}.",
                f"Exchange the two targets: {host_to_type(scene, wanted)} points to "
                f"{wanted.value}, and {host_to_type(scene, other)} to {other.value}.",
            )
    if bare_target(target) in targets_of(wanted):
        is_blank = _ESCAPED_BLANK.search(target) is not None
        what = "spaces" if is_blank else "quotation marks"
        return Problem(
            "spaces_in_value" if is_blank else "quoted_value",
            f"The target of {wanted.host} was stored with {what} as a part of it: {target}.",
            f"{fix} Type it without {what}.",
        )
    for zone in {wanted.zone, scene.domain}:
        if target.removesuffix(f".{zone}") in targets_of(wanted):
            return Problem(
                "other_target",
                f"{wanted.host} points to {target}: {company_name(scene)} added {zone} to the "
                "target, which must stand alone.",
                f"Edit the CNAME at {host_to_type(scene, wanted)} and type the target with a dot "
                f"at its end: {wanted.value}.",
            )
    return Problem(
        "other_target",
        f"{wanted.host} points to {excerpt(target)}, and should point to {wanted.value}.",
        fix,
    )


def _behind(scene: Scene, wanted: WantedRecord, target: str) -> tuple[RecordState, Problem | None]:
    """Whether verifiers come to a key through the CNAME of a selector."""
    through = scene.ask(wanted.host, RecordType.TXT)
    behind = scene.ask(target, RecordType.TXT)
    if problem := _beside(scene, wanted, target, (RecordType.TXT,), scene.ask):
        return RecordState.WRONG, problem
    if _has_key(shown_values(through)):
        return RecordState.FOUND, None
    if isinstance(through, Unreachable) or isinstance(behind, Unreachable):
        return RecordState.UNREACHABLE, None
    return RecordState.WRONG, Problem(
        "operator_zone",
        f"{wanted.host} points to {target}, as it should, but the key is not published there yet. "
        "That is not your mistake: it is for the people who run this mail service.",
        "You have nothing to do; it is looked at again by itself.",
    )


def _has_key(texts: Sequence[str]) -> bool:
    records = [each for each in map(parse_key_record, texts) if isinstance(each, KeyRecord)]
    return len(texts) == 1 and len(records) == 1 and bool(records[0].public)


def _beside(
    scene: Scene,
    wanted: WantedRecord,
    target: str,
    types: Sequence[RecordType],
    ask_target: Callable[[str, RecordType], Answer[Record]],
) -> Problem | None:
    """RFC 1034 §3.6.2: where a CNAME stands, nothing else may, or servers differ in what they say.

    What the host answers is the target's own where nothing stands beside the CNAME.
    """
    found = []
    for record_type in types:
        here, there = scene.ask(wanted.host, record_type), ask_target(target, record_type)
        if not isinstance(here, Found) or isinstance(there, Unreachable):
            continue
        is_alike = shown_values(here) == shown_values(there)
        if not is_alike and _stands_itself(scene, wanted.host, target, record_type):
            found += [f"{record_type} “{excerpt(each)}”" for each in shown_values(here)]
    return beside_problem(scene, wanted, found) if found else None


def beside_problem(scene: Scene, wanted: WantedRecord, others: Sequence[str]) -> Problem:
    """The sentence for records that keep a CNAME from its place; `others` are type and value."""
    return Problem(
        "cname_beside_records",
        f"At {wanted.host} stand other records beside or instead of the CNAME: {listed(others)}. "
        "Where a CNAME stands, nothing else may.",
        f"Delete the other records at {host_to_type(scene, wanted)}, so that only the CNAME to "
        f"{value_to_type(wanted)} stands there.",
    )


def _stands_itself(scene: Scene, host: str, target: str, record_type: RecordType) -> bool:
    """Whether a difference is one of DNS, and not of two caches that learned at other times."""
    told = [
        each
        for each in scene.ask_servers(host, record_type)
        if not isinstance(each.answer, Unreachable)
    ]
    if told:
        return any(each.alias is None and isinstance(each.answer, Found) for each in told)
    if scene.knows_servers:
        return False
    there, here = scene.ask_again(target, record_type), scene.ask_again(host, record_type)
    if isinstance(there, Unreachable) or not isinstance(here, Found):
        return False
    return shown_values(here) != shown_values(there)
