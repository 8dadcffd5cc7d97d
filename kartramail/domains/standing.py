"""What an account's domains say of an address that it wants to send from (R-ALIGN, R-CLAIM)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Row, bindparam
from sqlmodel import Session, col, select

from kartramail.domains.keys import SELECTORS
from kartramail.domains.models import DomainClaim, DomainRecord, DomainState, SendingDomain
from kartramail.domains.records import RETURN_PATH_LABEL, return_path_host
from kartramail.rules.addresses import organizational_domain
from kartramail.rules.alignment import covers
from kartramail.rules.dmarc import Policy
from kartramail.rules.dns_records import RecordState


@dataclass(frozen=True, slots=True)
class DomainStanding:
    """How the domain of a send-from address stands in its account.

    `domain` is the account's sending domain that speaks for it: the very domain, or one above it.
    `is_authenticated`: its mail is signed by `domain` and that aligns. `has_signature` and
    `return_path` say what of it is in DNS at the moment; both are there but in a time of grace.
    `policy` is the effective DMARC policy of the address, None while unknown; the last two fields
    are what else is known of its DMARC. `claimed_at`: since then another account has proven the
    domain, and older proofs do not count.
    """

    from_domain: str
    domain: str | None = None
    state: DomainState | None = None
    is_authenticated: bool = False
    has_signature: bool = False
    return_path: str | None = None
    policy: Policy | None = None
    claimed_at: datetime | None = None
    is_dkim_strict: bool = False
    is_spf_strict: bool = False

    @property
    def can_pass(self) -> bool:
        """Whether a message from the address surely passes DMARC now: by its signature.

        SPF alone is not counted on. It fails with the first forwarding, and whether it passes at
        all hangs on addresses that only the operator knows.
        """
        return self.is_authenticated and self.has_signature

    @property
    def is_lost_unsigned(self) -> bool:
        """Whether receivers are told to refuse a message from the address that does not pass."""
        return self.policy in (Policy.QUARANTINE, Policy.REJECT)


def domain_standing(session: Session, account_id: int, from_domain: str) -> DomainStanding:
    """The standing of an address on `from_domain` (A-labels) in this account."""
    names = domains_that_cover(from_domain)
    rows = _rows(session, account_id, names)
    own = rows.get(from_domain)
    covering = _covering(rows, names)
    is_there = own is not None and own.state is not DomainState.REMOVED
    speaks, judged = covering or (own if is_there else None), own or covering
    found = _found_records(session, covering.id) if covering else set()
    return DomainStanding(
        from_domain=from_domain,
        domain=speaks.domain if speaks else None,
        state=speaks.state if speaks else None,
        is_authenticated=covering is not None,
        has_signature=bool(found - {RETURN_PATH_LABEL}),
        return_path=return_path_host(covering.domain)
        if covering and RETURN_PATH_LABEL in found
        else None,
        policy=Policy(own.dmarc_policy) if own and own.dmarc_policy else None,
        claimed_at=_claimed_at(session, account_id, names),
        is_dkim_strict=judged is not None and judged.is_dkim_strict,
        is_spf_strict=judged is not None and judged.is_spf_strict,
    )


_Row: TypeAlias = Row[Any]
_COLUMNS: tuple[Any, ...] = (
    SendingDomain.id,
    SendingDomain.domain,
    SendingDomain.state,
    SendingDomain.dmarc_policy,
    SendingDomain.is_dkim_strict,
    SendingDomain.is_spf_strict,
)


def _rows(session: Session, account_id: int, names: Sequence[str]) -> dict[str, _Row]:
    """The account's own rows among these names. No more of them than is needed: delivery asks."""
    found = session.connection().execute(_OWN, {"account": account_id, "names": list(names)})
    return {row.domain: row for row in found}


# Built once: building a statement costs more than running it, and every message asks.
_OWN = select(*_COLUMNS).where(
    SendingDomain.account_id == bindparam("account"),
    col(SendingDomain.domain).in_(bindparam("names", expanding=True)),
)
_FOUND = select(DomainRecord.key).where(
    DomainRecord.domain_id == bindparam("domain"),
    DomainRecord.state == RecordState.FOUND,
    col(DomainRecord.key).in_((*SELECTORS, RETURN_PATH_LABEL)),
)
_CLAIMS = select(DomainClaim.claimed_at).where(
    col(DomainClaim.domain).in_(bindparam("names", expanding=True)),
    DomainClaim.account_id != bindparam("account"),
)


def domains_that_cover(from_domain: str) -> Sequence[str]:
    """The domain and those above it, down to the organizational one (R-ALIGN)."""
    top = organizational_domain(from_domain) or from_domain
    names = [from_domain]
    while names[-1] != top and "." in names[-1]:
        names.append(names[-1].partition(".")[2])
    return names


def _covering(rows: dict[str, _Row], names: Sequence[str]) -> _Row | None:
    """The authenticated domain that an address on the first of `names` aligns with."""
    own = rows.get(names[0])
    for name in names:
        row = rows.get(name)
        if row is None or row.state is not DomainState.AUTHENTICATED:
            continue
        if covers(name, names[0], is_dkim_strict=(own or row).is_dkim_strict):
            return row
    return None


def _found_records(session: Session, domain_id: int) -> set[str]:
    return set(session.connection().scalars(_FOUND, {"domain": domain_id}))


def _claimed_at(session: Session, account_id: int, names: Sequence[str]) -> datetime | None:
    values = {"account": account_id, "names": list(names)}
    return max(session.connection().scalars(_CLAIMS, values), default=None)
