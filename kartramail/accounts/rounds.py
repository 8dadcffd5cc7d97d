"""What is forgotten in time: wrong passwords, links and sign-ins that are long over."""

from datetime import timedelta
from typing import Any

from sqlmodel import col, delete

from kartramail.accounts.failed_sign_ins import FORGOTTEN_AFTER
from kartramail.accounts.models import FailedSignIn, OneTimeToken, SignIn
from kartramail.clock import now
from kartramail.installation import Installation
from kartramail.rounds import Round

LINKS_KEPT = timedelta(days=30)
SIGN_INS_KEPT = timedelta(days=90)


def forget_old_entries(installation: Installation) -> None:
    """Delete them, one short transaction a table."""
    at = now()
    for table, is_old in (
        (FailedSignIn, col(FailedSignIn.last_at) < at - FORGOTTEN_AFTER),
        (OneTimeToken, col(OneTimeToken.expires_at) < at - LINKS_KEPT),
        (SignIn, col(SignIn.ended_at) < at - SIGN_INS_KEPT),
    ):
        statement: Any = delete(table).where(is_old)
        with installation.db.transaction() as session:
            session.connection().execute(statement)


ROUNDS = (Round("forget_old_sign_ins", timedelta(hours=6), forget_old_entries),)
