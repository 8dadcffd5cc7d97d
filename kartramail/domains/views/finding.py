"""The domain that an address names, in the account of who asks; nobody else's is ever found."""

from flask import abort

from kartramail.clock import now
from kartramail.domains.checklist import Checklist
from kartramail.domains.checks import check_domain, is_check_due
from kartramail.domains.keys import make_key_pairs
from kartramail.domains.service import give_keys, is_without_keys, load_checklist
from kartramail.web.access import database, installation, person


def find_checklist(domain: str) -> Checklist:
    """The checklist of this domain; 404 where the account has no such domain."""
    return _load(person().account_id, domain) or abort(404)


def find_with_keys(domain: str) -> Checklist:
    """The same; a domain that was added by itself gets its keys when somebody first looks."""
    checklist = find_checklist(domain)
    with database().reading() as session:
        if not is_without_keys(session, checklist.domain_id):
            return checklist
    keys = make_key_pairs()
    with database().transaction() as session:
        give_keys(session, checklist.domain_id, keys, installation().settings)
    return find_checklist(domain)


def find_for(account_id: int, domain: str) -> Checklist | None:
    """The checklist of another door than a signed-in person's: whoever holds the link."""
    return _load(account_id, domain)


def look(checklist: Checklist, *, is_forced: bool = False) -> bool:
    """Ask DNS, unless it was asked a few seconds ago; True where it was asked."""
    if not is_forced and not is_check_due(checklist, now()):
        return False
    check_domain(installation(), checklist.domain_id)
    return True


def _load(account_id: int, domain: str) -> Checklist | None:
    with database().reading() as session:
        return load_checklist(session, account_id, domain.lower(), installation())
