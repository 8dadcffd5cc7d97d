"""Addresses and times as people read them; programs and headers get the plain forms."""

from datetime import datetime
from zoneinfo import ZoneInfo

from flask_login import current_user

from kartramail.rules.address_syntax import shown_address as as_read
from kartramail.rules.domain_names import show_domain as domain_as_read

__all__ = ["as_read", "domain_as_read", "in_zone"]


def in_zone(at: datetime) -> datetime:
    """A time in the zone of the account that is worked in; in UTC for strangers."""
    is_known = current_user and current_user.is_authenticated
    return at.astimezone(ZoneInfo(current_user.time_zone if is_known else "UTC"))
