"""How much an account may send in a day: little at first, more with every day that it sends.

Receivers trust a new sender's mail only in small numbers, and whoever signs up to abuse the
platform shall not get far (R-FAIR). A day is one of UTC.
"""

from kartramail.rules.streams import Stream

_PLANS = {
    Stream.COMMERCIAL: (
        *(500, 1_000, 2_000, 5_000, 10_000, 20_000, 40_000),
        *(70_000, 100_000, 150_000, 250_000, 500_000, 1_000_000),
    ),
    # Receipts must not wait; this only stops what no new business has to send.
    Stream.TRANSACTIONAL: (50_000, 100_000, 200_000, 400_000, 1_000_000),
}

MOST_EARLIER_DAYS = max(map(len, _PLANS.values())) - 1
"""With so many, the last step of every plan is reached: more make no difference."""


def daily_limit(stream: Stream, earlier_days: int, own_limit: int | None) -> int:
    """Messages of `stream` that may leave today.

    `earlier_days` are those on which the account sent mail of this stream; `own_limit` is what the
    operator set for it instead, None for the plan.
    """
    if own_limit is not None:
        return own_limit
    plan = _PLANS[stream]
    return plan[min(earlier_days, len(plan) - 1)]
