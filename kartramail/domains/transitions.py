"""When a domain becomes authenticated, stops being it, or turns out to be another account's.

R-DKIM (authenticated: both selectors and the return path are found), R-CHECK, R-CLAIM.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, delete, select

from kartramail.accounts.history import record_change
from kartramail.accounts.team import owners_of
from kartramail.clock import now
from kartramail.config import Settings
from kartramail.domains.models import DomainClaim, DomainRecord, DomainState, SendingDomain
from kartramail.outbox.platform_mail import enqueue_platform_mail
from kartramail.rules.dns_records import Purpose, RecordState, WantedRecord
from kartramail.rules.domain_names import show_domain

GRACE = timedelta(hours=1)
"""How long records may be gone before the domain counts as lost: people edit zones by hand."""

_LOSER_WAITS = timedelta(minutes=5)
"""Before the one that lost a domain is looked at again by itself: two caches must not play ball."""

_GONE = (RecordState.NOT_FOUND, RecordState.WRONG)


def settle_state(
    session: Session,
    domain: SendingDomain,
    wanted: Sequence[WantedRecord],
    seen: Mapping[str, RecordState],
    settings: Settings,
    looked_at: datetime,
) -> None:
    """Draw the consequences of what was seen, in the same transaction.

    `seen` is what this very look says of each record, by its key: nothing is proven, and nothing
    lost, by a look that got no answer (R-CHECK). `looked_at` is when it began.
    """
    needed = [record for record in wanted if record.purpose is not Purpose.DMARC]
    gone = [record for record in needed if seen.get(record.key) in _GONE]
    if needed and all(seen.get(record.key) is RecordState.FOUND for record in needed):
        _settle_complete(session, domain, settings, looked_at)
    elif gone and domain.state is DomainState.AUTHENTICATED:
        _settle_gone(session, domain, gone, settings)


def _settle_complete(
    session: Session, domain: SendingDomain, settings: Settings, looked_at: datetime
) -> None:
    domain.lost_since = None
    if domain.state is DomainState.AUTHENTICATED or _is_overtaken(session, domain, looked_at):
        return
    at = now()
    if domain.account_id is not None:
        _claim(session, domain, settings, at)
    domain.state, domain.authenticated_at = DomainState.AUTHENTICATED, at
    session.add(domain)
    session.flush()
    _tell(session, domain, "domain.authenticated", "domain_authenticated", settings)


def _is_overtaken(session: Session, domain: SendingDomain, looked_at: datetime) -> bool:
    """Whether another account proved the domain after this look began: what it saw is old."""
    statement = select(DomainClaim.claimed_at).where(
        DomainClaim.domain == domain.domain, DomainClaim.account_id != domain.account_id
    )
    return any(claimed_at >= looked_at for claimed_at in session.exec(statement))


def _claim(session: Session, domain: SendingDomain, settings: Settings, at: datetime) -> None:
    """End every proof that other accounts have on the domain, at once (R-CLAIM).

    Their authentication ends here; proofs of mailboxes that are older than the claim do not count
    any more (senders/standing.py).
    """
    dialect = sqlite if session.connection().dialect.name == "sqlite" else postgresql
    claim = {"account_id": domain.account_id, "claimed_at": at, "told_at": None}
    session.connection().execute(
        dialect.insert(DomainClaim)
        .values(domain=domain.domain, **claim)
        .on_conflict_do_update(index_elements=["domain"], set_=claim)
    )
    statement = select(SendingDomain).where(
        SendingDomain.domain == domain.domain,
        SendingDomain.state == DomainState.AUTHENTICATED,
        SendingDomain.id != domain.id,
        col(SendingDomain.account_id).is_not(None),
    )
    for other in session.exec(statement.with_for_update()):
        other.state, other.lost_since = DomainState.CLAIMED, None
        other.next_check_at = at + _LOSER_WAITS
        session.add(other)
        # What was known of its records no longer holds: they are not what stands there.
        session.connection().execute(
            delete(DomainRecord).where(col(DomainRecord.domain_id) == other.id)
        )
        _tell(session, other, "domain.claimed", "domain_claimed", settings)
    session.flush()


def _settle_gone(
    session: Session,
    domain: SendingDomain,
    gone: Sequence[WantedRecord],
    settings: Settings,
) -> None:
    """Wait a while, then count the domain as lost and tell its owners."""
    at = now()
    if domain.lost_since is None:
        domain.lost_since = at
    if at - domain.lost_since < GRACE:
        return
    domain.state = DomainState.LOST
    records = [{"type": record.type.value, "host": record.host} for record in gone]
    since = domain.lost_since.isoformat()
    _tell(session, domain, "domain.lost", "domain_lost", settings, records=records, since=since)


def _tell(
    session: Session,
    domain: SendingDomain,
    what: str,
    template: str,
    settings: Settings,
    **variables: Any,
) -> None:
    """A line of history, and a mail to each owner. The platform's own domain has neither."""
    if domain.account_id is None:
        return
    record_change(session, domain.account_id, what, user_id=None, after={"domain": domain.domain})
    shown = show_domain(domain.domain)
    link = f"{settings.base_url}/settings/domains/{domain.domain}"
    for owner in owners_of(session, domain.account_id):
        enqueue_platform_mail(
            session,
            template,
            owner,
            {"domain": shown, "link": link, **variables},
            account_id=domain.account_id,
        )
