"""Proofs of mailboxes end when another account proves their domain (R-CLAIM)."""

from datetime import timedelta

from sqlmodel import select, update

from kartramail.clock import now
from kartramail.db import Database
from kartramail.installation import Installation
from kartramail.messages.resolution import resolve_sender
from kartramail.senders.claimed_mailboxes import end_claimed_proofs
from kartramail.senders.models import MailboxProof
from kartramail.senders.proofs import prove_mailbox
from kartramail.senders.standing import Proof, gateway_standing
from tests.support.cast import Actor
from tests.support.dns_server import DnsServer
from tests.support.domains import authenticate
from tests.support.mailbox import templates_to


def proof(db: Database, actor: Actor) -> Proof:
    with db.reading() as session:
        return gateway_standing(session, actor.account_id, "kartra.com").proof


def prove_earlier(db: Database) -> None:
    with db.transaction() as session:
        earlier = now() - timedelta(minutes=5)
        session.connection().execute(update(MailboxProof).values(proven_at=earlier))


def test_they_end_at_once(
    db: Database, installation: Installation, alice: Actor, charlie: Actor, dns: DnsServer
) -> None:
    prove_earlier(db)
    assert proof(db, alice) is Proof.MAILBOX
    authenticate(installation, dns, charlie.account_id)
    with db.reading() as session:
        answer = resolve_sender(gateway_standing(session, alice.account_id, "kartra.com"))
    assert (answer.send_from, answer.code) == ("doe-inc@kartra.com", "claimed")
    assert answer.reply_to == "alice@doeinc.com"
    assert "Another account" in answer.why


def test_their_accounts_are_told_once(
    db: Database, installation: Installation, alice: Actor, charlie: Actor, dns: DnsServer
) -> None:
    prove_earlier(db)
    authenticate(installation, dns, charlie.account_id)
    end_claimed_proofs(installation)
    end_claimed_proofs(installation)
    assert templates_to(installation, alice.email) == ["mailbox_claimed"]
    with db.reading() as session:
        owners = session.exec(select(MailboxProof.account_id)).all()
    assert owners == [charlie.account_id]


def test_ones_own_domain_ends_no_proof_of_ones_own(
    db: Database, installation: Installation, alice: Actor, dns: DnsServer
) -> None:
    prove_earlier(db)
    authenticate(installation, dns, alice.account_id)
    end_claimed_proofs(installation)
    assert proof(db, alice) is Proof.DOMAIN
    with db.reading() as session:
        assert len(session.exec(select(MailboxProof)).all()) == 1


def test_a_domain_that_only_ends_alike_is_another(
    db: Database, installation: Installation, alice: Actor, charlie: Actor, dns: DnsServer
) -> None:
    with db.transaction() as session:
        prove_mailbox(session, alice.account_id, "alice@otherdoeinc.com")
    prove_earlier(db)
    authenticate(installation, dns, charlie.account_id)
    end_claimed_proofs(installation)
    with db.reading() as session:
        left = set(session.exec(select(MailboxProof.address_key)))
    assert "alice@otherdoeinc.com" in left


def test_a_link_that_is_followed_later_counts_again(
    db: Database, installation: Installation, alice: Actor, charlie: Actor, dns: DnsServer
) -> None:
    """Whoever reads the mailbox today may say so (R-PROOF)."""
    prove_earlier(db)
    authenticate(installation, dns, charlie.account_id)
    end_claimed_proofs(installation)
    with db.transaction() as session:
        prove_mailbox(session, alice.account_id, "alice@doeinc.com")
    assert proof(db, alice) is Proof.MAILBOX
