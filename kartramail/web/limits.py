"""Rate limits of the web (R-SAFE): sign-in, sign-up, tests and look-ups."""

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import current_user

from kartramail.config import Settings


def by_person() -> str:
    """One person's share, whatever network they come from; a stranger counts by address."""
    if current_user and current_user.is_authenticated:
        return f"user:{current_user.user_id}"
    return get_remote_address()


limiter = Limiter(get_remote_address, swallow_errors=True)


def init_limits(app: Flask, settings: Settings) -> None:
    """Count where the settings say; `RATE_LIMITS=0` switches them off."""
    app.config.update(
        RATELIMIT_ENABLED=settings.rate_limits,
        RATELIMIT_STORAGE_URI=settings.rate_limit_storage,
        RATELIMIT_HEADERS_ENABLED=True,
    )
    limiter.init_app(app)
