"""Records of other types at the host: a wrong type, a proxy, or what no CNAME stands beside."""

import ipaddress

from kartramail.domains.dns_hosts import CLOUDFLARE
from kartramail.domains.doctor.alias_values import bare_target, beside_problem, targets_of
from kartramail.domains.doctor.key_values import is_key_of
from kartramail.domains.doctor.scene import Scene, shown_values
from kartramail.domains.doctor.words import (
    company_name,
    excerpt,
    host_to_type,
    listed,
    record_to_type,
    value_to_type,
)
from kartramail.rules.dkim import KeyRecord, parse_key_record
from kartramail.rules.dns_answers import RecordType
from kartramail.rules.dns_records import Finding, Problem, Purpose, RecordState, WantedRecord

_CLOUDFLARE_RANGES = tuple(  # as Cloudflare publishes them
    ipaddress.ip_network(each)
    for each in (
        "173.245.48.0/20",
        "103.21.244.0/22",
        "103.22.200.0/22",
        "103.31.4.0/22",
        "141.101.64.0/18",
        "108.162.192.0/18",
        "190.93.240.0/20",
        "188.114.96.0/20",
        "197.234.240.0/22",
        "198.41.128.0/17",
        "162.158.0.0/15",
        "104.16.0.0/13",
        "104.24.0.0/14",
        "172.64.0.0/13",
        "131.0.72.0/22",
        "2400:cb00::/32",
        "2606:4700::/32",
        "2803:f800::/32",
        "2405:b500::/32",
        "2405:8100::/32",
        "2a06:98c0::/29",
        "2c0f:f248::/32",
    )
)


def examine_neighbours(scene: Scene, wanted: WantedRecord, finding: Finding) -> Problem | None:
    """What stands at the host in place of the wanted type, or beside it."""
    if wanted.type is RecordType.TXT:
        return _alias_at_text(scene, wanted, finding) or _delegation(scene, wanted, finding)
    if finding.state is not RecordState.NOT_FOUND:
        return None
    return (
        _delegation(scene, wanted, finding)
        or _text_at_alias(scene, wanted)
        or _address_at_alias(scene, wanted)
        or _others_at_alias(scene, wanted)
    )


def _alias_at_text(scene: Scene, wanted: WantedRecord, finding: Finding) -> Problem | None:
    aliases = scene.search(wanted.host, RecordType.CNAME)
    if not aliases:
        return None
    if finding.state is RecordState.FOUND:
        if shown_values(scene.ask(aliases[0], wanted.type)) == finding.found:
            return None  # the record stands behind the CNAME, where everybody finds it
        return Problem(
            "cname_beside_records",
            f"At {wanted.host} stands a CNAME to {aliases[0]} beside the record. Where a CNAME "
            "stands, nothing else may: some receivers see the one, some the other.",
            f"Delete the CNAME at {host_to_type(scene, wanted)} and leave only the TXT record.",
        )
    return Problem(
        "wrong_type",
        f"At {wanted.host} stands a CNAME to {aliases[0]}, where a TXT record should stand.",
        f"Delete the CNAME at {host_to_type(scene, wanted)} and add the record: "
        f"{record_to_type(scene, wanted)}.",
    )


def _delegation(scene: Scene, wanted: WantedRecord, finding: Finding) -> Problem | None:
    """Whether the host, or a name between it and the domain, was handed to other servers."""
    if finding.state is not RecordState.NOT_FOUND:
        return None
    name = wanted.host
    while name != scene.domain and name.endswith(f".{scene.domain}"):
        servers = scene.search(name, RecordType.NS)
        if servers and not scene.search(name, RecordType.CNAME):
            return Problem(
                "delegated",
                f"{name} was handed over to other name servers ({listed(servers[:2])}) by NS "
                f"records, so what you add for {wanted.host} to the zone of {wanted.zone} is not "
                "seen.",
                f"Delete the NS records at {name}, then add the record: "
                f"{record_to_type(scene, wanted)}.",
            )
        name = name.partition(".")[2]
    return None


def _text_at_alias(scene: Scene, wanted: WantedRecord) -> Problem | None:
    for text in scene.search(wanted.host, RecordType.TXT):
        is_target = bare_target(text) in targets_of(wanted)
        is_key = isinstance(parse_key_record(text), KeyRecord) or is_key_of(wanted, [text])
        if is_target or (wanted.purpose is Purpose.DKIM and is_key):
            what = f"“{excerpt(text)}”" if is_target else "a key"
            return Problem(
                "wrong_type",
                f"At {wanted.host} stands {what} as a TXT record, where a CNAME should stand.",
                f"Delete the TXT record at {host_to_type(scene, wanted)} and add the record: "
                f"{record_to_type(scene, wanted)}.",
            )
    return None


def _address_at_alias(scene: Scene, wanted: WantedRecord) -> Problem | None:
    addresses = [
        *scene.search(wanted.host, RecordType.A),
        *scene.search(wanted.host, RecordType.AAAA),
    ]
    if not addresses:
        return None
    seen = f"{wanted.host} answers with the address {listed(addresses[:2])} and not with a CNAME"
    is_cloudflare = scene.dns_host is CLOUDFLARE or any(map(_is_cloudflare, addresses))
    if is_cloudflare:
        return Problem(
            "proxied_cname",
            f"{seen}: Cloudflare's proxy (the orange cloud) stands in front of it and hides it.",
            f"In Cloudflare, edit the record at {host_to_type(scene, wanted)} and switch the cloud "
            "from orange (Proxied) to grey (DNS only).",
        )
    return Problem(
        "proxied_cname",
        f"{seen}. Either a proxy of {company_name(scene)} stands in front of it, or an address "
        "record (A) was made there in place of the CNAME.",
        f"Switch the proxy off for {host_to_type(scene, wanted)}, or delete the A record there and "
        f"add the CNAME to {value_to_type(wanted)}.",
    )


def _is_cloudflare(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return any(parsed in each for each in _CLOUDFLARE_RANGES)


def _others_at_alias(scene: Scene, wanted: WantedRecord) -> Problem | None:
    others = [
        f"{each} “{excerpt(value)}”"
        for each in (RecordType.TXT, RecordType.MX)
        for value in scene.search(wanted.host, each)
    ]
    return beside_problem(scene, wanted, others) if others else None
