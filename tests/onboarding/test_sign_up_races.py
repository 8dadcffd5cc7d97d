"""Many at the same instant: the database decides, nobody gets an error (R-SIGNUP)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from sqlmodel import func, select

from kartramail.accounts.models import Account, User
from kartramail.installation import Installation
from kartramail.onboarding.confirmation import confirm_sign_up
from kartramail.onboarding.service import SignUpOutcome, sign_up
from kartramail.senders.models import Placeholder, Sender
from tests.support.cast import cheap_hash
from tests.support.mailbox import newest_link


def at_once(number: int, act: Callable[[int], Any]) -> list[Any]:
    barrier = Barrier(number)

    def run(index: int) -> Any:
        barrier.wait()
        return act(index)

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(run, range(number)))


def keep(installation: Installation, email: str, business_name: str = "Doe Inc.") -> Any:
    with installation.db.transaction() as session:
        return sign_up(
            session,
            installation,
            business_name=business_name,
            full_name="Jane Doe",
            email=email,
            password_hash=cheap_hash("a sentence"),
        )


def test_fifty_sign_ups_of_one_business_name_get_fifty_addresses(
    installation: Installation,
) -> None:
    receipts = at_once(50, lambda index: keep(installation, f"jane{index}@gmail.com"))
    assert {receipt.outcome for receipt in receipts} == {SignUpOutcome.CREATED}
    with installation.db.reading() as session:
        assert session.exec(select(func.count()).select_from(Placeholder)).one() == 50
        senders = set(session.exec(select(Sender.send_from)))
    assert len(senders) == 50
    assert "doe-inc@kartra.com" in senders


def test_sign_ups_of_one_address_leave_one_person_and_one_account(
    installation: Installation,
) -> None:
    receipts = at_once(12, lambda index: keep(installation, "jane@doeinc.com", f"Doe {index} Inc."))
    outcomes = [receipt.outcome for receipt in receipts]
    assert outcomes.count(SignUpOutcome.CREATED) == 1
    assert outcomes.count(SignUpOutcome.REPLACED) == 11
    with installation.db.reading() as session:
        assert session.exec(select(func.count()).select_from(User)).one() == 1
        assert session.exec(select(func.count()).select_from(Account)).one() == 1


def test_one_link_confirms_once(installation: Installation) -> None:
    keep(installation, "jane@doeinc.com")
    raw = newest_link(installation, "jane@doeinc.com").rpartition("/")[2]

    def confirm(_: int) -> bool:
        with installation.db.transaction() as session:
            return confirm_sign_up(session, raw, cheap_hash("a sentence")) is not None

    assert at_once(8, confirm).count(True) == 1


def test_a_sign_up_is_confirmed_or_replaced_but_never_half_of_each(
    installation: Installation,
) -> None:
    keep(installation, "jane@doeinc.com", "First Inc.")
    raw = newest_link(installation, "jane@doeinc.com").rpartition("/")[2]

    def act(index: int) -> Any:
        if index == 0:
            with installation.db.transaction() as session:
                return confirm_sign_up(session, raw, cheap_hash("a sentence")) is not None
        return keep(installation, "jane@doeinc.com", "Second Inc.").outcome

    is_confirmed, outcome = at_once(2, act)
    with installation.db.reading() as session:
        account = session.exec(select(Account)).one()
        user = session.exec(select(User)).one()
    if is_confirmed:
        assert (outcome, account.business_name) == (SignUpOutcome.KNOWN, "First Inc.")
    else:
        assert (outcome, account.business_name) == (SignUpOutcome.REPLACED, "Second Inc.")
    assert (user.confirmed_at is not None) == is_confirmed
