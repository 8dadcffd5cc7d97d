"""Each mistake, as it looks from outside: asked as a resolver, and of each server by itself."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from kartramail.adapters.authoritative import Authoritative
from kartramail.adapters.resolver import Resolver
from kartramail.domains.look import look_at_records
from kartramail.rules.dns_records import Finding, Purpose, RecordState, WantedRecord
from kartramail.rules.name_servers import NameServer
from kartramail.sandbox.practice_mistakes import MISTAKES, find_mistake, mistakes_for
from kartramail.sandbox.practice_zone import PracticeZone
from tests.sandbox.practice import (
    ALL,
    DMARC,
    DOMAIN,
    KM,
    KM1,
    KM1_ALIAS,
    KM2,
    KM2_ALIAS,
    ask,
    code,
    practice_dns,
    values,
)


@dataclass
class World:
    """A zone and the port of the servers that answer from it."""

    zone: PracticeZone
    port: int

    def seen(self, name: str, record_type: str) -> list[str]:
        return values(ask(self.port, name, record_type))

    def told(self, server: str, wanted: WantedRecord) -> list[str]:
        reply = ask(self.port, wanted.host, wanted.type, server=server, recursion=False, over="tcp")
        return values(reply)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    zone = PracticeZone(tmp_path / "practice.db")
    with practice_dns(zone.records) as port:
        yield World(zone, port)
    zone.close()


def shown(wanted: WantedRecord) -> list[str]:
    return [f"{wanted.value}."] if wanted.type == "CNAME" else [wanted.value]


@pytest.mark.parametrize("wanted", [*ALL, KM1_ALIAS], ids=lambda w: f"{w.key}-{w.type}")
def test_the_right_record_is_there_for_everybody(world: World, wanted: WantedRecord) -> None:
    assert code(ask(world.port, wanted.host, wanted.type)) == "NXDOMAIN"
    world.zone.publish(DOMAIN, wanted)
    assert world.seen(wanted.host, wanted.type) == shown(wanted)
    assert world.told("127.0.0.1", wanted) == world.told("127.0.0.2", wanted) == shown(wanted)
    world.zone.remove(DOMAIN, wanted)
    assert code(ask(world.port, wanted.host, wanted.type)) == "NXDOMAIN"


@pytest.mark.parametrize("wanted", [*ALL, KM1_ALIAS], ids=lambda w: f"{w.key}-{w.type}")
def test_every_mistake_changes_what_is_seen_and_heals(world: World, wanted: WantedRecord) -> None:
    others = [KM2_ALIAS if wanted.type == "CNAME" else KM2, KM1]
    questions = [
        (wanted.host, wanted.type),
        (wanted.host, "A"),
        (wanted.host, "CNAME"),
        (wanted.host, "TXT"),
        (DOMAIN, "TXT"),
    ]

    def everything() -> list[object]:
        alone = [world.told(server, wanted) for server in ("127.0.0.1", "127.0.0.2")]
        return [alone, [(code(r), values(r)) for r in (ask(world.port, *q) for q in questions)]]

    world.zone.publish(DOMAIN, wanted)
    right = everything()
    looks = {}
    for mistake in mistakes_for(wanted):
        world.zone.publish(DOMAIN, wanted, mistake.code, others)
        assert world.zone.state(DOMAIN, wanted.key) == mistake.code
        looks[mistake.code] = everything()
        assert looks[mistake.code] != right, mistake.code
        world.zone.publish(DOMAIN, wanted)
        assert everything() == right
    assert len(looks) > 5


CASES = [
    (KM1, "doubled_domain", f"{KM1.host}.{DOMAIN}", "TXT", [KM1.value]),
    (KM, "doubled_domain", f"{KM.host}.{DOMAIN}", "CNAME", ["bounces.kartra.com."]),
    (KM1, "wrong_name", f"km1.{DOMAIN}", "TXT", [KM1.value]),
    (DMARC, "wrong_name", f"dmarc.{DOMAIN}", "TXT", [DMARC.value]),
    (KM, "wrong_name", f"bounces.{DOMAIN}", "CNAME", ["bounces.kartra.com."]),
    (KM1, "quoted_value", KM1.host, "TXT", [f'"{KM1.value}"']),
    (DMARC, "quoted_value", DMARC.host, "TXT", [f'"{DMARC.value}"']),
    (KM1, "truncated_key", KM1.host, "TXT", [KM1.value[:255]]),
    (KM1, "revoked_key", KM1.host, "TXT", ["v=DKIM1; k=rsa; p="]),
    (KM1, "swapped_selectors", KM1.host, "TXT", [KM2.value]),
    (KM1_ALIAS, "swapped_selectors", KM1.host, "CNAME", [f"{KM2_ALIAS.value}."]),
    (DMARC, "two_dmarc_records", DMARC.host, "TXT", [DMARC.value, "v=DMARC1; p=reject"]),
    (KM, "proxied_cname", KM.host, "A", ["104.16.0.10", "104.16.0.11"]),
    (KM, "proxied_cname", KM.host, "CNAME", []),
    (KM, "wrong_type", KM.host, "TXT", ["bounces.kartra.com"]),
    (KM, "other_target", KM.host, "CNAME", ["mail.another.test."]),
    (KM, "wildcard", f"anything.{DOMAIN}", "CNAME", ["mail.another.test."]),
    (KM, "several_records", KM.host, "CNAME", ["bounces.kartra.com."]),
    (
        KM,
        "several_records",
        DOMAIN,
        "TXT",
        ["v=spf1 include:bounces.kartra.com ~all", "v=spf1 mx ~all"],
    ),
]


@pytest.mark.parametrize(("wanted", "mistake", "name", "record_type", "there"), CASES)
def test_it_stands_as_the_mistake_says(
    world: World, wanted: WantedRecord, mistake: str, name: str, record_type: str, there: list[str]
) -> None:
    others = [KM2_ALIAS if wanted.type == "CNAME" else KM2]
    world.zone.publish(DOMAIN, wanted, mistake, others)
    assert world.seen(name, record_type) == there


def test_a_wrapped_and_a_spaced_key_are_the_key_but_for_blanks(world: World) -> None:
    for mistake, blank in (("wrapped_key", "\n"), ("spaces_in_value", "  ")):
        world.zone.publish(DOMAIN, KM1, mistake)
        (text,) = world.seen(KM1.host, "TXT")
        assert blank in text
        assert text.replace(blank, "") == KM1.value


def test_two_keys_are_this_one_and_another_one(world: World) -> None:
    world.zone.publish(DOMAIN, KM1, "two_keys")
    first, second = world.seen(KM1.host, "TXT")
    assert KM1.value in (first, second)
    assert len(first) == len(second)
    assert first != second


def test_a_cname_and_another_record_cannot_stand_together(world: World) -> None:
    """RFC 1034 §3.6.2: servers leave the CNAME out, or confuse who asks."""
    world.zone.publish(DOMAIN, KM, "cname_beside_records")
    assert world.seen(KM.host, "CNAME") == []
    assert len(world.seen(KM.host, "TXT")) == 1
    world.zone.publish(DOMAIN, KM1, "cname_beside_records")
    assert world.seen(KM1.host, "CNAME") == ["mail.another.test."]
    assert world.seen(KM1.host, "TXT") == [KM1.value]


def test_a_wildcard_answers_beside_the_other_selector_too(world: World) -> None:
    """RFC 4592 §4.2: a wildcard further up does not reach below a name that exists."""
    world.zone.publish(DOMAIN, KM2)
    world.zone.publish(DOMAIN, KM1, "wildcard")
    for name in (KM1.host, f"x._domainkey.{DOMAIN}", f"x.{DOMAIN}"):
        assert world.seen(name, "TXT") == ["v=spf1 -all"]
    assert world.seen(KM2.host, "TXT") == [KM2.value]


@pytest.mark.parametrize("wanted", ALL, ids=lambda w: w.key)
def test_the_servers_disagree(world: World, wanted: WantedRecord) -> None:
    world.zone.publish(DOMAIN, wanted, "servers_disagree")
    assert world.seen(wanted.host, wanted.type) == []
    assert world.told("127.0.0.1", wanted) == shown(wanted)
    assert world.told("127.0.0.2", wanted) == []


@pytest.mark.parametrize("wanted", ALL, ids=lambda w: w.key)
def test_a_change_has_not_spread_to_the_resolver(world: World, wanted: WantedRecord) -> None:
    world.zone.publish(DOMAIN, wanted, "not_propagated")
    assert world.seen(wanted.host, wanted.type) == []
    assert world.told("127.0.0.1", wanted) == world.told("127.0.0.2", wanted) == shown(wanted)


def test_codes_are_unique_and_words_are_for_a_button() -> None:
    assert len({each.code for each in MISTAKES}) == len(MISTAKES)
    for each in MISTAKES:
        assert find_mistake(each.code) is each
        assert each.words[0].isupper()
        assert each.words[-1].isalpha()
    assert find_mistake("no_such_mistake") is None


@pytest.mark.parametrize(
    ("code", "purposes"),
    [
        ("truncated_key", {Purpose.DKIM}),
        ("two_dmarc_records", {Purpose.DMARC}),
        ("several_records", {Purpose.RETURN_PATH}),
        ("proxied_cname", {Purpose.RETURN_PATH}),
        ("doubled_domain", set(Purpose)),
    ],
)
def test_a_mistake_is_offered_where_it_can_be_made(code: str, purposes: set[Purpose]) -> None:
    mistake = find_mistake(code)
    assert mistake is not None
    assert {each.purpose for each in ALL if mistake.applies_to(each)} == purposes


OPERATORS = tuple(  # the operator's own zone is made up as well, for DKIM_RECORDS=cname
    replace(wanted, value=wanted.value.replace("kartra.com", "kartra.test"))
    for wanted in (KM1_ALIAS, KM2_ALIAS, KM)
)


@pytest.mark.parametrize("records", [ALL, (*OPERATORS, DMARC)], ids=["txt", "cname"])
def test_the_doctor_names_each_mistake_without_a_network(
    world: World, records: tuple[WantedRecord, ...]
) -> None:
    """R-CHECK: what the button breaks is what the page says, and healed it is green again."""
    for alias, key in zip(OPERATORS, (KM1, KM2), strict=False):
        behind = replace(key, host=alias.value, zone="dkim.kartra.test")
        world.zone.publish("kartra.test", behind)
    for wanted in records:
        world.zone.publish(DOMAIN, wanted)
    assert {each.state for each in look(world, records).values()} == {RecordState.FOUND}
    for wanted in records:
        for mistake in mistakes_for(wanted):
            world.zone.publish(DOMAIN, wanted, mistake.code, records)
            finding = look(world, records)[wanted.key]
            if mistake.code == "several_records":  # it is SPF's, and this record is right
                assert finding.state is RecordState.FOUND
            else:
                assert finding.problem is not None, (wanted.key, mistake.code)
                assert finding.problem.code == mistake.code, wanted.key
            world.zone.publish(DOMAIN, wanted)
    assert not [each for each in look(world, records).values() if each.problem]


def look(world: World, records: tuple[WantedRecord, ...]) -> dict[str, Finding]:
    """What a thorough look finds where nothing but the practice DNS can be reached."""
    nowhere = ["127.0.0.1:1"]
    resolver = Resolver(nowhere, timeout=5, practice=NameServer("127.0.0.1", world.port))
    authoritative = Authoritative(resolver, world.port, 5)
    return look_at_records(resolver, authoritative, DOMAIN, records, is_thorough=True).findings
