"""What a rate limit answers: how long to wait really, below what was typed (R-SAFE, R-WORDS)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from flask import make_response
from flask.wrappers import Response
from flask_limiter import RequestLimit
from limits import RateLimitItem, parse_many

from kartramail.accounts.authentication import wait_in_words
from kartramail.clock import now
from kartramail.web.limits import limiter

log = structlog.get_logger()


def shown_again(show: Callable[[str], str | None]) -> Callable[[RequestLimit], Response | None]:
    """For `limiter.limit(…, on_breach=…)`: `show` makes the page that holds what was typed.

    It gets the sentence that says how long to wait. Where it makes none, the error page says so.
    """

    def answer(limit: RequestLimit) -> Response | None:
        page = show(ask_to_wait(_until(limit.window.reset_time)))
        return None if page is None else too_often(page)

    return answer


def ask_to_wait(wait: timedelta) -> str:
    """The sentence for a form that was sent too often."""
    return f"That was too often. Wait {wait_in_words(wait)}, then try again."


def too_often(page: str, wait: timedelta | None = None) -> Response:
    """The page as the answer to too many tries (429)."""
    response = make_response(page)
    response.status_code = 429
    if wait is not None:
        response.headers["Retry-After"] = str(max(1, round(wait.total_seconds())))
    return response


def wait_of_this_request() -> timedelta | None:
    """How long to wait where this request exceeded a limit of its view."""
    limit = limiter.current_limit
    return _until(limit.window.reset_time) if limit is not None and limit.breached else None


def wait_for_turn(what: str, rates: str, key: str) -> timedelta | None:
    """Count one more `what` for that key; returns how long to wait where it exceeds a rate.

    For what is known to count only within the view: a sign-up that is complete, and not a typo.
    """
    if not limiter.enabled:
        return None
    try:
        waits = [_wait(what, rate, key) for rate in parse_many(rates)]
    except limiter.storage.base_exceptions as error:
        log.error("rate_limits_unreachable", exc_info=error)  # as the limiter itself: let pass
        return None
    return max((wait for wait in waits if wait is not None), default=None)


def _wait(what: str, rate: RateLimitItem, key: str) -> timedelta | None:
    if limiter.limiter.hit(rate, what, key):
        return None
    return _until(limiter.limiter.get_window_stats(rate, what, key).reset_time)


def _until(seconds: float) -> timedelta:
    return max(timedelta(seconds=1), datetime.fromtimestamp(seconds, UTC) - now())
