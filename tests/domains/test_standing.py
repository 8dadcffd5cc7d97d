"""Which addresses an authenticated domain speaks for (R-ALIGN), and since when others' ended."""

from typing import Any

import pytest
from sqlmodel import Session

from kartramail.clock import now
from kartramail.db import Database
from kartramail.domains.models import DomainClaim, DomainRecord, DomainState, SendingDomain
from kartramail.domains.standing import DomainStanding, domain_standing, domains_that_cover
from kartramail.rules.dmarc import Policy
from kartramail.rules.dns_records import RecordState
from tests.support.cast import Actor
from tests.support.domains import forget_domains


@pytest.fixture(autouse=True)
def _no_domains(db: Database, alice: Actor, charlie: Actor) -> None:
    forget_domains(db)


GREEN = {"state": DomainState.AUTHENTICATED}


def put(session: Session, account_id: int, domain: str, **values: Any) -> None:
    row = SendingDomain(account_id=account_id, domain=domain, zone=domain, **values)
    session.add(row)
    session.flush()
    if row.state is DomainState.AUTHENTICATED:
        for key in ("km1", "km2", "km"):
            session.add(DomainRecord(domain_id=row.id, key=key, state=RecordState.FOUND))


def standing(db: Database, actor: Actor, from_domain: str) -> DomainStanding:
    with db.reading() as session:
        return domain_standing(session, actor.account_id, from_domain)


def test_an_authenticated_domain_speaks_for_its_addresses(db: Database, alice: Actor) -> None:
    with db.transaction() as session:
        put(session, alice.account_id, "doeinc.com", **GREEN)
    found = standing(db, alice, "doeinc.com")
    assert found.is_authenticated
    assert found.can_pass
    assert (found.domain, found.return_path) == ("doeinc.com", "km.doeinc.com")


def test_and_for_those_on_its_subdomains(db: Database, alice: Actor) -> None:
    with db.transaction() as session:
        put(session, alice.account_id, "doeinc.com", **GREEN)
    found = standing(db, alice, "news.mail.doeinc.com")
    assert found.is_authenticated
    assert found.domain == "doeinc.com"


def test_but_not_where_its_dmarc_record_is_strict(db: Database, alice: Actor) -> None:
    with db.transaction() as session:
        put(session, alice.account_id, "doeinc.com", is_dkim_strict=True, **GREEN)
    assert not standing(db, alice, "news.doeinc.com").is_authenticated
    assert standing(db, alice, "doeinc.com").is_authenticated


@pytest.mark.parametrize("other", ["anotherbrand.com", "otherdoeinc.com", "com", "doeinc.co"])
def test_and_for_no_other_domain(db: Database, alice: Actor, other: str) -> None:
    with db.transaction() as session:
        put(session, alice.account_id, "doeinc.com", **GREEN)
    assert not standing(db, alice, other).is_authenticated


def test_a_subdomain_does_not_speak_for_the_domain_above(db: Database, alice: Actor) -> None:
    with db.transaction() as session:
        put(session, alice.account_id, "mail.doeinc.com", **GREEN)
    assert not standing(db, alice, "doeinc.com").is_authenticated


def test_another_accounts_domain_counts_for_nothing(
    db: Database, alice: Actor, charlie: Actor
) -> None:
    with db.transaction() as session:
        put(session, charlie.account_id, "doeinc.com", **GREEN)
    assert standing(db, alice, "doeinc.com") == DomainStanding("doeinc.com")


def test_the_policy_of_the_address_is_known(db: Database, alice: Actor) -> None:
    with db.transaction() as session:
        put(session, alice.account_id, "doeinc.com", dmarc_policy="reject")
    found = standing(db, alice, "doeinc.com")
    assert found.policy is Policy.REJECT
    assert found.is_lost_unsigned


def test_a_claim_of_another_account_is_told_and_ones_own_is_not(
    db: Database, alice: Actor, charlie: Actor
) -> None:
    at = now()
    with db.transaction() as session:
        claim = DomainClaim(domain="doeinc.com", account_id=charlie.account_id, claimed_at=at)
        session.add(claim)
    assert standing(db, alice, "news.doeinc.com").claimed_at == at
    assert standing(db, charlie, "doeinc.com").claimed_at is None


def test_it_asks_for_nothing_above_the_organization() -> None:
    assert domains_that_cover("a.b.doeinc.co.uk") == [
        "a.b.doeinc.co.uk",
        "b.doeinc.co.uk",
        "doeinc.co.uk",
    ]
    assert domains_that_cover("doeinc.test") == ["doeinc.test"]
    assert domains_that_cover("co.uk") == ["co.uk"]
