"""What the answer for one wanted record is worth, before any search for a mistake."""

from collections.abc import Callable

from kartramail.domains.doctor.alias_values import end_of_chain, judge_alias, targets_of
from kartramail.domains.doctor.dmarc_values import judge_dmarc
from kartramail.domains.doctor.key_values import judge_key
from kartramail.domains.doctor.scene import Scene, shown_values
from kartramail.rules.dns_answers import Absent, Answer, Record, RecordType, Unreachable
from kartramail.rules.dns_records import Finding, Purpose, RecordState, WantedRecord

_JUDGES: dict[
    tuple[Purpose, RecordType], Callable[[Scene, WantedRecord, Answer[Record]], Finding]
] = {
    (Purpose.DKIM, RecordType.TXT): judge_key,
    (Purpose.DKIM, RecordType.CNAME): judge_alias,
    (Purpose.RETURN_PATH, RecordType.CNAME): judge_alias,
    (Purpose.DMARC, RecordType.TXT): judge_dmarc,
}


def judge(scene: Scene, wanted: WantedRecord, answer: Answer[Record]) -> Finding:
    """What `answer` says of `wanted`: not found and wrong only where it is complete (R-CHECK)."""
    if isinstance(answer, Unreachable):
        return Finding(RecordState.UNREACHABLE)
    if isinstance(answer, Absent):
        return Finding(RecordState.NOT_FOUND)
    return _JUDGES[wanted.purpose, wanted.type](scene, wanted, answer)


def is_right(scene: Scene, wanted: WantedRecord, answer: Answer[Record]) -> bool:
    """Whether one server's own answer holds the record.

    Of a CNAME only the target counts: what stands behind it is no part of this answer.
    """
    if wanted.type is RecordType.CNAME:
        ends = (end_of_chain(scene, wanted, each) for each in shown_values(answer))
        return any(end in targets_of(wanted) for end in ends)
    return judge(scene, wanted, answer).state is RecordState.FOUND
