"""Looking at a domain's records and drawing the consequences (R-CHECK, R-DKIM, R-CLAIM)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from kartramail.clock import now
from kartramail.db import Database
from kartramail.domains import checks, transitions
from kartramail.domains.checks import check_domain
from kartramail.domains.keys import load_keys
from kartramail.domains.models import DomainState
from kartramail.domains.rounds import check_due_domains
from kartramail.domains.transitions import GRACE
from kartramail.installation import Installation
from kartramail.rules.dns_records import RecordState
from tests.support.cast import Actor
from tests.support.dns_server import EVERY_NAME, DnsServer
from tests.support.domains import add, authenticate, publish, publish_all, row_of, show
from tests.support.mailbox import templates_to

FOUND, NOT_FOUND = RecordState.FOUND, RecordState.NOT_FOUND


def states(installation: Installation, alice: Actor) -> dict[str, RecordState | None]:
    rows = show(installation, alice.account_id).rows
    return {row.wanted.key: row.state for row in rows}


def be_later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    at: datetime = now() + by
    for module in (checks, transitions):
        monkeypatch.setattr(module, "now", lambda: at)


def test_a_new_domain_was_not_looked_at_yet(installation: Installation, alice: Actor) -> None:
    add(installation, alice.account_id)
    assert set(states(installation, alice)) == {"km1", "km2", "km", "_dmarc"}
    assert set(states(installation, alice).values()) == {None}


def test_nothing_in_dns_is_not_found(
    installation: Installation, alice: Actor, dns: DnsServer
) -> None:
    check_domain(installation, add(installation, alice.account_id))
    assert set(states(installation, alice).values()) == {NOT_FOUND}
    assert show(installation, alice.account_id).state is DomainState.PENDING


def test_one_record_after_the_other_turns_green(
    installation: Installation, alice: Actor, dns: DnsServer
) -> None:
    """R-DKIM: authenticated when both selectors and the return path are found."""
    domain_id = add(installation, alice.account_id)
    for done, row in enumerate(show(installation, alice.account_id).needed, start=1):
        publish(dns, row.wanted)
        check_domain(installation, domain_id)
        checklist = show(installation, alice.account_id)
        assert checklist.missing == 3 - done
        assert checklist.is_authenticated == (done == 3)
    assert templates_to(installation, alice.email) == ["domain_authenticated"]
    check_domain(installation, domain_id)
    assert templates_to(installation, alice.email) == ["domain_authenticated"]


@pytest.mark.parametrize("fault", ["silent", "servfail", "refuse"])
def test_no_answer_changes_no_state(
    installation: Installation, alice: Actor, dns: DnsServer, fault: str
) -> None:
    """R-CHECK: a state flips to bad only on a complete answer."""
    domain_id = authenticate(installation, dns, alice.account_id)
    before = states(installation, alice)
    getattr(dns, fault)(EVERY_NAME)
    check_domain(installation, domain_id)
    assert states(installation, alice) == before
    checklist = show(installation, alice.account_id)
    assert checklist.is_authenticated
    assert checklist.lost_since is None
    assert all(row.unreachable_at for row in checklist.needed)


def test_a_first_look_without_answer_could_not_check(
    installation: Installation, alice: Actor, dns: DnsServer
) -> None:
    dns.servfail(EVERY_NAME)
    check_domain(installation, add(installation, alice.account_id))
    assert set(states(installation, alice).values()) == {RecordState.UNREACHABLE}


def test_what_is_gone_is_forgiven_for_a_while_and_then_lost(
    installation: Installation,
    alice: Actor,
    dns: DnsServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    domain_id = authenticate(installation, dns, alice.account_id)
    dns.remove("km2._domainkey.doeinc.com", "TXT")
    check_domain(installation, domain_id)
    checklist = show(installation, alice.account_id)
    assert states(installation, alice)["km2"] is NOT_FOUND
    assert checklist.is_authenticated
    assert checklist.lost_since is not None
    be_later(monkeypatch, GRACE + timedelta(minutes=1))
    check_domain(installation, domain_id)
    assert show(installation, alice.account_id).state is DomainState.LOST
    assert templates_to(installation, alice.email) == ["domain_authenticated", "domain_lost"]


def test_what_comes_back_in_time_was_never_lost(
    installation: Installation, alice: Actor, dns: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain_id = authenticate(installation, dns, alice.account_id)
    dns.remove("km.doeinc.com", "CNAME")
    check_domain(installation, domain_id)
    publish_all(dns, show(installation, alice.account_id))
    be_later(monkeypatch, GRACE + timedelta(minutes=1))
    check_domain(installation, domain_id)
    checklist = show(installation, alice.account_id)
    assert checklist.is_authenticated
    assert checklist.lost_since is None
    assert templates_to(installation, alice.email) == ["domain_authenticated"]


def test_a_lost_domain_heals(
    installation: Installation, alice: Actor, dns: DnsServer, db: Database
) -> None:
    domain_id = authenticate(installation, dns, alice.account_id)
    with db.transaction() as session:
        row_of(session, alice.account_id).state = DomainState.LOST
    check_domain(installation, domain_id)
    assert show(installation, alice.account_id).is_authenticated


def test_a_domain_that_is_gone_meanwhile_is_left_alone(installation: Installation) -> None:
    check_domain(installation, 12345)


def test_the_records_of_one_account_authenticate_no_other(
    installation: Installation, alice: Actor, charlie: Actor, dns: DnsServer
) -> None:
    """R-CLAIM: keys are per account, so DNS decides whose a domain is."""
    authenticate(installation, dns, alice.account_id)
    charlies = add(installation, charlie.account_id, number=1)
    check_domain(installation, charlies)
    checklist = show(installation, charlie.account_id)
    assert checklist.state is DomainState.PENDING
    assert {row.wanted.key: row.state for row in checklist.needed} == {
        "km1": RecordState.WRONG,
        "km2": RecordState.WRONG,
        "km": FOUND,
    }
    assert show(installation, alice.account_id).is_authenticated


def test_the_later_proof_takes_the_domain_at_once(
    installation: Installation, alice: Actor, charlie: Actor, dns: DnsServer
) -> None:
    authenticate(installation, dns, alice.account_id)
    authenticate(installation, dns, charlie.account_id, number=1)
    checklist = show(installation, alice.account_id)
    assert checklist.state is DomainState.CLAIMED
    assert templates_to(installation, alice.email) == ["domain_authenticated", "domain_claimed"]
    assert templates_to(installation, charlie.email) == ["domain_authenticated"]


def test_a_domain_goes_to_and_fro_as_dns_does(
    installation: Installation, alice: Actor, charlie: Actor, dns: DnsServer
) -> None:
    alices = authenticate(installation, dns, alice.account_id)
    authenticate(installation, dns, charlie.account_id, number=1)
    publish_all(dns, show(installation, alice.account_id))
    check_domain(installation, alices)
    assert show(installation, alice.account_id).is_authenticated
    assert show(installation, charlie.account_id).state is DomainState.CLAIMED


def test_no_answer_takes_no_domain_back(
    installation: Installation, alice: Actor, charlie: Actor, dns: DnsServer
) -> None:
    """R-CLAIM, R-CHECK: what was known before the other one's proof proves nothing."""
    alices = authenticate(installation, dns, alice.account_id)
    authenticate(installation, dns, charlie.account_id, number=1)
    dns.servfail(EVERY_NAME)
    check_domain(installation, alices)
    assert show(installation, alice.account_id).state is DomainState.CLAIMED
    assert show(installation, charlie.account_id).is_authenticated


