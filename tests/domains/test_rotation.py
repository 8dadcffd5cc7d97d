"""Replacing keys without a signature that cannot be verified at any moment (R-DKIM)."""

from datetime import timedelta

import pytest
from sqlmodel import col, select, update

from kartramail.clock import now
from kartramail.db import Database
from kartramail.domains.checks import check_domain
from kartramail.domains.keys import load_keys, make_key_pairs
from kartramail.domains.models import DomainKey, SendingDomain
from kartramail.domains.rotation import VALID_AFTER_LAST_SIGNATURE, start_replacement
from kartramail.domains.rounds import replace_old_keys
from kartramail.domains.signers import Signers
from kartramail.installation import Installation
from kartramail.rules.dkim import build_key_record
from tests.support.cast import Actor
from tests.support.dns_server import DnsServer
from tests.support.domains import authenticate, publish, publish_all, show

OLD = timedelta(days=200)


@pytest.fixture
def domain_id(installation: Installation, alice: Actor, dns: DnsServer) -> int:
    return authenticate(installation, dns, alice.account_id)


def replace(installation: Installation, domain_id: int) -> bool:
    keys = make_key_pairs()
    with installation.db.transaction() as session:
        return start_replacement(session, domain_id, keys, installation.settings, user_id=None)


def keys_of(db: Database, domain_id: int) -> list[tuple[str, bool]]:
    """Selectors of the keys, the newest first, and whether each was seen in DNS."""
    with db.reading() as session:
        return [(key.selector, key.seen_at is not None) for key in load_keys(session, domain_id)]


def change_key(db: Database, selector: str, **values: object) -> None:
    with db.transaction() as session:
        session.connection().execute(
            update(DomainKey).where(col(DomainKey.selector) == selector).values(**values)
        )


def signing_selector(installation: Installation, alice: Actor) -> str:
    key = Signers(installation.settings).get(installation.db, alice.account_id, "doeinc.com")
    assert key is not None
    return key.selector


def test_the_resting_selector_gets_the_new_key(
    installation: Installation, alice: Actor, db: Database, domain_id: int
) -> None:
    assert replace(installation, domain_id)
    assert keys_of(db, domain_id)[0] == ("km2", False)
    assert show(installation, alice.account_id).new_key_for == "km2"
    assert signing_selector(installation, alice) == "km1"


def test_the_old_key_counts_as_found_until_the_new_one_is_seen(
    installation: Installation, alice: Actor, dns: DnsServer, db: Database, domain_id: int
) -> None:
    replace(installation, domain_id)
    check_domain(installation, domain_id)
    checklist = show(installation, alice.account_id)
    assert checklist.is_authenticated
    assert checklist.missing == 0
    assert checklist.new_key_for == "km2"
    assert signing_selector(installation, alice) == "km1"


def test_the_new_key_signs_once_it_was_seen(
    installation: Installation, alice: Actor, dns: DnsServer, db: Database, domain_id: int
) -> None:
    replace(installation, domain_id)
    publish_all(dns, show(installation, alice.account_id))
    check_domain(installation, domain_id)
    assert signing_selector(installation, alice) == "km2"
    checklist = show(installation, alice.account_id)
    assert (checklist.is_authenticated, checklist.new_key_for) == (True, None)
    assert sorted(keys_of(db, domain_id)) == [("km1", True), ("km2", True)]


def test_no_key_is_replaced_within_seven_days_of_its_last_signature(
    installation: Installation, alice: Actor, dns: DnsServer, db: Database, domain_id: int
) -> None:
    assert signing_selector(installation, alice) == "km1"  # and notes the use
    replace(installation, domain_id)
    publish_all(dns, show(installation, alice.account_id))
    check_domain(installation, domain_id)
    assert signing_selector(installation, alice) == "km2"
    assert not replace(installation, domain_id)
    change_key(db, "km1", last_used_at=now() - VALID_AFTER_LAST_SIGNATURE - timedelta(hours=1))
    assert replace(installation, domain_id)
    assert keys_of(db, domain_id)[0] == ("km1", False)


