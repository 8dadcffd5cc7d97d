"""Domains of accounts for tests: added, their records put into DNS as they are shown, checked."""

from functools import cache

from sqlmodel import Session, delete

from kartramail.adapters.keys import KeyPair, generate_key_pair
from kartramail.db import Database
from kartramail.domains.checklist import Checklist
from kartramail.domains.checks import check_domain
from kartramail.domains.keys import SELECTORS, KeyPairs
from kartramail.domains.models import SendingDomain
from kartramail.domains.service import add_domain, find_domain, load_checklist
from kartramail.installation import Installation
from kartramail.rules.dns_records import Purpose, WantedRecord
from tests.support.dns_server import DnsServer


@cache
def _pair(number: int) -> KeyPair:
    return generate_key_pair()


def key_pairs(number: int = 0) -> KeyPairs:
    """Key pairs that are made once a test run; another number gives others."""
    return KeyPairs({name: _pair(2 * number + i) for i, name in enumerate(SELECTORS)})


def forget_domains(db: Database) -> None:
    """Take away the domains that are there because somebody signed up with an address on them."""
    with db.transaction() as session:
        session.connection().execute(delete(SendingDomain))


def add(
    installation: Installation, account_id: int, domain: str = "doeinc.com", number: int = 0
) -> int:
    """Add a domain to the account; returns its number. No two accounts may share keys."""
    with installation.db.transaction() as session:
        domain_id, _ = add_domain(
            session, account_id, domain, installation, user_id=None, keys=key_pairs(number)
        )
    return domain_id


def show(installation: Installation, account_id: int, domain: str = "doeinc.com") -> Checklist:
    """The domain as its page shows it."""
    with installation.db.reading() as session:
        checklist = load_checklist(session, account_id, domain, installation)
    assert checklist is not None
    return checklist


def row_of(session: Session, account_id: int, domain: str = "doeinc.com") -> SendingDomain:
    """The domain's row."""
    found = find_domain(session, account_id, domain)
    assert found is not None
    return found


def publish(dns: DnsServer, record: WantedRecord) -> None:
    """Put the record into DNS as it is wanted, in the place of what stands there."""
    dns.remove(record.host, record.type.value)
    dns.add(record.host, record.type.value, record.value)


def publish_all(dns: DnsServer, checklist: Checklist) -> None:
    """Put all records that authenticate the domain into DNS."""
    for row in checklist.rows:
        if row.wanted.purpose is not Purpose.DMARC:
            publish(dns, row.wanted)


def authenticate(
    installation: Installation,
    dns: DnsServer,
    account_id: int,
    domain: str = "doeinc.com",
    number: int = 0,
) -> int:
    """Add the domain, set its records, check it; returns its number."""
    domain_id = add(installation, account_id, domain, number)
    publish_all(dns, show(installation, account_id, domain))
    check_domain(installation, domain_id)
    assert show(installation, account_id, domain).is_authenticated
    return domain_id
