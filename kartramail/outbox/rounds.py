"""What the outbox tidies up now and then."""

from datetime import timedelta

from kartramail.installation import Installation
from kartramail.outbox.idempotency import forget_expired
from kartramail.rounds import Round


def _forget_idempotency_keys(installation: Installation) -> None:
    with installation.db.transaction() as session:
        forget_expired(session)


ROUNDS = (Round("forget_idempotency_keys", timedelta(hours=1), _forget_idempotency_keys),)
