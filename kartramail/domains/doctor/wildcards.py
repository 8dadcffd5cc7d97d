"""A wildcard that answers where the record should stand (RFC 4592)."""

from kartramail.domains.doctor.scene import Scene
from kartramail.domains.doctor.words import excerpt, host_to_type, record_to_type
from kartramail.rules.dns_answers import RecordType
from kartramail.rules.dns_records import Finding, Problem, RecordState, WantedRecord

_TYPES = {
    RecordType.TXT: (RecordType.TXT, RecordType.CNAME),
    RecordType.CNAME: (RecordType.CNAME, RecordType.A, RecordType.AAAA, RecordType.TXT),
}


def examine_wildcard(scene: Scene, wanted: WantedRecord, finding: Finding) -> Problem | None:
    """Whether a name that nobody made, beside the host, answers what the host answers."""
    if finding.state is RecordState.FOUND:
        return None
    made_up = f"{scene.made_up_label}.{wanted.host.partition('.')[2]}"
    for record_type in _TYPES[wanted.type]:
        here = scene.search(wanted.host, record_type)
        if here and here == scene.search(made_up, record_type):
            return Problem(
                "wildcard",
                f"There is no record at {wanted.host} itself. What answers is a wildcard (a record "
                f"with * as its host), which says {record_type} “{excerpt(here[0])}” for every "
                "name that does not exist.",
                f"Add the record: {record_to_type(scene, wanted)}. The wildcard may stay, since a "
                f"record at {host_to_type(scene, wanted)} comes before it.",
            )
    return None
