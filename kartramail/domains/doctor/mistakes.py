"""The registry of mistakes: each family is asked in turn, and the first that knows is believed."""

from collections.abc import Callable

from kartramail.domains.doctor.neighbours import examine_neighbours
from kartramail.domains.doctor.places import examine_doubling, examine_places
from kartramail.domains.doctor.scene import Scene
from kartramail.domains.doctor.servers import examine_servers
from kartramail.domains.doctor.wildcards import examine_wildcard
from kartramail.rules.dns_records import Finding, Problem, RecordState, WantedRecord

Examination = Callable[[Scene, WantedRecord, Finding], Problem | None]

# What says only that something else stands there, and gives way to whatever says why.
_VAGUE = frozenset(("other_value", "other_target", "not_a_record"))


def find_mistake(scene: Scene, wanted: WantedRecord, finding: Finding) -> Problem | None:
    """The most telling thing to say of a finding, with look-ups where they are needed.

    Of a record that is found, only what will make trouble later.
    """
    if finding.state is RecordState.UNREACHABLE:
        return finding.problem
    for examine in _EXAMINATIONS:
        if problem := examine(scene, wanted, finding):
            return problem
    return finding.problem


def _examine_value(scene: Scene, wanted: WantedRecord, finding: Finding) -> Problem | None:
    """What the value itself told, unless it is a wildcard's and nobody meant it for this host."""
    if finding.problem is None or finding.problem.code in _VAGUE:
        return None
    return None if examine_wildcard(scene, wanted, finding) else finding.problem


_EXAMINATIONS: tuple[Examination, ...] = (
    examine_servers,
    _examine_value,
    examine_doubling,
    examine_places,
    examine_wildcard,
    examine_neighbours,
)
