"""DKIM_RECORDS=cname: CNAMEs into the operator's zone, set once for ever (R-RECORDS)."""

from datetime import timedelta

import pytest
from sqlmodel import update

from kartramail.clock import now
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.domains import rounds
from kartramail.domains.checks import check_domain
from kartramail.domains.keys import load_keys
from kartramail.domains.models import DomainKey, DomainState, SendingDomain
from kartramail.domains.operator_zone import operator_zone
from kartramail.domains.rounds import replace_old_keys
from kartramail.domains.signers import Signers
from kartramail.ids import show_id
from kartramail.installation import Installation
from kartramail.rules.dkim import build_key_record
from tests.conftest import make_settings
from tests.support.cast import Actor
from tests.support.dns_server import DnsServer
from tests.support.domains import add, key_pairs, publish_all, show


@pytest.fixture
def settings(database_url: str, dns: DnsServer) -> Settings:
    return make_settings(database_url, dns_nameservers=(dns.address,), dkim_records="cname")


def load_operator_zone(installation: Installation, dns: DnsServer) -> None:
    """Put what `dns-zone` prints about keys of accounts into DNS, as a name server would."""
    with installation.db.reading() as session:
        lines = list(operator_zone(session, installation.settings))
    for line in lines:
        if ".dkim.kartra.com." in line and not line.startswith(";"):
            host, _, _, rtype, data = line.split("\t")
            dns.remove(host, rtype)
            dns.add(host, rtype, *[part.encode() for part in data.strip('"').split('" "')])


def test_the_selectors_are_cnames_to_names_of_this_domain_alone(
    installation: Installation, alice: Actor, charlie: Actor
) -> None:
    domain_id = add(installation, alice.account_id)
    add(installation, charlie.account_id, number=1)
    rows = show(installation, alice.account_id).rows
    assert [(r.wanted.type, r.wanted.value) for r in rows[:3]] == [
        ("CNAME", f"km1.{show_id(domain_id)}.dkim.kartra.com"),
        ("CNAME", f"km2.{show_id(domain_id)}.dkim.kartra.com"),
        ("CNAME", "bounces.kartra.com"),
    ]
    theirs = show(installation, charlie.account_id).rows
    assert {r.wanted.value for r in rows[:2]}.isdisjoint(r.wanted.value for r in theirs)


def test_it_is_authenticated_when_the_keys_are_seen_through_them(
    installation: Installation, alice: Actor, dns: DnsServer
) -> None:
    domain_id = add(installation, alice.account_id)
    publish_all(dns, show(installation, alice.account_id))
    check_domain(installation, domain_id)
    checklist = show(installation, alice.account_id)
    assert checklist.state is DomainState.PENDING
    assert checklist.rows[0].problem is not None
    assert checklist.rows[0].problem.code == "operator_zone"
    load_operator_zone(installation, dns)
    check_domain(installation, domain_id)
    assert show(installation, alice.account_id).is_authenticated


def test_a_cname_alone_is_not_enough(
    installation: Installation, alice: Actor, dns: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither without an answer about the key behind it, nor with the key of somebody else."""
    domain_id = add(installation, alice.account_id)
    publish_all(dns, show(installation, alice.account_id))
    load_operator_zone(installation, dns)
    hosts = [row.wanted.value for row in show(installation, alice.account_id).rows[:2]]
    monkeypatch.setattr(
        dns, "chases", False
    )  # so that what is behind the alias is asked for by its own name
    for host in hosts:
        dns.servfail(host)
    check_domain(installation, domain_id)
    assert show(installation, alice.account_id).state is DomainState.PENDING
    for host in hosts:
        dns.heal(host)
        dns.remove(host, "TXT")
        dns.add(host, "TXT", build_key_record(key_pairs(7).by_selector["km1"].public))
    check_domain(installation, domain_id)
    row = show(installation, alice.account_id).rows[0]
    assert row.state == "wrong"
    assert row.problem is not None
    assert row.problem.code == "operator_zone"
    assert show(installation, alice.account_id).state is DomainState.PENDING


def test_many_that_wait_for_the_zone_do_not_keep_others_from_their_turn(
    installation: Installation,
    alice: Actor,
    dns: DnsServer,
    db: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rounds, "_AT_A_TIME", 2)
    domains = [f"doe-{number}.com" for number in range(5)]
    ids = [add(installation, alice.account_id, domain) for domain in domains]
    for domain, domain_id in zip(domains, ids, strict=True):
        publish_all(dns, show(installation, alice.account_id, domain))
        load_operator_zone(installation, dns)
        check_domain(installation, domain_id)
    long_ago = now() - timedelta(days=200)
    with db.transaction() as session:
        session.connection().execute(update(DomainKey).values(created_at=long_ago))
        session.connection().execute(update(SendingDomain).values(authenticated_at=long_ago))
    replace_old_keys(installation)
    replace_old_keys(installation)
    with db.reading() as session:
        assert {len(load_keys(session, domain_id)) for domain_id in ids} == {3}


def test_old_keys_are_replaced_by_schedule_and_without_a_gap(
    installation: Installation, alice: Actor, dns: DnsServer, db: Database
) -> None:
    domain_id = add(installation, alice.account_id)
    publish_all(dns, show(installation, alice.account_id))
    load_operator_zone(installation, dns)
    check_domain(installation, domain_id)
    long_ago = now() - timedelta(days=200)
    with db.transaction() as session:
        session.connection().execute(update(DomainKey).values(created_at=long_ago))
        session.connection().execute(update(SendingDomain).values(authenticated_at=long_ago))
    replace_old_keys(installation)
    check_domain(installation, domain_id)
    assert _selector(installation, alice) == "km1"  # the operator's zone does not have it yet
    assert show(installation, alice.account_id).is_authenticated
    load_operator_zone(installation, dns)
    check_domain(installation, domain_id)
    assert _selector(installation, alice) == "km2"
    assert show(installation, alice.account_id).is_authenticated
    with db.reading() as session:
        assert len(load_keys(session, domain_id)) == 2


def _selector(installation: Installation, alice: Actor) -> str:
    key = Signers(installation.settings).get(installation.db, alice.account_id, "doeinc.com")
    assert key is not None
    return key.selector
