"""Rows of sending domains: found, and made where the database decides who of several does it."""

from sqlalchemy import ColumnElement
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from kartramail.clock import now
from kartramail.domains.models import DomainState, SendingDomain
from kartramail.ids import new_id
from kartramail.rules.addresses import organizational_domain


def find_row(session: Session, account_id: int | None, domain: str) -> SendingDomain | None:
    """The row of this domain in this account; without an account, the platform's own.

    None for a domain that was removed.
    """
    statement = select(SendingDomain).where(
        _of(account_id),
        SendingDomain.domain == domain,
        SendingDomain.state != DomainState.REMOVED,
    )
    return session.exec(statement).first()


def claim_row(session: Session, account_id: int | None, domain: str) -> tuple[int, bool]:
    """The number of this domain's row, locked, and whether it was made just now.

    One that was removed is there again, as new.
    """
    dialect = sqlite if session.connection().dialect.name == "sqlite" else postgresql
    at = now()
    inserted = session.connection().execute(
        dialect.insert(SendingDomain)
        .values(
            id=new_id(),
            account_id=account_id,
            domain=domain,
            zone=organizational_domain(domain) or domain,
            state=DomainState.PENDING,
            is_dkim_strict=False,
            is_spf_strict=False,
            signing_selector="km1",
            created_at=at,
            next_check_at=at,
            report={},
        )
        .on_conflict_do_nothing()
        .returning(col(SendingDomain.id))
    )
    is_new = inserted.first() is not None
    statement = select(SendingDomain).where(_of(account_id), SendingDomain.domain == domain)
    row = session.exec(statement.with_for_update().execution_options(populate_existing=True)).one()
    if row.state is DomainState.REMOVED:
        row.state, row.created_at, row.next_check_at = DomainState.PENDING, at, at
        row.added_at, is_new = None, True
        session.add(row)
        session.flush()
    return row.id, is_new


def _of(account_id: int | None) -> ColumnElement[bool]:
    if account_id is None:
        return col(SendingDomain.account_id).is_(None)
    return col(SendingDomain.account_id) == account_id