def test_a_second_replacement_waits_for_the_first(
    installation: Installation, domain_id: int
) -> None:
    assert replace(installation, domain_id)
    assert not replace(installation, domain_id)


def test_a_domain_that_is_not_authenticated_replaces_nothing(
    installation: Installation, db: Database, alice: Actor, domain_id: int
) -> None:
    with db.transaction() as session:
        session.connection().execute(update(SendingDomain).values(state="lost"))
    assert not replace(installation, domain_id)


def test_it_is_proposed_when_the_key_is_old(
    installation: Installation, alice: Actor, db: Database, domain_id: int
) -> None:
    assert not show(installation, alice.account_id).should_replace_key
    change_key(db, "km1", created_at=now() - OLD)
    checklist = show(installation, alice.account_id)
    assert checklist.can_replace_key
    assert checklist.should_replace_key


def test_with_txt_records_nothing_is_replaced_by_itself(
    installation: Installation, db: Database, domain_id: int
) -> None:
    change_key(db, "km1", created_at=now() - OLD)
    replace_old_keys(installation)
    assert len(keys_of(db, domain_id)) == 2


def test_a_key_that_goes_back_to_an_old_value_does_not_hide_the_new_one(
    installation: Installation, alice: Actor, dns: DnsServer, db: Database, domain_id: int
) -> None:
    """Once the new key was seen, the old one no longer counts."""
    with db.reading() as session:
        old = next(key for key in load_keys(session, domain_id) if key.selector == "km2")
    replace(installation, domain_id)
    wanted = next(
        r.wanted for r in show(installation, alice.account_id).rows if r.wanted.key == "km2"
    )
    publish(dns, wanted)
    check_domain(installation, domain_id)
    dns.remove(wanted.host, "TXT")
    dns.add(wanted.host, "TXT", build_key_record(old.public))
    check_domain(installation, domain_id)
    row = next(r for r in show(installation, alice.account_id).rows if r.wanted.key == "km2")
    assert row.state == "wrong"
    assert signing_selector(installation, alice) == "km1"


def test_private_keys_are_sealed_at_rest(db: Database, domain_id: int) -> None:
    with db.reading() as session:
        for key in session.exec(select(DomainKey)):
            assert "PRIVATE" not in key.private_sealed
            assert key.private_sealed.startswith("gAAAA")


@pytest.mark.parametrize("is_thorough", [True, False])
def test_a_new_key_beside_the_old_one_does_not_sign_and_loses_nothing(
    installation: Installation, alice: Actor, dns: DnsServer, domain_id: int, is_thorough: bool
) -> None:
    """Verifiers take any of the two."""
    replace(installation, domain_id)
    wanted = next(
        r.wanted for r in show(installation, alice.account_id).rows if r.wanted.key == "km2"
    )
    old = wanted.also[0]
    dns.add(wanted.host, "TXT", wanted.value)
    check_domain(installation, domain_id, is_thorough=is_thorough)
    checklist = show(installation, alice.account_id)
    row = next(r for r in checklist.rows if r.wanted.key == "km2")
    assert row.problem is not None
    assert (row.state, row.problem.code) == ("found", "two_keys")
    assert (checklist.is_authenticated, checklist.lost_since) == (True, None)
    assert checklist.new_key_for == "km2"
    assert signing_selector(installation, alice) == "km1"
    publish(dns, wanted)
    check_domain(installation, domain_id, is_thorough=is_thorough)
    assert signing_selector(installation, alice) == "km2"
    assert show(installation, alice.account_id).rows[1].wanted.also == ()
    assert old != wanted.value


def test_a_new_key_that_stands_there_twice_signs(
    installation: Installation, alice: Actor, dns: DnsServer, domain_id: int
) -> None:
    replace(installation, domain_id)
    wanted = show(installation, alice.account_id).rows[1].wanted
    publish(dns, wanted)
    dns.add(wanted.host, "TXT", wanted.value.replace("k=rsa; ", ""))
    check_domain(installation, domain_id)
    assert signing_selector(installation, alice) == "km2"
