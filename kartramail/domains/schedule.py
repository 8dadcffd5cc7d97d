"""When a domain is looked at again: often while one waits, then rarely, for ever (R-CHECK)."""

import random
from datetime import datetime, timedelta

from kartramail.domains.models import DomainState, SendingDomain

LOST_EVERY = timedelta(minutes=5)
HOURLY = timedelta(hours=1)
DAILY = timedelta(days=1)

# How long somebody has been waiting, and how often the domain is looked at meanwhile.
_WHILE_WAITING = (
    (timedelta(hours=1), timedelta(minutes=1)),
    (timedelta(days=1), timedelta(minutes=10)),
    (timedelta(days=7), timedelta(hours=1)),
)
_SPREAD = 0.1
"""Share by which each wait is stretched or cut, so that what was added together spreads out."""


def next_check_at(domain: SendingDomain, at: datetime, *, is_key_waiting: bool = False) -> datetime:
    """When the domain is due again after a look at `at`; sooner while a new key is waited for."""
    stretch = 1 + _SPREAD * random.uniform(-1, 1)  # noqa: S311 - spreads load, guards nothing
    wait = _wait(domain, at)
    return at + (min(wait, HOURLY) if is_key_waiting else wait) * stretch


def _wait(domain: SendingDomain, at: datetime) -> timedelta:
    if domain.lost_since is not None:
        return LOST_EVERY
    if domain.state in (DomainState.AUTHENTICATED, DomainState.REMOVED):
        return DAILY
    if domain.state is DomainState.CLAIMED:
        return HOURLY
    waiting_since = max(domain.created_at, domain.watched_at or domain.created_at)
    for span, wait in _WHILE_WAITING:
        if at - waiting_since < span:
            return wait
    return DAILY
