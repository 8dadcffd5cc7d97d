"""What the outbox tidies up now and then."""

from datetime import timedelta

import structlog

from kartramail.installation import Installation
from kartramail.outbox.idempotency import forget_expired
from kartramail.outbox.retention import move_old_messages
from kartramail.rounds import Round

log = structlog.get_logger()

_RETENTION_SECONDS = 20.0
"""Other rounds of this process wait meanwhile. What is left is moved at the next one."""


def _forget_idempotency_keys(installation: Installation) -> None:
    with installation.db.transaction() as session:
        forget_expired(session)


def _move_old_messages(installation: Installation) -> None:
    days = installation.settings.message_retention_days
    moved = move_old_messages(installation.db, days, _RETENTION_SECONDS)
    if moved.messages:
        log.info("old_messages_moved", messages=moved.messages, contents=moved.contents)


ROUNDS = (
    Round("forget_idempotency_keys", timedelta(hours=1), _forget_idempotency_keys),
    Round("retention", timedelta(minutes=5), _move_old_messages),
)
