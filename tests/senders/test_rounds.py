"""R-PROOF: a mailbox is asked again after 12 months, with notice."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlmodel import select, update

from kartramail.accounts.history import list_changes
from kartramail.clock import now
from kartramail.db import Database
from kartramail.installation import Installation
from kartramail.messages.resolution import resolve_sender
from kartramail.outbox.models import Message
from kartramail.senders.models import MailboxProof
from kartramail.senders.rounds import ROUNDS, ask_mailboxes_again
from kartramail.senders.service import prove_mailbox
from kartramail.senders.standing import Proof, gateway_standing
from tests.senders.reading import CARD, text_of
from tests.support.cast import Actor
from tests.support.outbox import add_account


def grow_old(db: Database, days: int) -> None:
    with db.transaction() as session:
        session.connection().execute(
            update(MailboxProof).values(proven_at=now() - timedelta(days=days))
        )


def asked(db: Database) -> list[str]:
    with db.reading() as session:
        return [
            mail.to_addr
            for mail in session.exec(
                select(Message).where(Message.template == "prove_mailbox_again")
            )
        ]


def test_the_worker_knows_the_round() -> None:
    assert ask_mailboxes_again in [each.run for each in ROUNDS]


def test_it_asks_thirty_days_before_the_end(
    alice: Actor, installation: Installation, db: Database
) -> None:
    grow_old(db, 334)
    ask_mailboxes_again(installation)
    assert asked(db) == []
    grow_old(db, 336)
    ask_mailboxes_again(installation)
    assert asked(db) == ["alice@doeinc.com"]
    assert "ends on" in text_of(alice.get(CARD))


def test_it_asks_once(alice: Actor, installation: Installation, db: Database) -> None:
    grow_old(db, 336)
    ask_mailboxes_again(installation)
    ask_mailboxes_again(installation)
    assert len(asked(db)) == 1


def test_a_new_proof_counts_for_another_year(
    alice: Actor, installation: Installation, db: Database
) -> None:
    grow_old(db, 336)
    ask_mailboxes_again(installation)
    with db.transaction() as session:
        prove_mailbox(session, alice.account_id, "alice@doeinc.com")
    ask_mailboxes_again(installation)
    assert len(asked(db)) == 1
    assert "ends on" not in text_of(alice.get(CARD))
    grow_old(db, 336)
    ask_mailboxes_again(installation)
    assert len(asked(db)) == 2


def test_this_was_not_me_stops_mail_at_once(
    alice: Actor, client: FlaskClient, installation: Installation, db: Database
) -> None:
    """The proof of the year before is no leave to go on once its reader has declined."""
    grow_old(db, 336)
    ask_mailboxes_again(installation)
    with db.reading() as session:
        mail = session.exec(select(Message).where(Message.template == "prove_mailbox_again")).one()
    link = str((mail.variables or {})["link"])
    page = client.post(link[link.index("/prove/") :], data={"answer": "decline"})
    assert "Nothing is sent as alice@doeinc.com" in text_of(page)
    with db.reading() as session:
        standing = gateway_standing(session, alice.account_id, "kartra.com")
        told = [change.what for change in list_changes(session, alice.account_id)]
    assert standing.proof is Proof.NONE
    assert resolve_sender(standing).send_from == "doe-inc@kartra.com"
    assert told[:2] == ["mailbox.unproven", "mailbox.declined"]
    words = text_of(alice.get(CARD))
    assert "alice@doeinc.com is not used yet" in words
    assert "said that this was not them" in words
    assert "Mail no longer comes from alice@doeinc.com" in text_of(alice.get("/settings/account"))


def test_a_decline_leaves_other_accounts_alone(
    alice: Actor, client: FlaskClient, installation: Installation, db: Database
) -> None:
    with db.transaction() as session:
        other = add_account(session, "Another", "jane@doe.test")
        prove_mailbox(session, other, "alice@doeinc.com")
    grow_old(db, 336)
    ask_mailboxes_again(installation)
    with db.reading() as session:
        (mail,) = session.exec(
            select(Message).where(
                Message.template == "prove_mailbox_again", Message.account_id == alice.account_id
            )
        )
    link = str((mail.variables or {})["link"])
    client.post(link[link.index("/prove/") :], data={"answer": "decline"})
    with db.reading() as session:
        left = session.exec(select(MailboxProof.account_id)).all()
    assert alice.account_id not in left
    assert other in left


def test_after_the_end_mail_leaves_from_the_temporary_address(
    alice: Actor, installation: Installation, db: Database
) -> None:
    grow_old(db, 366)
    ask_mailboxes_again(installation)
    assert asked(db) == []
    words = text_of(alice.get(CARD))
    assert "doe-inc@kartra.com" in words
    assert "alice@doeinc.com is not used yet" in words


def test_a_mailbox_that_is_no_longer_used_is_left_alone(
    alice: Actor, installation: Installation, db: Database
) -> None:
    with db.transaction() as session:
        prove_mailbox(session, alice.account_id, "old@doeinc.com")
    grow_old(db, 336)
    ask_mailboxes_again(installation)
    assert asked(db) == ["alice@doeinc.com"]


def test_all_are_asked_however_many(
    alice: Actor, installation: Installation, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kartramail.senders.rounds._AT_A_TIME", 2)
    with db.transaction() as session:
        for number in range(4):
            add_account(session, f"Doe {number}", f"jane@doe{number}.test")
    grow_old(db, 340)
    ask_mailboxes_again(installation)
    assert len(asked(db)) == 5
