"""Accounts and the people in them: find, claim an address, rename, save the account."""

from dataclasses import dataclass, replace

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select, update

from kartramail.accounts.history import record_change
from kartramail.accounts.models import Account, Membership, User
from kartramail.clock import now
from kartramail.errors import EditConflict, NotFound
from kartramail.ids import new_id
from kartramail.rules.addresses import Address


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """What `Settings › Account` shows. `version` is what its form carries (R-SAVE)."""

    business_name: str
    postal_address: str
    time_zone: str
    version: int = 1


def is_possible_key(email_key: str) -> bool:
    """False for what cannot be anybody's address, and what a database may refuse to be asked."""
    return len(email_key) <= 320 and email_key.isprintable()


def find_user(session: Session, email_key: str) -> User | None:
    """The person of that address, whatever account they are in."""
    if not is_possible_key(email_key):
        return None
    return session.exec(select(User).where(User.email_key == email_key)).first()


def load_user(session: Session, user_id: int) -> User:
    """The person of that number. Raises NotFound."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound("There is no such person.")
    return user


def claim_address(
    session: Session, address: Address, full_name: str, password_hash: str
) -> tuple[User, bool]:
    """The one person of that address, locked, and whether they are new: the database decides."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    inserted = session.connection().execute(
        dialect.insert(User)
        .values(
            id=new_id(),
            email=address.text,
            email_key=address.key,
            full_name=full_name,
            password_hash=password_hash,
            is_operator=False,
            created_at=now(),
        )
        .on_conflict_do_nothing(index_elements=["email_key"])
        .returning(col(User.id))
    )
    is_new = inserted.first() is not None
    user = session.exec(select(User).where(User.email_key == address.key).with_for_update()).one()
    return user, is_new


def lock_user(session: Session, user_id: int) -> User:
    """The person as they are now, while nobody else can change them. Raises NotFound."""
    user = session.get(User, user_id, with_for_update=True, populate_existing=True)
    if user is None:
        raise NotFound("There is no such person.")
    return user


def home_account(session: Session, user_id: int) -> Account | None:
    """Any account of that person, the first they joined, confirmed or not."""
    return session.exec(
        select(Account)
        .join(Membership, col(Membership.account_id) == col(Account.id))
        .where(Membership.user_id == user_id, col(Account.deleted_at).is_(None))
        .order_by(col(Account.id))
    ).first()


def load_account(session: Session, account_id: int) -> AccountDetails:
    """The account's details. Raises NotFound."""
    account = session.get(Account, account_id)
    if account is None or account.deleted_at is not None:
        raise NotFound("There is no such account.")
    return AccountDetails(
        account.business_name, account.postal_address, account.time_zone, account.version
    )


def save_account(
    session: Session, account_id: int, details: AccountDetails, *, user_id: int | None
) -> None:
    """Save the details and a line of history. Raises EditConflict where `version` is an old one.

    What is saved like that already is no conflict: the second of two presses brings it.
    """
    session.get(Account, account_id, with_for_update=True, populate_existing=True)
    before = load_account(session, account_id)
    if replace(before, version=details.version) == details:
        return
    changed = session.connection().execute(
        update(Account)
        .where(col(Account.id) == account_id, col(Account.version) == details.version)
        .values(
            business_name=details.business_name,
            postal_address=details.postal_address,
            time_zone=details.time_zone,
            version=details.version + 1,
        )
    )
    if changed.rowcount != 1:
        raise EditConflict("The account was changed in another window.")
    names = [
        name
        for name in ("business_name", "postal_address", "time_zone")
        if getattr(before, name) != getattr(details, name)
    ]
    if names:
        record_change(
            session,
            account_id,
            "account.saved",
            user_id=user_id,
            before={name: getattr(before, name) for name in names},
            after={name: getattr(details, name) for name in names},
        )


def rename_person(session: Session, account_id: int, user_id: int, full_name: str) -> None:
    """Change a person's name, with a line in the history of the account they look at."""
    user = load_user(session, user_id)
    if user.full_name == full_name:
        return
    record_change(
        session,
        account_id,
        "person.renamed",
        user_id=user_id,
        before={"full_name": user.full_name},
        after={"full_name": full_name},
    )
    user.full_name = full_name
    session.add(user)
