"""Of all domains, what is due now and then: checks, and keys that are old. Crosses accounts."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog
from sqlalchemy import or_
from sqlmodel import col, delete, select

from kartramail.clock import now
from kartramail.config import DkimRecords
from kartramail.domains.checks import check_domain
from kartramail.domains.keys import load_keys, make_key_pairs
from kartramail.domains.models import DomainKey, DomainState, SendingDomain
from kartramail.domains.rotation import (
    REPLACED_EVERY,
    USE_NOTED_EVERY,
    VALID_AFTER_LAST_SIGNATURE,
    key_state,
    start_replacement,
)
from kartramail.installation import Installation
from kartramail.rounds import Round

log = structlog.get_logger()

_AT_A_TIME = 100
_SIDE_BY_SIDE = 8
_LONGEST_ROUND = 20.0
"""Seconds after which a round leaves the rest to the next one, so that other rounds get theirs."""

_EAGER = timedelta(hours=1)
"""How long after somebody looked at a domain's page its checks also look for the mistake."""


def check_due_domains(installation: Installation, longest: float = _LONGEST_ROUND) -> int:
    """Check the domains that are due, the longest waiting first; returns how many."""
    ends_at = time.monotonic() + longest
    done = 0
    with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="domains") as pool:
        while time.monotonic() < ends_at and (due := _due(installation)):
            list(pool.map(lambda one: _check(installation, *one), due))
            done += len(due)
    return done


def _due(installation: Installation) -> list[tuple[int, bool]]:
    """Numbers of domains that are due, each with whether somebody waits for it.

    The platform's own domain is not looked at in a try-out, where it is made up.
    """
    at = now()
    statement = (
        select(SendingDomain.id, SendingDomain.watched_at)
        .where(SendingDomain.next_check_at <= at)
        .order_by(col(SendingDomain.next_check_at))
        .limit(_AT_A_TIME)
    )
    if installation.settings.has_catcher:
        statement = statement.where(col(SendingDomain.account_id).is_not(None))
    with installation.db.reading() as session:
        rows = session.exec(statement).all()
    return [(domain_id, _is_watched(watched_at, at)) for domain_id, watched_at in rows]


def _is_watched(watched_at: datetime | None, at: datetime) -> bool:
    return watched_at is not None and watched_at > at - _EAGER


def _check(installation: Installation, domain_id: int, is_watched: bool) -> None:
    """One domain's fault must not keep the others from being checked."""
    try:
        check_domain(installation, domain_id, is_thorough=is_watched)
    except Exception as error:
        log.error("domain_not_checked", domain=domain_id, exc_info=error)
        _put_off(installation, domain_id)


def _put_off(installation: Installation, domain_id: int) -> None:
    with installation.db.transaction() as session:
        domain = session.get(SendingDomain, domain_id)
        if domain is not None:
            domain.next_check_at = now() + timedelta(minutes=10)
            session.add(domain)


def replace_old_keys(installation: Installation) -> None:
    """Start what is due where nobody has to touch a zone that is not the operator's (R-DKIM).

    That is every domain with DKIM_RECORDS=cname, and else the platform's own. The new key signs
    once `dns-zone` was published again; until then the old one goes on.
    """
    for domain_id in _with_old_keys(installation):
        keys = make_key_pairs()
        with installation.db.transaction() as session:
            is_started = start_replacement(
                session, domain_id, keys, installation.settings, user_id=None
            )
        if is_started:
            log.info("new_key_to_publish", domain=domain_id, how="flask kartramail dns-zone")


def _with_old_keys(installation: Installation) -> Iterator[int]:
    """Domains whose key is due, page by page: many may wait for the operator's zone meanwhile."""
    at, after = now(), 0
    is_old = col(SendingDomain.authenticated_at) < at - REPLACED_EVERY
    is_rested = col(SendingDomain.rotated_at).is_(None) | (
        col(SendingDomain.rotated_at) < at - REPLACED_EVERY
    )
    statement = (
        select(SendingDomain)
        .where(SendingDomain.state == DomainState.AUTHENTICATED, is_old, is_rested)
        .order_by(col(SendingDomain.id))
        .limit(_AT_A_TIME)
    )
    if installation.settings.dkim_records is not DkimRecords.CNAME:
        statement = statement.where(col(SendingDomain.account_id).is_(None))
    while True:
        with installation.db.reading() as session:
            page = list(session.exec(statement.where(SendingDomain.id > after)))
            due = [
                domain.id
                for domain in page
                if key_state(domain, load_keys(session, domain.id), installation.settings).is_time
            ]
        yield from due
        if len(page) < _AT_A_TIME:
            return
        after = page[-1].id


def forget_removed_keys(installation: Installation) -> None:
    """Drop the keys of removed domains when no signature of theirs is looked at any more."""
    rested_since = now() - VALID_AFTER_LAST_SIGNATURE - USE_NOTED_EVERY
    removed = select(SendingDomain.id).where(SendingDomain.state == DomainState.REMOVED)
    with installation.db.transaction() as session:
        session.connection().execute(
            delete(DomainKey).where(
                col(DomainKey.domain_id).in_(removed),
                or_(
                    col(DomainKey.last_used_at).is_(None),
                    col(DomainKey.last_used_at) < rested_since,
                ),
            )
        )


def _run_checks(installation: Installation) -> None:
    check_due_domains(installation)


ROUNDS: tuple[Round, ...] = (
    Round("check_domains", timedelta(seconds=10), _run_checks),
    Round("replace_old_keys", timedelta(hours=1), replace_old_keys),
    Round("forget_removed_keys", timedelta(hours=6), forget_removed_keys),
)
