"""Generated addresses: each account has one, in use or in reserve (R-PLACEHOLDER).

The database decides who gets a name, not a look before: fifty sign-ups of one business name at the
same instant get fifty addresses.
"""

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select, update

from kartramail.accounts.models import Account
from kartramail.clock import now
from kartramail.errors import NotFound
from kartramail.rules.placeholders import candidates, is_made_from
from kartramail.senders.models import Placeholder


def give_placeholder(
    session: Session, account_id: int, business_name: str, platform_domain: str
) -> str:
    """The account's generated address, whole; made if it has none for this business name.

    A name that was given out once is never given again, also when its account is gone.
    """
    current = find_placeholder(session, account_id)
    if current is not None and is_made_from(current, business_name, platform_domain):
        return f"{current}@{platform_domain}"
    if current is not None:
        _retire(session, current)
    for local in candidates(business_name, platform_domain):
        if _take(session, local, account_id):
            return f"{local}@{platform_domain}"
    raise AssertionError("candidates never end")


def find_placeholder(session: Session, account_id: int) -> str | None:
    """The local part of the account's generated address."""
    return session.exec(
        select(Placeholder.local).where(
            Placeholder.account_id == account_id, col(Placeholder.retired_at).is_(None)
        )
    ).first()


def load_reserve(session: Session, account_id: int, platform_domain: str) -> tuple[str, str]:
    """The business name and the generated address of an account, whole. Raises NotFound."""
    row = session.exec(
        select(Account.business_name, Placeholder.local)
        .join(Placeholder, col(Placeholder.account_id) == col(Account.id))
        .where(Account.id == account_id, col(Placeholder.retired_at).is_(None))
    ).first()
    if row is None:
        raise NotFound("this account has no temporary address")
    business_name, local = row
    return business_name, f"{local}@{platform_domain}"


def _take(session: Session, local: str, account_id: int) -> bool:
    dialect = sqlite if session.connection().dialect.name == "sqlite" else postgresql
    taken = session.connection().execute(
        dialect.insert(Placeholder)
        .values(local=local, account_id=account_id, created_at=now())
        .on_conflict_do_nothing(index_elements=["local"])
        .returning(col(Placeholder.local))
    )
    return taken.first() is not None


def _retire(session: Session, local: str) -> None:
    session.connection().execute(
        update(Placeholder).where(col(Placeholder.local) == local).values(retired_at=now())
    )
