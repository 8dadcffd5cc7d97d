"""Messages put into the outbox a portion at a time, so that the mail does not leave too soon."""

from dataclasses import dataclass

from kartramail.db import Database
from tests.benchmarks.letters import LARGE
from tests.benchmarks.rows import fill


@dataclass(slots=True)
class Supply:
    """So many in all, of one account."""

    db: Database
    account_id: int
    total: int
    given: int = 0

    def reach(self, count: int) -> None:
        """Have at least so many of them in the outbox, and no more than there are."""
        missing = min(count, self.total) - self.given
        if missing > 0:
            fill(self.db, self.account_id, LARGE, missing)
            self.given += missing
