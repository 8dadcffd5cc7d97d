"""R-CHECK: records that stand as they should, and looks that got no answer."""

import pytest

from kartramail.domains.doctor.scene import Scene, Zone
from kartramail.domains.look import look_at_records
from kartramail.rules.dns_records import RecordState
from tests.domains.doctoring import BOUNCES, DMARC, Practice, key_record, public_key
from tests.support.dns_server import EVERY_NAME, DnsServer

KEYS = ("km1", "km2", "km", "_dmarc")


@pytest.mark.parametrize("is_thorough", [True, False])
@pytest.mark.parametrize("is_cname", [True, False])
@pytest.mark.parametrize("domain", ["doeinc.com", "mail.doeinc.com"])
def test_it_finds_records_that_stand_as_wanted(
    dns: DnsServer, domain: str, is_cname: bool, is_thorough: bool
) -> None:
    practice = Practice(dns, domain, is_cname=is_cname)
    practice.put_right()
    look = practice.look(is_thorough=is_thorough)
    assert {key: look.findings[key].state for key in KEYS} == dict.fromkeys(KEYS, RecordState.FOUND)
    assert [each.problem for each in look.findings.values()] == [None] * 4
    assert look.findings["km"].found == (BOUNCES,)
    assert look.findings["_dmarc"].found == (DMARC,)
    assert look.findings["km"].ttl == 300


def test_nothing_there_is_not_found_without_a_guess(dns: DnsServer) -> None:
    look = Practice(dns).look()
    assert {each.state for each in look.findings.values()} == {RecordState.NOT_FOUND}
    assert [each.problem for each in look.findings.values()] == [None] * 4


def test_a_routine_look_asks_little(dns: DnsServer) -> None:
    """A hundred thousand domains are looked at in a day."""
    practice = Practice(dns)
    practice.look(is_thorough=False)
    assert dns.count() == 4
    practice.put_right()
    practice.look(is_thorough=False)
    before = dns.count()
    practice.look(is_thorough=False)
    assert dns.count() - before == 4 + 2  # and whether something stands beside the CNAME


@pytest.mark.parametrize("fault", ["servfail", "refuse", "malformed"])
@pytest.mark.parametrize("is_thorough", [True, False])
def test_a_server_that_fails_is_unreachable_and_never_not_found(
    dns: DnsServer, fault: str, is_thorough: bool
) -> None:
    practice = Practice(dns)
    practice.put_right()
    getattr(dns, fault)(EVERY_NAME)
    look = practice.look(is_thorough=is_thorough)
    assert {each.state for each in look.findings.values()} == {RecordState.UNREACHABLE}


def test_silence_is_unreachable(dns: DnsServer) -> None:
    practice = Practice(dns)
    practice.put_right()
    dns.silent(practice.host("km1"))
    look = practice.look()
    assert look.findings["km1"].state is RecordState.UNREACHABLE
    assert look.findings["km2"].state is RecordState.FOUND


def test_a_stopped_server_changes_no_state_to_bad() -> None:
    with DnsServer() as server:
        practice = Practice(server)
        practice.put_right()
        assert practice.finding("km1").state is RecordState.FOUND
    look = practice.look()
    assert {each.state for each in look.findings.values()} == {RecordState.UNREACHABLE}


def test_an_answer_is_never_taken_from_memory(dns: DnsServer) -> None:
    practice = Practice(dns)
    practice.put_right()
    practice.look(is_thorough=False)
    dns.remove(practice.host("km1"))
    assert practice.finding("km1", is_thorough=False).state is RecordState.NOT_FOUND


def test_an_older_key_counts_as_found_until_the_new_one_is_seen(dns: DnsServer) -> None:
    """R-DKIM."""
    practice = Practice(dns)
    practice.put_right("km1")
    practice.add(practice.host("km1"), "TXT", key_record("older"))
    assert practice.finding("km1").state is RecordState.WRONG
    practice.also("km1", key_record("older"))
    assert practice.finding("km1").state is RecordState.FOUND
    assert practice.finding("km1").problem is None


@pytest.mark.parametrize(
    "spelling",
    [
        "v=DKIM1;k=rsa;p={key}",
        "p={key}",
        "v=DKIM1; p={key};",
        "v = DKIM1 ; h=sha256 ; s=email ; t=s ; k=rsa; n=ours ; p={key} ; x=unknown",
    ],
)
def test_every_spelling_that_verifiers_take_is_found(dns: DnsServer, spelling: str) -> None:
    practice = Practice(dns)
    practice.put_right("km1")
    practice.add(practice.host("km1"), "TXT", spelling.format(key=public_key("km1")))
    assert practice.finding("km1").state is RecordState.FOUND
    assert practice.finding("km1").problem is None


def test_a_key_behind_a_cname_of_the_persons_own_is_found(dns: DnsServer) -> None:
    practice = Practice(dns)
    practice.put_right("km1")
    practice.add(practice.host("km1"), "CNAME", "keys.doeinc.com")
    practice.add("keys.doeinc.com", "TXT", key_record("km1"))
    assert practice.finding("km1").state is RecordState.FOUND
    assert practice.finding("km1").problem is None


@pytest.mark.parametrize(
    "record",
    ["v=DMARC1; p=reject; rua=mailto:d@doeinc.com", "v=DMARC1;p=quarantine", "v=DMARC1; rua=x"],
)
def test_any_sound_dmarc_record_is_found(dns: DnsServer, record: str) -> None:
    practice = Practice(dns)
    practice.add(practice.host("_dmarc"), "TXT", record)
    practice.add(practice.host("_dmarc"), "TXT", "something else")
    finding = practice.finding("_dmarc")
    assert (finding.state, finding.problem) == (RecordState.FOUND, None)


def test_a_thorough_look_knows_the_zone_and_its_servers(dns: DnsServer) -> None:
    practice = Practice(dns, "mail.doeinc.com")
    dns.add("doeinc.com", "NS", "Ns2.Provider.test")
    dns.add("doeinc.com", "NS", "ns1.provider.test")
    look = practice.look()
    assert look.zone == "doeinc.com"
    assert look.name_servers == ("ns1.provider.test", "ns2.provider.test")
    routine = practice.look(is_thorough=False)
    assert (routine.zone, routine.name_servers) == (None, ())


def test_nothing_wanted_is_nothing_found(dns: DnsServer) -> None:
    practice = Practice(dns)
    look = look_at_records(practice.resolver, None, "doeinc.com", (), is_thorough=True)
    assert look.findings == {}


def test_the_zone_of_an_alias_is_not_that_of_its_target(dns: DnsServer) -> None:
    """shop.doeinc.com is a shop's address, and what a shop's servers say is not for its records."""
    practice = Practice(dns, "shop.doeinc.com")
    dns.add("shop.doeinc.com", "CNAME", "shopfront.net")
    dns.add("shopfront.net", "NS", "ns1.shopfront.net")
    dns.add("doeinc.com", "NS", "ns1.provider.test")
    look = practice.look()
    assert (look.zone, look.name_servers) == ("doeinc.com", ("ns1.provider.test",))


def test_a_zone_that_may_be_an_alias_is_unknown(dns: DnsServer) -> None:
    practice = Practice(dns)
    dns.add("doeinc.com", "NS", "ns1.provider.test")
    dns.reply_by("doeinc.com", lambda query, true: [true.pack()] if query.q.qtype == 2 else [])
    assert Scene(practice.resolver, None, "doeinc.com", ()).zone == Zone()
