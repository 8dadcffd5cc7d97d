"""R-PROOF: how a sender stands."""

from datetime import timedelta

import pytest
from sqlmodel import update

from kartramail.clock import now
from kartramail.db import Database
from kartramail.errors import NotFound
from kartramail.ids import new_id
from kartramail.senders.models import MailboxProof
from kartramail.senders.standing import Proof, gateway_standing, sender_standing
from tests.support.outbox import add_account
from tests.support.statements import heard

DOMAIN = "kartra.com"


def test_a_confirmed_mailbox_is_proof(db: Database) -> None:
    with db.transaction() as session:
        account_id = add_account(session)
        standing = gateway_standing(session, account_id, DOMAIN)
    assert standing.proof is Proof.MAILBOX
    assert standing.send_from == "jane@doeinc.com"
    assert standing.business_name == "Doe Inc"


@pytest.mark.parametrize(
    ("age", "proof"), [(timedelta(days=364), Proof.MAILBOX), (timedelta(days=366), Proof.NONE)]
)
def test_a_proof_counts_for_twelve_months(db: Database, age: timedelta, proof: Proof) -> None:
    with db.transaction() as session:
        account_id = add_account(session)
        session.connection().execute(update(MailboxProof).values(proven_at=now() - age))
        assert gateway_standing(session, account_id, DOMAIN).proof is proof


def test_the_proof_of_another_account_counts_for_nothing(db: Database) -> None:
    with db.transaction() as session:
        mine = add_account(session)
        add_account(session, "Charlie Ltd", "jane@doeinc.com")
        session.connection().execute(
            MailboxProof.__table__.delete().where(MailboxProof.account_id == mine)
        )
        assert gateway_standing(session, mine, DOMAIN).proof is Proof.NONE


def test_three_queries_each(db: Database) -> None:
    """The sender, its domain, and claims on it: delivery asks for every sender of a batch."""
    with db.transaction() as session:
        account_id = add_account(session)
    with db.reading() as session:
        session.connection()
        with heard(db) as asked:
            standing = gateway_standing(session, account_id, DOMAIN)
            assert sender_standing(session, account_id, standing.sender_id, DOMAIN) == standing
    assert len(asked) == 6


def test_another_accounts_sender_is_not_found(db: Database) -> None:
    with db.transaction() as session:
        mine = add_account(session)
        theirs = add_account(session, "Charlie Ltd", "charlie@charlie.test")
        sender_id = gateway_standing(session, theirs, DOMAIN).sender_id
        assert sender_standing(session, mine, sender_id, DOMAIN) is None
        assert sender_standing(session, theirs, sender_id, DOMAIN) is not None


def test_an_account_without_a_sender_is_named_as_such(db: Database) -> None:
    with db.reading() as session, pytest.raises(NotFound):
        gateway_standing(session, new_id(), DOMAIN)