def test_who_lost_a_domain_is_not_looked_at_again_at_once(
    installation: Installation, alice: Actor, charlie: Actor, dns: DnsServer, db: Database
) -> None:
    authenticate(installation, dns, alice.account_id)
    authenticate(installation, dns, charlie.account_id, number=1)
    with db.reading() as session:
        assert row_of(session, alice.account_id).next_check_at > now() + timedelta(minutes=4)
    check_due_domains(installation)
    assert templates_to(installation, alice.email) == ["domain_authenticated", "domain_claimed"]


def test_a_look_that_began_before_the_other_ones_proof_claims_nothing(
    installation: Installation,
    alice: Actor,
    charlie: Actor,
    dns: DnsServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alices = add(installation, alice.account_id)
    publish_all(dns, show(installation, alice.account_id))
    real = checks.read_spf

    def slow(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(checks, "read_spf", real)
        authenticate(installation, dns, charlie.account_id, number=1)
        publish_all(dns, show(installation, alice.account_id))
        return real(*arguments, **options)

    monkeypatch.setattr(checks, "read_spf", slow)
    check_domain(installation, alices)
    assert show(installation, charlie.account_id).is_authenticated
    assert show(installation, alice.account_id).state is DomainState.PENDING


def test_no_answer_loses_nothing_when_the_grace_is_over(
    installation: Installation,
    alice: Actor,
    dns: DnsServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    domain_id = authenticate(installation, dns, alice.account_id)
    dns.remove("km2._domainkey.doeinc.com", "TXT")
    check_domain(installation, domain_id)
    publish_all(dns, show(installation, alice.account_id))
    dns.servfail(EVERY_NAME)
    be_later(monkeypatch, GRACE + timedelta(minutes=1))
    check_domain(installation, domain_id)
    assert show(installation, alice.account_id).is_authenticated
    assert templates_to(installation, alice.email) == ["domain_authenticated"]


def test_an_older_look_does_not_overwrite_a_later_one(
    installation: Installation, alice: Actor, dns: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain_id = add(installation, alice.account_id)
    real = checks.read_spf

    def slow(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(checks, "read_spf", real)
        publish_all(dns, show(installation, alice.account_id))
        check_domain(installation, domain_id)
        return real(*arguments, **options)

    monkeypatch.setattr(checks, "read_spf", slow)
    check_domain(installation, domain_id)
    assert show(installation, alice.account_id).is_authenticated


def test_a_routine_look_does_not_forget_the_mistake(
    installation: Installation, alice: Actor, dns: DnsServer
) -> None:
    domain_id = add(installation, alice.account_id)
    (km1, *_) = show(installation, alice.account_id).rows
    dns.add(f"{km1.wanted.host}.doeinc.com", "TXT", km1.wanted.value)
    for is_thorough in (True, False):
        check_domain(installation, domain_id, is_thorough=is_thorough)
        problem = show(installation, alice.account_id).rows[0].problem
        assert problem is not None
        assert problem.code == "doubled_domain"
    dns.remove(f"{km1.wanted.host}.doeinc.com", "TXT")
    check_domain(installation, domain_id)
    assert show(installation, alice.account_id).rows[0].problem is None


def test_a_known_policy_is_not_forgotten_for_a_fault(
    installation: Installation, alice: Actor, dns: DnsServer, db: Database
) -> None:
    domain_id = add(installation, alice.account_id, "news.doeinc.com")
    dns.add("_dmarc.news.doeinc.com", "TXT", "v=DMARC1; p=reject")
    check_domain(installation, domain_id)
    dns.add("_dmarc.news.doeinc.com", "TXT", "v=DMARC1; p=none")  # two: both are discarded
    dns.servfail("_dmarc.doeinc.com")
    check_domain(installation, domain_id)
    with db.reading() as session:
        assert row_of(session, alice.account_id, "news.doeinc.com").dmarc_policy == "reject"


# DMARC: one judge for the row and the report


SHOP = "shop.doeinc.com"


def dmarc_of(installation: Installation, alice: Actor) -> tuple[Any, Any, list[str]]:
    """The state of the row, that of the report, and the code of the row's problem."""
    checklist = show(installation, alice.account_id, SHOP)
    row = next(row for row in checklist.rows if row.wanted.key == "_dmarc")
    with installation.db.reading() as session:
        report = row_of(session, alice.account_id, SHOP).report["dmarc"]["state"]
    return row.state, report, [row.problem.code] if row.problem else []


@pytest.mark.parametrize("text", [None, "v=spf1 -all"])
def test_an_inherited_dmarc_policy_is_not_lost_by_a_fault(
    installation: Installation, alice: Actor, dns: DnsServer, text: str | None
) -> None:
    """R-CHECK: without an answer from above it is not known whether there is a record."""
    domain_id = add(installation, alice.account_id, SHOP)
    dns.add("_dmarc.doeinc.com", "TXT", "v=DMARC1; p=reject")
    if text:
        dns.add(f"_dmarc.{SHOP}", "TXT", text)
    check_domain(installation, domain_id)
    assert dmarc_of(installation, alice) == (FOUND, FOUND, [])
    dns.servfail("_dmarc.doeinc.com")
    check_domain(installation, domain_id)
    assert dmarc_of(installation, alice)[0] is FOUND
    dns.heal("_dmarc.doeinc.com")
    dns.remove("_dmarc.doeinc.com")
    check_domain(installation, domain_id)
    assert dmarc_of(installation, alice)[0] is (RecordState.WRONG if text else NOT_FOUND)


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (["v=DMARC1; p=none; sp=rejct"], "syntax"),
        (["v=DMARC1; p=none; p=reject"], "syntax"),
        (["v=DMARC1; rua=mailto:d@doeinc.com"], "missing_policy"),
        (["v=DMARC1; p=all"], "not_a_record"),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], "two_dmarc_records"),
    ],
)
def test_a_dmarc_record_that_discovery_finds_wrong_is_not_shown_as_found(
    installation: Installation, alice: Actor, dns: DnsServer, texts: list[str], code: str
) -> None:
    domain_id = add(installation, alice.account_id, SHOP)
    for text in texts:
        dns.add(f"_dmarc.{SHOP}", "TXT", text)
    check_domain(installation, domain_id)
    wrong = RecordState.WRONG
    assert dmarc_of(installation, alice) == (wrong, wrong, [code])


def test_a_mistake_in_the_inherited_dmarc_record_is_named(
    installation: Installation, alice: Actor, dns: DnsServer
) -> None:
    dns.add("_dmarc.doeinc.com", "TXT", "v=DMARC1; p=none; sp=rejct")
    check_domain(installation, add(installation, alice.account_id, SHOP))
    wrong = RecordState.WRONG
    assert dmarc_of(installation, alice) == (wrong, wrong, ["syntax"])


@pytest.mark.parametrize("text", ["v=DMARC1; p=none", "V=DMARC1; p=none"])
def test_a_sentence_beside_a_dmarc_record_that_is_found_stays(
    installation: Installation, alice: Actor, dns: DnsServer, text: str
) -> None:
    domain_id = add(installation, alice.account_id, SHOP)
    dns.add(f"_dmarc.{SHOP}", "TXT", text)
    check_domain(installation, domain_id)
    assert dmarc_of(installation, alice) == (FOUND, FOUND, [])
    dns.add(f"_dmarc.{SHOP}", "CNAME", "elsewhere.doeinc.com")
    check_domain(installation, domain_id)
    assert dmarc_of(installation, alice) == (FOUND, FOUND, ["cname_beside_records"])


def test_what_stands_in_dns_is_kept_without_what_nobody_sees(
    installation: Installation, alice: Actor, dns: DnsServer
) -> None:
    domain_id = add(installation, alice.account_id)
    dns.add("km1._domainkey.doeinc.com", "TXT", "a\0b\x1bc\u202ed")
    dns.add("km2._domainkey.doeinc.com", "TXT", "x" * 9000)
    check_domain(installation, domain_id)
    km1, km2 = show(installation, alice.account_id).rows[:2]
    assert list(km1.found) == ["a\ufffdb\ufffdc\ufffdd"]
    assert [len(each) for each in km2.found] == [4096]


@pytest.mark.parametrize("beside", ["; n=" + "x" * 5000, "\t"])
def test_a_key_that_is_not_kept_as_it_stands_is_seen_all_the_same(
    installation: Installation, alice: Actor, dns: DnsServer, db: Database, beside: str
) -> None:
    domain_id = add(installation, alice.account_id)
    publish_all(dns, show(installation, alice.account_id))
    wanted = show(installation, alice.account_id).rows[0].wanted
    dns.remove(wanted.host)
    dns.add(wanted.host, "TXT", wanted.value + beside)
    check_domain(installation, domain_id)
    with db.reading() as session:
        assert all(key.seen_at for key in load_keys(session, domain_id))
