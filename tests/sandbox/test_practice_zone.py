"""What was published for made-up domains, in its file."""

import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kartramail.sandbox.practice_records import PracticeRecord
from kartramail.sandbox.practice_zone import PracticeZone
from tests.sandbox.practice import DMARC, DOMAIN, KM, KM1, KM2


@pytest.fixture
def zone(tmp_path: Path) -> Iterator[PracticeZone]:
    opened = PracticeZone(tmp_path / "made" / "practice.db")
    yield opened
    opened.close()


def record_of(wanted: object) -> PracticeRecord:
    return PracticeRecord(wanted.host, wanted.type, wanted.value)


def test_nothing_is_published_at_first(zone: PracticeZone) -> None:
    assert zone.state(DOMAIN, "km1") == "absent"
    assert zone.records(DOMAIN) == ()


def test_a_record_is_published_broken_healed_and_taken_away(zone: PracticeZone) -> None:
    zone.publish(DOMAIN, KM1)
    assert zone.state(DOMAIN, "km1") == "right"
    assert zone.records(DOMAIN) == (record_of(KM1),)
    zone.publish(DOMAIN, KM1, "truncated_key")
    assert zone.state(DOMAIN, "km1") == "truncated_key"
    assert [each.value for each in zone.records(DOMAIN)] == [KM1.value[:255]]
    zone.publish(DOMAIN, KM1)
    assert zone.records(DOMAIN) == (record_of(KM1),)
    zone.remove(DOMAIN, KM1)
    assert zone.state(DOMAIN, "km1") == "absent"
    assert zone.records(DOMAIN) == ()


def test_each_record_is_by_itself(zone: PracticeZone) -> None:
    for wanted in (KM1, KM2, KM, DMARC):
        zone.publish(DOMAIN, wanted)
    zone.remove(DOMAIN, KM2)
    assert zone.records(f"km1._domainkey.{DOMAIN}") == tuple(map(record_of, (KM1, KM, DMARC)))
    assert zone.state(DOMAIN, "km2") == "absent"


def test_names_are_taken_in_any_case_and_with_a_final_dot(zone: PracticeZone) -> None:
    zone.publish("DoeInc.TEST.", replace(KM, host="KM.DoeInc.test."))
    assert zone.state(DOMAIN, "km") == "right"
    assert zone.records("WWW.doeinc.test.") == (record_of(KM),)


def test_domains_are_apart(zone: PracticeZone) -> None:
    zone.publish(DOMAIN, KM)
    assert zone.records("other.test") == ()
    assert zone.state("other.test", "km") == "absent"


def test_a_second_one_with_its_own_keys_takes_the_place(zone: PracticeZone) -> None:
    """R-CLAIM can be seen: what stands in DNS is what was published last."""
    zone.publish(DOMAIN, KM1)
    other = replace(KM1, value=KM2.value)
    zone.publish(DOMAIN, other)
    assert zone.records(DOMAIN) == (record_of(other),)


def test_another_process_sees_it_and_a_restart_keeps_it(tmp_path: Path) -> None:
    writing, reading = (PracticeZone(tmp_path / "practice.db") for _ in range(2))
    writing.publish(DOMAIN, KM1, "not_propagated")
    found = reading.records(DOMAIN)
    writing.close()
    reading.close()
    again = PracticeZone(tmp_path / "practice.db")
    assert again.records(DOMAIN) == found != ()
    assert again.state(DOMAIN, "km1") == "not_propagated"
    again.close()


def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "practice.db"
    PracticeZone(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_swapped_selectors_knows_what_was_published_before(zone: PracticeZone) -> None:
    zone.publish(DOMAIN, KM2)
    zone.publish(DOMAIN, KM1, "swapped_selectors")
    assert {each.host: each.value for each in zone.records(DOMAIN)} == {
        KM1.host: KM2.value,
        KM2.host: KM2.value,
    }


@pytest.mark.parametrize(
    ("domain", "wanted", "mistake"),
    [
        ("doeinc.com", replace(KM, host="km.doeinc.com", zone="doeinc.com"), None),
        (DOMAIN, replace(KM, host="km.doeinc.com"), None),
        ("test", replace(KM, host="test"), None),
        (DOMAIN, KM, "truncated_key"),
        (DOMAIN, KM, "no_such_mistake"),
        (DOMAIN, KM1, "swapped_selectors"),  # nobody said what the other one is
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    zone: PracticeZone, domain: str, wanted: object, mistake: str | None
) -> None:
    with pytest.raises(ValueError, match=r"is no |is needed"):
        zone.publish(domain, wanted, mistake)
    assert zone.state(domain, wanted.key) == "absent"
