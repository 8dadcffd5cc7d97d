"""R-PLACEHOLDER: every account has one generated address, and the database decides whose it is."""

from concurrent.futures import ThreadPoolExecutor

from sqlmodel import col, select

from kartramail.accounts.models import Account
from kartramail.clock import now
from kartramail.db import Database
from kartramail.senders.models import Placeholder
from kartramail.senders.placeholders import find_placeholder, give_placeholder

DOMAIN = "kartra.com"


def add_bare_account(db: Database, business_name: str) -> int:
    with db.transaction() as session:
        account = Account(business_name=business_name)
        session.add(account)
    return account.id


def give(db: Database, account_id: int, business_name: str) -> str:
    with db.transaction() as session:
        return give_placeholder(session, account_id, business_name, DOMAIN)


def test_it_is_made_from_the_business_name(db: Database) -> None:
    account_id = add_bare_account(db, "Doe Inc")
    assert give(db, account_id, "Doe Inc") == "doe-inc@kartra.com"


def test_the_second_of_one_name_gets_another(db: Database) -> None:
    first = give(db, add_bare_account(db, "Doe Inc"), "Doe Inc")
    second = give(db, add_bare_account(db, "Doe Inc"), "Doe Inc")
    assert first != second
    assert second.startswith("doe-inc-")


def test_fifty_at_the_same_instant_get_fifty_addresses(db: Database) -> None:
    accounts = [add_bare_account(db, "Doe Inc") for _ in range(50)]
    with ThreadPoolExecutor(25) as pool:
        given = list(pool.map(lambda account_id: give(db, account_id, "Doe Inc"), accounts))
    assert len(set(given)) == 50
    with db.reading() as session:
        kept = session.exec(select(Placeholder.local)).all()
    assert sorted(f"{local}@{DOMAIN}" for local in kept) == sorted(given)


def test_an_account_keeps_its_own_when_asked_again(db: Database) -> None:
    account_id = add_bare_account(db, "Doe Inc")
    assert give(db, account_id, "Doe Inc") == give(db, account_id, "Doe Inc")


def test_a_replaced_sign_up_gets_one_of_its_new_name_and_keeps_one_only(db: Database) -> None:
    """R-SIGNUP: a later sign-up replaces an unconfirmed one, whatever name that one had chosen."""
    account_id = add_bare_account(db, "Somebody Else")
    old = give(db, account_id, "Somebody Else")
    new = give(db, account_id, "Doe Inc")
    assert new == "doe-inc@kartra.com" != old
    with db.reading() as session:
        assert find_placeholder(session, account_id) == "doe-inc"
        in_use = session.exec(
            select(Placeholder.local).where(
                Placeholder.account_id == account_id, col(Placeholder.retired_at).is_(None)
            )
        ).all()
    assert in_use == ["doe-inc"]


def test_a_name_once_given_is_never_given_again(db: Database) -> None:
    """R-PLACEHOLDER: also when its account has another by now, or is gone."""
    gone = add_bare_account(db, "Doe Inc")
    give(db, gone, "Doe Inc")
    give(db, gone, "Other Name")
    with db.transaction() as session:
        account = session.get_one(Account, gone)
        account.deleted_at = now()
        session.add(account)
    assert give(db, add_bare_account(db, "Doe Inc"), "Doe Inc") != "doe-inc@kartra.com"


def test_the_name_of_the_platform_is_never_given(db: Database) -> None:
    given = give(db, add_bare_account(db, "Kartra"), "Kartra")
    assert not given.startswith("kartra@")
    assert "kartra" not in given.partition("@")[0]
