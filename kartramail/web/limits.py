"""Rate limits of the web (R-SAFE): sign-in, sign-up, tests and look-ups."""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import current_user
from limits import parse_many

from kartramail.config import Settings


def by_person() -> str:
    """One person's share, whatever network they come from; a stranger counts by address."""
    if current_user and current_user.is_authenticated:
        return f"user:{current_user.user_id}"
    return get_remote_address()


limiter = Limiter(get_remote_address, swallow_errors=True)


def is_too_often(what: str, rates: str) -> bool:
    """Count one more `what` of this person; True where that exceeds one of the rates.

    For what has several doors; a view with a rate of its own is decorated with `limiter.limit`.
    """
    if not limiter.enabled:
        return False
    return not all(limiter.limiter.hit(rate, what, by_person()) for rate in parse_many(rates))


def init_limits(app: Flask, settings: Settings) -> None:
    """Count where the settings say; `RATE_LIMITS=0` switches them off."""
    app.config.update(
        RATELIMIT_ENABLED=settings.rate_limits,
        RATELIMIT_STORAGE_URI=settings.rate_limit_storage,
        RATELIMIT_HEADERS_ENABLED=True,
    )
    limiter.init_app(app)
