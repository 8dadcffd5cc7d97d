"""R-SAVE: all or nothing, never over somebody else's change, always in the history."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import select

from kartramail.accounts.history import list_changes
from kartramail.accounts.models import OneTimeToken, TokenPurpose
from kartramail.db import Database
from kartramail.outbox.models import Message
from kartramail.rules.addresses import Address
from kartramail.senders.proof_requests import Asked
from kartramail.senders.saving import Conflict, Saved, SenderDetails, save_gateway_sender
from kartramail.senders.service import load_gateway, prove_mailbox
from kartramail.senders.standing import Proof, gateway_standing
from tests.support.outbox import add_account

DOMAIN = "kartra.com"
JANE = Address("jane", "doeinc.com")
HELLO = Address("hello", "doeinc.com")


@pytest.fixture
def account_id(db: Database) -> int:
    with db.transaction() as session:
        return add_account(session)


def save(
    db: Database,
    account_id: int,
    name: str = "Jane Doe",
    send_from: Address = JANE,
    reply_to: Address | None = JANE,
    *,
    version: int | None = None,
    accepts_low_delivery: bool = False,
) -> Saved | Conflict:
    with db.transaction() as session:
        return save_gateway_sender(
            session,
            account_id,
            SenderDetails(name, send_from, reply_to, accepts_low_delivery),
            version=version,
            user_id=None,
            platform_domain=DOMAIN,
            base_url="http://127.0.0.1:5000",
        )


def links(db: Database) -> list[str]:
    with db.reading() as session:
        return [
            link.address
            for link in session.exec(
                select(OneTimeToken).where(OneTimeToken.purpose == TokenPurpose.PROVE_MAILBOX)
            )
        ]


def mails(db: Database) -> list[tuple[str, str | None]]:
    with db.reading() as session:
        return [(mail.to_addr, mail.template) for mail in session.exec(select(Message))]


def test_it_is_saved_and_the_version_counts_up(db: Database, account_id: int) -> None:
    saved = save(db, account_id, "Jane Doe", reply_to=HELLO, version=1)
    assert isinstance(saved, Saved)
    assert saved.is_changed
    assert saved.sender.version == 2
    assert (saved.sender.name, saved.sender.reply_to) == ("Jane Doe", "hello@doeinc.com")


def test_the_history_says_what_was_before_and_after(db: Database, account_id: int) -> None:
    save(db, account_id, "Jane Doe")
    with db.reading() as session:
        (change,) = list_changes(session, account_id)
    assert change.what == "gateway.saved"
    assert change.before["name"] == "Doe Inc"
    assert change.after["name"] == "Jane Doe"


def test_saving_what_is_there_changes_nothing(db: Database, account_id: int) -> None:
    save(db, account_id, "Jane Doe")
    saved = save(db, account_id, "Jane Doe")
    assert isinstance(saved, Saved)
    assert not saved.is_changed
    assert saved.sender.version == 2
    with db.reading() as session:
        assert len(list_changes(session, account_id)) == 1


def test_the_later_of_two_tabs_is_told_what_is_there_now(db: Database, account_id: int) -> None:
    save(db, account_id, "From the first tab", version=1)
    outcome = save(db, account_id, "From the second tab", version=1)
    assert isinstance(outcome, Conflict)
    assert outcome.sender.name == "From the first tab"
    with db.reading() as session:
        assert load_gateway(session, account_id).name == "From the first tab"


def test_it_can_be_saved_over_on_purpose(db: Database, account_id: int) -> None:
    save(db, account_id, "From the first tab", version=1)
    conflict = save(db, account_id, "From the second tab", version=1)
    assert isinstance(conflict, Conflict)
    saved = save(db, account_id, "From the second tab", version=conflict.sender.version)
    assert isinstance(saved, Saved)
    assert saved.sender.name == "From the second tab"


def test_the_same_sent_twice_is_no_conflict(db: Database, account_id: int) -> None:
    """A second press brings the version that the first one has already counted up."""
    save(db, account_id, "Pressed twice", version=1)
    again = save(db, account_id, "Pressed twice", version=1)
    assert isinstance(again, Saved)
    assert not again.is_changed
    assert again.sender.version == 2


def test_of_many_at_once_with_one_version_one_wins(db: Database, account_id: int) -> None:
    barrier = threading.Barrier(8)

    def press(n: int) -> Saved | Conflict:
        barrier.wait()
        return save(db, account_id, f"Tab {n}", version=1)

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(press, range(8)))
    (winner,) = [outcome for outcome in outcomes if isinstance(outcome, Saved)]
    losers = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
    assert all(loser.sender.name == winner.sender.name for loser in losers)
    with db.reading() as session:
        assert load_gateway(session, account_id).version == 2
        assert len(list_changes(session, account_id)) == 1


def test_a_new_send_from_gets_a_link(db: Database, account_id: int) -> None:
    """R-PROOF: nobody sends as a mailbox that they have not proven."""
    saved = save(db, account_id, send_from=HELLO)
    assert isinstance(saved, Saved)
    assert saved.asked is Asked.SENT
    assert links(db) == ["hello@doeinc.com"]
    assert mails(db) == [("hello@doeinc.com", "prove_mailbox")]
    with db.reading() as session:
        assert gateway_standing(session, account_id, DOMAIN).proof is Proof.NONE


def test_unchanged_addresses_get_no_second_link(db: Database, account_id: int) -> None:
    save(db, account_id, send_from=HELLO)
    save(db, account_id, "Another name", send_from=HELLO)
    save(db, account_id, "Another name", send_from=Address("Hello", "doeinc.com"))
    assert len(mails(db)) == 1


def test_a_proven_send_from_gets_no_link(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        prove_mailbox(session, account_id, HELLO.key)
    saved = save(db, account_id, send_from=HELLO)
    assert isinstance(saved, Saved)
    assert saved.asked is None
    assert mails(db) == []


def test_nobody_is_pestered_through_an_account(db: Database, account_id: int) -> None:
    """A mailbox gets three links a day, however often somebody saves back and forth."""
    asked = []
    for _ in range(5):
        outcome = save(db, account_id, send_from=HELLO)
        assert isinstance(outcome, Saved)
        asked.append(outcome.asked)
        save(db, account_id, send_from=JANE)
    assert asked == [Asked.SENT] * 3 + [Asked.TOO_OFTEN] * 2
    assert len(mails(db)) == 3


def test_the_own_generated_address_can_be_saved_again(db: Database, account_id: int) -> None:
    """R-PLACEHOLDER: with no reply-to or any business address as reply-to."""
    saved = save(db, account_id, send_from=Address("doe-inc", DOMAIN), reply_to=None)
    assert isinstance(saved, Saved)
    assert saved.asked is None
    with db.reading() as session:
        assert gateway_standing(session, account_id, DOMAIN).proof is Proof.PLACEHOLDER


def test_a_tick_is_kept_until_the_send_from_changes(db: Database, account_id: int) -> None:
    """R-LOWDELIV: `accept_low_delivery` is about one address."""
    save(db, account_id, accepts_low_delivery=True)
    saved = save(db, account_id, "Another name")
    assert isinstance(saved, Saved)
    assert saved.sender.low_delivery_accepted
    saved = save(db, account_id, send_from=HELLO)
    assert isinstance(saved, Saved)
    assert not saved.sender.low_delivery_accepted


def test_another_account_is_left_alone(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        charlie = add_account(session, "Charlie Ltd", "charlie@charlie.test")
    save(db, account_id, "Jane Doe")
    with db.reading() as session:
        assert load_gateway(session, charlie).name == "Charlie Ltd"
        assert list_changes(session, charlie) == []
