"""What an operator must see at once, on top of every page and not as a line in a log."""

import time
from datetime import datetime, timedelta

from flask import current_app
from flask_login import current_user

from kartramail.clock import now
from kartramail.config import Settings
from kartramail.outbox.queue_figures import waiting_without_worker
from kartramail.web.access import database
from kartramail.web.fragments import wants_fragment
from kartramail.web.reading import in_zone

Banner = dict[str, str]

_LOOK_EVERY = 5.0
_PATIENCE = timedelta(seconds=10)
_KEPT = "kartramail_waiting_since"


def banners(settings: Settings) -> list[Banner]:
    """For operators, and for everybody in a try-out on one's own machine."""
    if wants_fragment() or not _is_concerned(settings):
        return []
    since = _waiting_since_lately(settings)
    if since is None or now() - since < _PATIENCE:
        return []
    shown = in_zone(since).strftime("%H:%M")
    return [
        {
            "kind": "warning",
            "text": f"Mail is waiting: no delivery process is running since {shown}. "
            "Nothing is lost. Start it with: flask kartramail worker",
        }
    ]


def _is_concerned(settings: Settings) -> bool:
    return bool(current_user.is_operator) or (
        settings.has_catcher and settings.is_base_url_loopback
    )


def _waiting_since_lately(settings: Settings) -> datetime | None:
    """Looked up every few seconds a process, not for every page."""
    looked_at, since = current_app.extensions.get(_KEPT, (0.0, None))
    if time.monotonic() - looked_at > _LOOK_EVERY:
        with database().reading() as session:
            lease = timedelta(seconds=settings.worker_lease)
            since = waiting_without_worker(session, lease, has_limits=settings.has_sending_limits)
        current_app.extensions[_KEPT] = time.monotonic(), since
    found: datetime | None = since
    return found
