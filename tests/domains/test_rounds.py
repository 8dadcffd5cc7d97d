"""Domains that are due are checked; one that cannot be does not keep the others (R-CHECK)."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import col, update

from kartramail.clock import now
from kartramail.db import Database
from kartramail.domains import rounds
from kartramail.domains.models import DomainState, SendingDomain
from kartramail.domains.rounds import check_due_domains
from kartramail.domains.schedule import LOST_EVERY, next_check_at
from kartramail.domains.service import note_domain
from kartramail.installation import Installation
from tests.support.cast import Actor
from tests.support.dns_server import DnsServer
from tests.support.domains import add, forget_domains, publish_all, show


@pytest.fixture(autouse=True)
def _no_domains(db: Database, alice: Actor) -> None:
    forget_domains(db)


def test_what_is_due_is_checked_and_due_again_later(
    installation: Installation, alice: Actor, dns: DnsServer
) -> None:
    add(installation, alice.account_id)
    publish_all(dns, show(installation, alice.account_id))
    assert check_due_domains(installation) == 1
    assert show(installation, alice.account_id).is_authenticated
    assert check_due_domains(installation) == 0


def test_a_domain_that_was_added_by_itself_gets_its_keys(
    installation: Installation, alice: Actor, dns: DnsServer, db: Database
) -> None:
    with db.transaction() as session:
        note_domain(session, alice.account_id, "doeinc.com")
    assert len(show(installation, alice.account_id).rows) == 2
    check_due_domains(installation)
    assert len(show(installation, alice.account_id).rows) == 4


def test_one_that_fails_does_not_keep_the_others(
    installation: Installation,
    alice: Actor,
    dns: DnsServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = add(installation, alice.account_id, "doe-a.com")
    add(installation, alice.account_id, "doe-b.com")
    real = rounds.check_domain

    def check(installation: Installation, domain_id: int, *, is_thorough: bool) -> None:
        if domain_id == broken:
            raise RuntimeError("so the test wants it")
        real(installation, domain_id, is_thorough=is_thorough)

    monkeypatch.setattr(rounds, "check_domain", check)
    assert check_due_domains(installation) == 2
    assert show(installation, alice.account_id, "doe-a.com").checked_at is None
    assert show(installation, alice.account_id, "doe-b.com").checked_at is not None
    assert check_due_domains(installation) == 0


@pytest.mark.parametrize(
    ("values", "wait"),
    [
        ({}, timedelta(minutes=1)),
        ({"created_at": timedelta(hours=5)}, timedelta(minutes=10)),
        ({"created_at": timedelta(days=3)}, timedelta(hours=1)),
        ({"created_at": timedelta(days=30)}, timedelta(days=1)),
        ({"created_at": timedelta(days=30), "watched_at": timedelta(0)}, timedelta(minutes=1)),
        ({"state": DomainState.AUTHENTICATED}, timedelta(days=1)),
        ({"state": DomainState.AUTHENTICATED, "lost_since": timedelta(0)}, LOST_EVERY),
    ],
)
def test_it_is_often_while_one_waits_and_then_rarely(
    values: dict[str, object], wait: timedelta
) -> None:
    at = now()
    aged = {k: at - v if isinstance(v, timedelta) else v for k, v in values.items()}
    domain = SendingDomain(domain="doeinc.com", zone="doeinc.com", **aged)
    due: datetime = next_check_at(domain, at)
    assert wait * 0.9 <= due - at <= wait * 1.1


def test_the_platforms_made_up_domain_is_left_alone_in_a_try_out(
    installation: Installation, dns: DnsServer, db: Database
) -> None:
    from kartramail.domains.platform import ensure_platform_domain

    ensure_platform_domain(db, installation.settings)
    with db.transaction() as session:
        session.connection().execute(
            update(SendingDomain)
            .where(col(SendingDomain.account_id).is_(None))
            .values(next_check_at=now() - timedelta(days=1))
        )
    assert check_due_domains(installation) == 0
    assert dns.count("km1._domainkey.kartra.com") == 0
