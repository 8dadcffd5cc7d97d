"""Replacing keys without a signature that cannot be verified at any moment (R-DKIM).

The selector that does not sign gets a new key; when that was seen in DNS, it signs, and the other
one rests. A key stays in DNS for seven days after its last signature: until then its selector gets
no new one. With CNAMEs it goes by schedule, since the new key stands in the operator's own zone;
with TXT it is proposed, and the old key counts as found until the new one is seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, delete, update

from kartramail.accounts.history import record_change
from kartramail.clock import now
from kartramail.config import Settings
from kartramail.domains.keys import (
    SELECTORS,
    KeyPairs,
    load_keys,
    newest_of,
    signing_key_of,
    store_keys,
)
from kartramail.domains.models import DomainKey, DomainState, SendingDomain
from kartramail.domains.records import is_cname_selector

VALID_AFTER_LAST_SIGNATURE = timedelta(days=7)
"""Mail may lie in a queue for five days, and be looked at again later (R-DKIM)."""

USE_NOTED_EVERY = timedelta(minutes=10)
"""How exact `last_used_at` is; counted on top of the seven days."""

REPLACED_EVERY = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class KeyState:
    """How far a replacement is. `waiting_for` is the selector whose new key is not in DNS yet."""

    waiting_for: str | None
    can_start: bool
    is_time: bool


def key_state(domain: SendingDomain, keys: Sequence[DomainKey], settings: Settings) -> KeyState:
    """Whether a key may be replaced, should be, or is being replaced."""
    resting = resting_selector(domain)
    newest = newest_of(keys, resting)
    if newest is None:
        return KeyState(None, can_start=False, is_time=False)
    is_waiting = newest.seen_at is None and any(
        key.selector == resting and key.seen_at for key in keys
    )
    is_established = domain.state is DomainState.AUTHENTICATED and domain.lost_since is None
    can_start = is_established and not is_waiting and _has_rested(keys, resting, now())
    signing = signing_key_of(keys, domain.signing_selector)
    is_old = signing is not None and signing.created_at < now() - REPLACED_EVERY
    return KeyState(
        waiting_for=resting if is_waiting and not is_cname_selector(domain, settings) else None,
        can_start=can_start,
        is_time=can_start and is_old,
    )


def resting_selector(domain: SendingDomain) -> str:
    """The selector that does not sign now."""
    return next(selector for selector in SELECTORS if selector != domain.signing_selector)


def _has_rested(keys: Sequence[DomainKey], selector: str, at: datetime) -> bool:
    used = [key.last_used_at for key in keys if key.selector == selector and key.last_used_at]
    return not used or max(used) + VALID_AFTER_LAST_SIGNATURE + USE_NOTED_EVERY < at


def start_replacement(
    session: Session, domain_id: int, keys: KeyPairs, settings: Settings, *, user_id: int | None
) -> bool:
    """Give the resting selector one of these fresh keys; False where that may not be now."""
    domain = session.get(SendingDomain, domain_id, with_for_update=True)
    if domain is None or not key_state(domain, load_keys(session, domain_id), settings).can_start:
        return False
    resting = resting_selector(domain)
    store_keys(session, domain_id, KeyPairs({resting: keys.by_selector[resting]}), settings)
    domain.next_check_at = now()
    session.add(domain)
    if domain.account_id is not None:
        record_change(
            session,
            domain.account_id,
            "domain.key_made",
            user_id=user_id,
            after={"domain": domain.domain, "selector": resting},
        )
    return True


def has_waiting_key(keys: Sequence[DomainKey]) -> bool:
    """Whether a new key of a selector waits to be seen in DNS, in the place of one that was."""
    return any(
        (newest := newest_of(keys, selector)) is not None
        and newest.seen_at is None
        and signing_key_of(keys, selector) is not None
        for selector in SELECTORS
    )


def note_seen_keys(
    session: Session, domain: SendingDomain, keys: Sequence[DomainKey], seen: set[int]
) -> None:
    """Write down which keys a look found in DNS, retire what they replace, and change over.

    `seen` are numbers of keys. A new key of the resting selector signs from now on.
    """
    at = now()
    for selector in SELECTORS:
        newest = newest_of(keys, selector)
        for key in keys:
            if key.selector == selector and key.id in seen and key.seen_at is None:
                key.seen_at = at
                session.add(key)
                _change_over(domain, key, keys, at)
        if newest is not None and newest.id in seen:
            _forget_older(session, domain.id, newest)


def _change_over(
    domain: SendingDomain, key: DomainKey, keys: Sequence[DomainKey], at: datetime
) -> None:
    replaces_one = any(other.selector == key.selector and other.id < key.id for other in keys)
    if replaces_one and key.selector == resting_selector(domain):
        domain.signing_selector = key.selector
        domain.rotated_at = at


def _forget_older(session: Session, domain_id: int, newest: DomainKey) -> None:
    session.connection().execute(
        delete(DomainKey).where(
            col(DomainKey.domain_id) == domain_id,
            col(DomainKey.selector) == newest.selector,
            col(DomainKey.id) < newest.id,
        )
    )


def note_key_use(session: Session, key_id: int) -> None:
    """Write down that a key signed just now; once in `USE_NOTED_EVERY` is enough."""
    session.connection().execute(
        update(DomainKey).where(col(DomainKey.id) == key_id).values(last_used_at=now())
    )
