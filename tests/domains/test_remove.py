"""Removing a domain: its mail falls back at once, and nothing that holds is forgotten (R-CLAIM)."""

from datetime import timedelta

from sqlmodel import select, update

from kartramail.clock import now
from kartramail.db import Database
from kartramail.domains.checks import check_domain
from kartramail.domains.models import DomainKey, DomainState
from kartramail.domains.rounds import forget_removed_keys
from kartramail.domains.service import find_domain, list_domains, note_domain, remove_domain
from kartramail.installation import Installation
from kartramail.messages.resolution import Resolution, resolve_sender
from kartramail.senders.standing import gateway_standing
from tests.support.cast import Actor
from tests.support.dns_server import DnsServer
from tests.support.domains import add, authenticate, publish_all, show


def remove(db: Database, actor: Actor) -> None:
    with db.transaction() as session:
        remove_domain(session, actor.account_id, "doeinc.com", user_id=actor.user_id)


def sender(db: Database, actor: Actor) -> Resolution:
    with db.reading() as session:
        return resolve_sender(gateway_standing(session, actor.account_id, "kartra.com"))


def test_it_is_gone_from_every_list(
    db: Database, installation: Installation, alice: Actor, dns: DnsServer
) -> None:
    authenticate(installation, dns, alice.account_id)
    remove(db, alice)
    with db.reading() as session:
        assert find_domain(session, alice.account_id, "doeinc.com") is None
        assert list_domains(session, alice.account_id) == []


def test_what_its_dmarc_record_asks_for_still_holds(
    db: Database, installation: Installation, alice: Actor, dns: DnsServer
) -> None:
    """R-LOWDELIV: the proven mailbox is left, and receivers refuse what is not signed."""
    dns.add("_dmarc.doeinc.com", "TXT", "v=DMARC1; p=reject")
    domain_id = authenticate(installation, dns, alice.account_id)
    assert sender(db, alice).signing_domain == "doeinc.com"
    remove(db, alice)
    assert sender(db, alice).code == "dmarc_policy"
    dns.remove("_dmarc.doeinc.com", "TXT")
    dns.add("_dmarc.doeinc.com", "TXT", "v=DMARC1; p=none")
    check_domain(installation, domain_id)
    assert sender(db, alice).code == "proven_mailbox"


def test_it_can_be_added_again(
    db: Database, installation: Installation, alice: Actor, dns: DnsServer
) -> None:
    authenticate(installation, dns, alice.account_id)
    remove(db, alice)
    domain_id = add(installation, alice.account_id)
    checklist = show(installation, alice.account_id)
    assert (checklist.state, checklist.rows[0].state) == (DomainState.PENDING, None)
    publish_all(dns, checklist)
    check_domain(installation, domain_id)
    assert sender(db, alice).signing_domain == "doeinc.com"


def test_saving_an_address_on_it_brings_it_back(
    db: Database, installation: Installation, alice: Actor
) -> None:
    add(installation, alice.account_id)
    remove(db, alice)
    with db.transaction() as session:
        note_domain(session, alice.account_id, "doeinc.com")
    assert show(installation, alice.account_id).state is DomainState.PENDING


def test_its_keys_stay_until_nobody_looks_at_their_signatures(
    db: Database, installation: Installation, alice: Actor, dns: DnsServer
) -> None:
    """R-DKIM: an old key stays valid seven days after its last signature."""
    authenticate(installation, dns, alice.account_id)
    for used, left in ((now(), 2), (now() - timedelta(days=8), 0)):
        with db.transaction() as session:
            session.connection().execute(update(DomainKey).values(last_used_at=used))
        if used > now() - timedelta(days=1):
            remove(db, alice)
        forget_removed_keys(installation)
        with db.reading() as session:
            assert len(session.exec(select(DomainKey)).all()) == left
