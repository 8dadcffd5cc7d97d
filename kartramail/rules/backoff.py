"""When a message is tried again, and when it is given up (R-RETRY)."""

import re
from datetime import datetime, timedelta

from kartramail.rules.replies import Deferred

WAITS = tuple(timedelta(minutes=m) for m in (1, 3, 8, 20, 45, 90, 180, 240))
"""The wait after the first, second, … try; the last one holds for all that follow.

Greylisting (RFC 6647) lets the second or third try pass, so the first ones are quick. An outage
of hours is not shortened by asking, so they level at four hours (RFC 5321 §4.5.4.1).
"""

GREYLISTED_WAITS = tuple(timedelta(minutes=m) for m in (1, 2, 4, 8, 15, 30))
"""After answers that ask for nothing but patience (RFC 6647 §4): most let the mail pass within
some minutes. Beyond them it is as with any other answer."""

FULL_WAITS = tuple(timedelta(hours=h) for h in (1, 2, 4, 6))
"""A full mailbox is emptied by a person, not by asking."""

LEAST_TOLD, MOST_TOLD = timedelta(seconds=30), timedelta(hours=1)
"""A server that says how long to wait is believed within these."""

DELAY_NOTICES = {"transactional": timedelta(hours=1), "commercial": timedelta(hours=4)}
"""After so long the account's log says that a message is late, and until when it is tried."""

SPREAD = 0.2
"""Each wait is stretched or cut by up to this share, so that what failed together does not
come back together."""

FREE_WAIT = timedelta(minutes=5)
"""At most, after a connection that could not be made: that is over for all mail at once."""

TRIED_FOR = {"transactional": timedelta(days=5), "commercial": timedelta(days=2)}
"""How long a message is tried: RFC 5321 §4.5.4.1 asks for 4 to 5 days; an offer is stale sooner."""

KEPT_FOR = {"transactional": timedelta(days=5), "commercial": timedelta(days=30)}
"""How long it may wait for its first try. What we keep back ourselves, by a pause or while a new
account warms up, does not grow stale by that: a list of half a million takes 12 days."""

LAST_TRY = timedelta(minutes=1)
"""So long before its time is over a message is tried once more."""


def next_wait(tries: int, jitter: float) -> timedelta:
    """How long to wait after `tries` tries.

    `jitter` is chance, handed in: a number from 0 (shortest) to just under 1 (longest).
    Raises ValueError when it is outside.
    """
    return _spread(WAITS[min(max(tries, 1), len(WAITS)) - 1], jitter)


def wait_after(reply: Deferred, tries: int, jitter: float) -> timedelta:
    """How long to wait after `reply` to try number `tries`; `jitter` as in `next_wait`.

    Those that cost no attempt are counted by themselves.
    """
    if is_mailbox_full(reply):
        return _spread(FULL_WAITS[min(max(tries, 1), len(FULL_WAITS)) - 1], jitter)
    told = told_wait(reply)
    if told is not None:  # never sooner than it was asked for
        return told * (1 + SPREAD * _checked(jitter))
    if is_greylisted(reply) and tries <= len(GREYLISTED_WAITS):
        return _spread(GREYLISTED_WAITS[max(tries, 1) - 1], jitter)
    wait = next_wait(tries, jitter)
    return wait if reply.costs_attempt else min(wait, _spread(FREE_WAIT, jitter))


def due_again(at: datetime, wait: timedelta, ends_at: datetime) -> datetime | None:
    """When what failed `at` is tried again; None where its time, which ends then, is over.

    The last try comes a moment before the end, however long the wait was to be.
    """
    last = ends_at - LAST_TRY
    if at + wait <= last:
        return at + wait
    return last if last - at >= WAITS[0] else None


_FULL = re.compile(
    r"mailbox (?:is )?(?:temporarily )?full|over ?quota|quota (?:exceeded|exhausted)"
    r"|exceed(?:ed|s)? (?:\w+ ){0,3}quota|out of (?:storage|disk) space",
    re.IGNORECASE,
)
_GREY = re.compile(r"gr[ea]y-?list|postgrey", re.IGNORECASE)
_TOLD = re.compile(
    r"(?:again|retry|wait|for|in)\W{1,3}(?:(?:again|after|for|in|at least)\W{1,3}){0,2}"
    r"(\d{1,6})\s*(s|secs?|seconds?|m|mins?|minutes?|h|hours?)\b",
    re.IGNORECASE,
)
_UNITS = {"s": 1, "m": 60, "h": 3600}


def is_mailbox_full(reply: Deferred) -> bool:
    """The recipient's mailbox has no room (RFC 3463: X.2.2), as code or in words."""
    return reply.enhanced_code == "4.2.2" or _FULL.search(reply.words) is not None


def is_greylisted(reply: Deferred) -> bool:
    """The server puts off whom it does not know yet (RFC 6647 §2.1, §5).

    Said in words, or as a policy (X.7.1) under one of the codes that are used for it.
    """
    if reply.code not in (421, 450, 451):
        return False
    has_words = _GREY.search(reply.words) is not None
    return has_words or (reply.code != 421 and reply.enhanced_code == "4.7.1")


def told_wait(reply: Deferred) -> timedelta | None:
    """How long the server asks to wait ("try again in 300 seconds"), within bounds."""
    told = None if reply.code is None else _TOLD.search(reply.words)
    if told is None:
        return None
    wait = timedelta(seconds=int(told[1]) * _UNITS[told[2][0].lower()])
    return min(max(wait, LEAST_TOLD), MOST_TOLD)


def _checked(jitter: float) -> float:
    if not 0 <= jitter < 1:
        raise ValueError(f"jitter is {jitter}, it must be at least 0 and less than 1")
    return jitter


def _spread(wait: timedelta, jitter: float) -> timedelta:
    return wait * (1 - SPREAD + 2 * SPREAD * _checked(jitter))


def kept_for(stream: str) -> timedelta:
    """How long a message of `stream` waits for its first try. Raises KeyError for no stream."""
    return KEPT_FOR[stream]


def tried_for(stream: str) -> timedelta:
    """How long it is tried from then on, before it fails. Raises KeyError for no stream."""
    return TRIED_FOR[stream]
