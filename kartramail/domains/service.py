"""Domains of an account: add, show, remove (R-DOMAIN). Every query names its account."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, literal, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, delete, select, update
from sqlmodel.sql.expression import SelectOfScalar

from kartramail.accounts.history import record_change
from kartramail.clock import now
from kartramail.config import Settings
from kartramail.domains.checklist import Checklist, ChecklistRow
from kartramail.domains.keys import KeyPairs, load_keys, store_keys
from kartramail.domains.models import (
    DomainClaim,
    DomainKey,
    DomainRecord,
    DomainState,
    SendingDomain,
)
from kartramail.domains.records import wanted_records
from kartramail.domains.rotation import key_state
from kartramail.domains.rows import claim_row, find_row
from kartramail.errors import NotFound
from kartramail.installation import Installation
from kartramail.rules.dns_records import Problem, WantedRecord


def find_domain(session: Session, account_id: int, domain: str) -> SendingDomain | None:
    """The row of this domain in this account."""
    return find_row(session, account_id, domain)


def list_domains(session: Session, account_id: int) -> list[SendingDomain]:
    """The account's domains, the newest first.

    Without those that are only there because an address on them was saved, where an authenticated
    domain above speaks for them: there is nothing to do about these.
    """
    statement = _shown_domains(account_id)
    return list(session.exec(statement.order_by(col(SendingDomain.id).desc())))


def _shown_domains(account_id: int) -> SelectOfScalar[SendingDomain]:
    above = aliased(SendingDomain)
    is_spoken_for = (
        select(above.id)
        .where(
            above.account_id == account_id,
            above.state == DomainState.AUTHENTICATED,
            literal(".").concat(col(above.domain)) == _ending(col(SendingDomain.domain), above),
        )
        .exists()
    )
    return select(SendingDomain).where(
        SendingDomain.account_id == account_id,
        SendingDomain.state != DomainState.REMOVED,
        or_(col(SendingDomain.added_at).is_not(None), ~is_spoken_for),
    )


def _ending(name: Any, above: Any) -> Any:
    """The end of `name` that is as long as a dot and the domain above."""
    length = func.length(above.domain) + 1
    return func.substr(name, func.length(name) - length + 1, length)


def list_domain_page(
    session: Session, account_id: int, *, before: int | None, limit: int
) -> list[SendingDomain]:
    """A part of the same list: those older than the domain of that number."""
    statement = _shown_domains(account_id)
    if before is not None:
        statement = statement.where(SendingDomain.id < before)
    return list(session.exec(statement.order_by(col(SendingDomain.id).desc()).limit(limit)))


def load_checklist(
    session: Session, account_id: int, domain: str, installation: Installation
) -> Checklist | None:
    """The domain as it is shown; None where this account has no such domain."""
    found = find_domain(session, account_id, domain)
    return make_checklist(session, found, installation.settings) if found else None


def list_checklists(
    session: Session, account_id: int, installation: Installation
) -> list[Checklist]:
    """All domains of the account as they are shown, the newest first."""
    return [
        make_checklist(session, domain, installation.settings)
        for domain in list_domains(session, account_id)
    ]


def make_checklist(session: Session, domain: SendingDomain, settings: Settings) -> Checklist:
    """The domain with its records and what was last seen of them."""
    keys = load_keys(session, domain.id)
    seen = {
        record.key: record
        for record in session.exec(select(DomainRecord).where(DomainRecord.domain_id == domain.id))
    }
    wanted = wanted_records(domain, keys, settings)
    replacing = key_state(domain, keys, settings)
    return Checklist(
        domain_id=domain.id,
        account_id=domain.account_id,
        domain=domain.domain,
        zone=domain.zone,
        state=domain.state,
        rows=tuple(_row(record, seen.get(record.key)) for record in wanted),
        spf=domain.report.get("spf"),
        dmarc=domain.report.get("dmarc"),
        name_servers=tuple(domain.report.get("name_servers", ())),
        is_practice=settings.has_practice_dns and domain.domain.endswith(".test"),
        authenticated_at=domain.authenticated_at,
        lost_since=domain.lost_since,
        checked_at=domain.checked_at,
        signing_selector=domain.signing_selector,
        new_key_for=replacing.waiting_for,
        can_replace_key=replacing.can_start,
        should_replace_key=replacing.is_time,
    )


def _row(wanted: WantedRecord, seen: DomainRecord | None) -> ChecklistRow:
    if seen is None:
        return ChecklistRow(wanted)
    return ChecklistRow(
        wanted,
        state=seen.state,
        found=tuple(seen.found),
        problem=Problem(**seen.problem) if seen.problem else None,
        since=seen.since,
        checked_at=seen.checked_at,
        unreachable_at=seen.unreachable_at,
    )


def add_domain(
    session: Session,
    account_id: int,
    domain: str,
    installation: Installation,
    *,
    user_id: int | None,
    keys: KeyPairs,
) -> tuple[int, bool]:
    """Add a judged domain with these fresh keys; returns its number, and whether that is new.

    One that is there already keeps its keys; without any yet (see `note_domain`) it gets these.
    What was there by itself is new when somebody first adds it on purpose.
    """
    domain_id, _ = claim_row(session, account_id, domain)
    is_new = _note_added(session, domain_id)
    if is_new:
        record_change(
            session, account_id, "domain.added", user_id=user_id, after={"domain": domain}
        )
    if not load_keys(session, domain_id):
        store_keys(session, domain_id, keys, installation.settings)
    return domain_id, is_new


def _note_added(session: Session, domain_id: int) -> bool:
    """Write down that somebody added the domain on purpose; False where somebody had before."""
    added = session.connection().execute(
        update(SendingDomain)
        .where(col(SendingDomain.id) == domain_id, col(SendingDomain.added_at).is_(None))
        .values(added_at=now())
    )
    return added.rowcount == 1


def note_domain(session: Session, account_id: int, domain: str) -> None:
    """Add the domain of an address that was saved, by itself (R-DOMAIN).

    It gets its keys when somebody first looks, or with its first check: making them takes a while.
    """
    claim_row(session, account_id, domain)


def is_without_keys(session: Session, domain_id: int) -> bool:
    """Whether the domain was added by itself and has no keys yet."""
    statement = select(DomainKey.id).where(DomainKey.domain_id == domain_id).limit(1)
    return session.exec(statement).first() is None


def give_keys(session: Session, domain_id: int, keys: KeyPairs, settings: Settings) -> None:
    """Give these keys to a domain that has none; to one that has, or is gone, nothing."""
    statement = select(SendingDomain.id).where(SendingDomain.id == domain_id).with_for_update()
    if session.exec(statement).first() is not None and is_without_keys(session, domain_id):
        store_keys(session, domain_id, keys, settings)


def remove_domain(session: Session, account_id: int, domain: str, *, user_id: int | None) -> None:
    """Remove the domain; its mail falls back at once. Raises NotFound.

    Its row stays unseen, since what its DMARC record asks for goes on to hold for addresses on it;
    its keys stay in the operator's zone until nobody can look at their signatures any more.
    """
    claim = select(SendingDomain.id).where(
        SendingDomain.account_id == account_id, SendingDomain.domain == domain
    )
    session.exec(claim.with_for_update()).first()  # before what hangs on it, as a check does
    found = find_domain(session, account_id, domain)
    if found is None:
        raise NotFound("This account has no such domain.")
    record_change(session, account_id, "domain.removed", user_id=user_id, before={"domain": domain})
    session.connection().execute(
        delete(DomainRecord).where(col(DomainRecord.domain_id) == found.id)
    )
    found.state, found.lost_since, found.authenticated_at = DomainState.REMOVED, None, None
    session.add(found)
    session.flush()


def note_visit(session: Session, account_id: int, domain: str) -> None:
    """Somebody looks at the domain's page: it is checked often for a while (R-CHECK)."""
    session.connection().execute(
        update(SendingDomain)
        .where(col(SendingDomain.account_id) == account_id, col(SendingDomain.domain) == domain)
        .values(watched_at=now())
    )


def find_claims(session: Session, domains: Sequence[str]) -> list[DomainClaim]:
    """Who proved these domains by DNS last, and when (R-CLAIM)."""
    return list(session.exec(select(DomainClaim).where(col(DomainClaim.domain).in_(domains))))
