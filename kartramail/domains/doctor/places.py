"""The right record at a wrong name: a table of the names that people end up at."""

from collections.abc import Iterator, Sequence

from kartramail.domains.doctor.alias_values import targets_of
from kartramail.domains.doctor.key_values import is_key_of
from kartramail.domains.doctor.scene import Scene
from kartramail.domains.doctor.words import company_name, host_to_type
from kartramail.rules.dmarc import is_dmarc_record
from kartramail.rules.dns_answers import RecordType
from kartramail.rules.dns_records import Finding, Problem, Purpose, RecordState, WantedRecord

# Patterns of wrong names and how they differ. {label} is the first label of the
# right name (for DKIM the selector), {target} that of the wanted value.
_WRONG_NAMES: dict[Purpose, tuple[tuple[str, str], ...]] = {
    Purpose.DKIM: (
        ("{label}.{domain}", "without “_domainkey”"),
        ("{label}.domainkey.{domain}", "without the underscore before “domainkey”"),
        ("{label}_domainkey.{domain}", "without the dot before “_domainkey”"),
        ("_domainkey.{domain}", "without “{label}.” before it"),
        ("{domain}", "at the domain itself"),
        ("{label}._domainkey.www.{domain}", "under “www”"),
        ("www.{domain}", "at “www”"),
        ("_domainkey.{label}.{domain}", "with its two parts exchanged"),
        ("_{label}._domainkey.{domain}", "with an underscore too many"),
        ("{label}._domainkey.{zone}", "without the part of the subdomain"),
    ),
    Purpose.DMARC: (
        ("dmarc.{domain}", "without the underscore before “dmarc”"),
        ("{domain}", "at the domain itself"),
        ("_dmarc.www.{domain}", "under “www”"),
        ("www.{domain}", "at “www”"),
        ("_dmarc._domainkey.{domain}", "under “_domainkey”"),
        ("_domainkey.{domain}", "at “_domainkey”"),
    ),
    Purpose.RETURN_PATH: (
        ("{target}.{domain}", "with the beginning of the value as its name"),
        ("_{label}.{domain}", "with an underscore too many"),
        ("{domain}", "at the domain itself"),
        ("{label}.www.{domain}", "under “www”"),
        ("www.{domain}", "at “www”"),
        ("{label}._domainkey.{domain}", "under “_domainkey”"),
        ("{label}1.{domain}", "with “{label}1” for “{label}”"),
    ),
}


def examine_doubling(scene: Scene, wanted: WantedRecord, finding: Finding) -> Problem | None:
    """Whether the zone was added to a host that held it already."""
    if finding.state is RecordState.FOUND:
        return None
    for zone in dict.fromkeys((wanted.zone, scene.domain)):
        name = f"{wanted.host}.{zone}"
        if is_wanted(wanted, scene.search(name, wanted.type)):
            return Problem(
                "doubled_domain",
                f"The record stands at {name}: {zone} is there twice, because "
                f"{company_name(scene)} adds it to every host by itself.",
                f"Edit the record and type only {wanted.relative_host} as its host, without "
                f"{wanted.zone}.",
            )
    return None


def examine_places(scene: Scene, wanted: WantedRecord, finding: Finding) -> Problem | None:
    """Whether the record stands at one of the wrong names that are likely."""
    if finding.state is RecordState.FOUND:
        return None
    for name, how in _wrong_names(scene, wanted):
        if is_wanted(wanted, scene.search(name, wanted.type)):
            return Problem(
                "wrong_name",
                f"The record stands at {name}, {how}. Receivers look for it at {wanted.host}.",
                f"Change the host of that record to {host_to_type(scene, wanted)}.",
            )
    return None


def is_wanted(wanted: WantedRecord, values: Sequence[str]) -> bool:
    """Whether one of the values at a wrong name is what was meant for the right one."""
    if wanted.type is RecordType.CNAME:
        return any(value in targets_of(wanted) for value in values)
    if wanted.purpose is Purpose.DMARC:
        return any(map(is_dmarc_record, values))
    return is_key_of(wanted, values)


def _wrong_names(scene: Scene, wanted: WantedRecord) -> Iterator[tuple[str, str]]:
    parts = {
        "label": wanted.host.partition(".")[0],
        "domain": scene.domain,
        "zone": wanted.zone,
        "target": wanted.value.partition(".")[0],
    }
    for pattern, how in _WRONG_NAMES[wanted.purpose]:
        name = pattern.format(**parts)
        if name != wanted.host:
            yield name, how.format(**parts)
