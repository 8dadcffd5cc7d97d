"""When a message is tried again, and when it is given up (R-RETRY)."""

from datetime import timedelta

WAITS = tuple(timedelta(minutes=m) for m in (1, 3, 8, 20, 45, 90, 180, 240))
"""The wait after the first, second, … try; the last one holds for all that follow.

Greylisting (RFC 6647) lets the second or third try pass, so the first ones are quick. An outage
of hours is not shortened by asking, so they level at four hours (RFC 5321 §4.5.4.1).
"""

SPREAD = 0.2
"""Each wait is stretched or cut by up to this share, so that what failed together does not
come back together."""

LIFETIMES = {"transactional": timedelta(days=5), "commercial": timedelta(days=2)}
"""How long a message may wait: RFC 5321 §4.5.4.1 asks for 4 to 5 days; an offer is stale sooner."""


def next_wait(tries: int, jitter: float) -> timedelta:
    """How long to wait after `tries` tries.

    `jitter` is chance, handed in: a number from 0 (shortest) to just under 1 (longest).
    Raises ValueError when it is outside.
    """
    if not 0 <= jitter < 1:
        raise ValueError(f"jitter is {jitter}, it must be at least 0 and less than 1")
    wait = WAITS[min(max(tries, 1), len(WAITS)) - 1]
    return wait * (1 - SPREAD + 2 * SPREAD * jitter)


def lifetime(stream: str) -> timedelta:
    """How long a message of `stream` is tried before it fails. Raises KeyError for no stream."""
    return LIFETIMES[stream]
