"""The zone's own servers against each other, and against what the rest of the world still sees."""

from kartramail.domains.doctor.judge import is_right
from kartramail.domains.doctor.scene import Scene
from kartramail.domains.doctor.words import company_name, duration, listed
from kartramail.rules.dns_answers import RecordType, Unreachable
from kartramail.rules.dns_records import Finding, Problem, RecordState, WantedRecord

_LEAST_WAIT = 1


def examine_servers(scene: Scene, wanted: WantedRecord, finding: Finding) -> Problem | None:
    """Whether the record is on its way, or stands only on some of the servers."""
    told = [
        each
        for each in scene.ask_servers(wanted.host, wanted.type)
        if not isinstance(each.answer, Unreachable)
    ]
    having = [each.host for each in told if is_right(scene, wanted, each.answer)]
    lacking = [each.host for each in told if each.host not in having]
    if having and lacking:
        return _disagree(scene, wanted, having, lacking)
    if having and finding.state is not RecordState.FOUND:
        return _on_its_way(scene, wanted, finding)
    return None


def _disagree(scene: Scene, wanted: WantedRecord, having: list[str], lacking: list[str]) -> Problem:
    has, lack = ("has", "have"), ("does not", "do not")
    return Problem(
        "servers_disagree",
        f"The name servers of {scene.zone.name} disagree: {listed(having)} "
        f"{has[len(having) > 1]} the record for {wanted.host}, {listed(lacking)} "
        f"{lack[len(lacking) > 1]}. Some receivers will see it and others will not.",
        "Right after a change this mends itself within minutes. If it stays, tell "
        f"{company_name(scene)} that these name servers do not hold the same zone, or take the "
        "ones that are no longer in use out at the company where the domain is registered.",
    )


def _on_its_way(scene: Scene, wanted: WantedRecord, finding: Finding) -> Problem:
    return Problem(
        "not_propagated",
        f"The record for {wanted.host} is right on your name servers, but "
        f"{_what_is_seen(finding)}, {_how_long(scene, finding)}.",
        "You have nothing to do: it turns green by itself.",
    )


def _what_is_seen(finding: Finding) -> str:
    if finding.state is RecordState.NOT_FOUND:
        return "elsewhere it is still remembered that there was none"
    return "elsewhere the former one is still remembered"


def _how_long(scene: Scene, finding: Finding) -> str:
    seconds = finding.ttl if finding.ttl is not None else _negative_ttl(scene)
    if seconds is None:
        return "usually for less than an hour"
    return f"for {duration(max(seconds, _LEAST_WAIT))} at most"


def _negative_ttl(scene: Scene) -> int | None:
    """For how long a no is remembered: the last number of the SOA (RFC 2308 §4)."""
    zone = scene.zone.name
    values = scene.search(zone, RecordType.SOA) if zone else ()
    last = values[0].split()[-1] if values else ""
    return int(last) if last.isdecimal() else None
