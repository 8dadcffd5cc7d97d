"""One look at DNS for the records of a domain (R-CHECK): asked afresh, judged, and explained."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from kartramail.adapters.authoritative import Authoritative
from kartramail.adapters.resolver import Resolver
from kartramail.domains.doctor.judge import judge
from kartramail.domains.doctor.mistakes import find_mistake
from kartramail.domains.doctor.scene import Scene
from kartramail.rules.dns_records import Finding, WantedRecord
from kartramail.rules.record_text import kept

_SIDE_BY_SIDE = 5


@dataclass(frozen=True, slots=True)
class DomainLook:
    """What DNS says: `findings` by the key of the wanted record.

    `name_servers` are the host names of the zone's servers and `zone` its name; both are looked for
    only by a thorough look, and are empty where DNS did not say.
    """

    findings: dict[str, Finding]
    name_servers: tuple[str, ...] = ()
    zone: str | None = None


def look_at_records(
    resolver: Resolver,
    authoritative: Authoritative | None,
    domain: str,
    wanted: Sequence[WantedRecord],
    *,
    is_thorough: bool,
) -> DomainLook:
    """Ask for every wanted record of `domain` (A-labels), side by side, and judge the answers.

    A thorough look goes on to find out why a record is not there, for a few seconds at most, and
    asks the zone's own servers, unless `authoritative` is None. The other asks as little as it can.
    """
    scene = Scene(resolver, authoritative, domain, wanted)
    look_at = _look_closely if is_thorough else _look
    with ThreadPoolExecutor(max_workers=_SIDE_BY_SIDE) as pool:
        zone = pool.submit(lambda: scene.zone) if is_thorough else None
        findings = list(pool.map(lambda each: look_at(scene, each), wanted))
        found = {each.key: finding for each, finding in zip(wanted, findings, strict=True)}
        if zone is None:
            return DomainLook(found)
        return DomainLook(found, zone.result().servers, zone.result().name)


def fit_to_keep(finding: Finding) -> Finding:
    """The finding for its page and the database: without what nobody sees, and not too long."""
    return replace(finding, found=tuple(map(kept, finding.found)))


def _look(scene: Scene, wanted: WantedRecord) -> Finding:
    return judge(scene, wanted, scene.ask(wanted.host, wanted.type))


def _look_closely(scene: Scene, wanted: WantedRecord) -> Finding:
    finding = _look(scene, wanted)
    return replace(finding, problem=find_mistake(scene, wanted, finding))
