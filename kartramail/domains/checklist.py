"""A domain as its page, its API answer and its mails show it (R-DOMAIN)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kartramail.domains.models import DomainState
from kartramail.rules.dns_records import Problem, Purpose, RecordState, WantedRecord


@dataclass(frozen=True, slots=True)
class ChecklistRow:
    """One wanted record and what was last seen of it. `state` is None before the first look.

    `unreachable_at` is set where the latest looks got no answer; the state is then an older one.
    """

    wanted: WantedRecord
    state: RecordState | None = None
    found: tuple[str, ...] = ()
    problem: Problem | None = None
    since: datetime | None = None
    checked_at: datetime | None = None
    unreachable_at: datetime | None = None

    @property
    def is_found(self) -> bool:
        """Whether nothing is left to do for this record."""
        return self.state is RecordState.FOUND


@dataclass(frozen=True, slots=True)
class Checklist:
    """A domain of one account with its records, and the reports of the last check.

    `spf` and `dmarc` have the form of the API; None before the first look. `name_servers` are the
    zone's, as far as known. `new_key_for` names a selector whose new key waits to be set in DNS;
    `can_replace_key` says that one may be made now, `should_replace_key` that it is time (R-DKIM).
    """

    domain_id: int
    account_id: int | None
    domain: str
    zone: str
    state: DomainState
    rows: tuple[ChecklistRow, ...]
    spf: dict[str, Any] | None
    dmarc: dict[str, Any] | None
    name_servers: tuple[str, ...]
    is_practice: bool
    authenticated_at: datetime | None
    lost_since: datetime | None
    checked_at: datetime | None
    signing_selector: str
    new_key_for: str | None = None
    can_replace_key: bool = False
    should_replace_key: bool = False

    @property
    def is_authenticated(self) -> bool:
        """Whether mail may be signed by this domain."""
        return self.state is DomainState.AUTHENTICATED

    @property
    def needed(self) -> tuple[ChecklistRow, ...]:
        """The three records that authenticate the domain; DMARC is shown beside them."""
        return tuple(row for row in self.rows if row.wanted.purpose is not Purpose.DMARC)

    @property
    def missing(self) -> int:
        """How many of the three are not found."""
        return sum(not row.is_found for row in self.needed)
