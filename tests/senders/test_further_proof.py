"""R-PROOF, R-CLAIM, R-DOMAIN: what holds for the default sender's address holds for all of them."""

import re
from datetime import timedelta

from flask.testing import FlaskClient
from sqlmodel import select, update

from kartramail.clock import now
from kartramail.db import Database
from kartramail.installation import Installation
from kartramail.messages.candidates import Wanted, resolve_wanted
from kartramail.messages.resolution import Resolution
from kartramail.outbox.models import Message
from kartramail.senders.claimed_mailboxes import end_claimed_proofs
from kartramail.senders.models import MailboxProof
from kartramail.senders.removal import remove_sender
from kartramail.senders.rounds import ask_mailboxes_again
from kartramail.senders.standing import load_standings, sender_standing
from tests.senders.further import NEW, SUPPORT, TICK, add
from tests.senders.reading import text_of
from tests.support.cast import Actor
from tests.support.dns_server import DnsServer
from tests.support.domains import authenticate
from tests.support.mailbox import newest_link, templates_to
from tests.support.outbox import add_messages


def resolved(db: Database, actor: Actor, sender_id: int) -> Resolution:
    with db.reading() as session:
        return resolve_wanted(session, Wanted(actor.account_id, sender_id), "kartra.com")


def prove_earlier(db: Database, **ago: float) -> None:
    with db.transaction() as session:
        earlier = now() - timedelta(**ago)
        session.connection().execute(update(MailboxProof).values(proven_at=earlier))


def id_of(db: Database, actor: Actor, address: str) -> int:
    with db.reading() as session:
        standings = load_standings(session, actor.account_id, "kartra.com").values()
    return next(one.sender_id for one in standings if one.send_from == address)


def test_the_link_in_the_mail_proves_it(
    alice: Actor, client: FlaskClient, db: Database, installation: Installation
) -> None:
    alice.post(NEW, SUPPORT | TICK)
    sender_id = id_of(db, alice, "support@doeinc.com")
    answer = resolved(db, alice, sender_id)
    assert (answer.code, answer.send_from) == ("unproven", "doe-inc@kartra.com")
    assert (answer.name, answer.reply_to) == ("Doe support", "support@doeinc.com")
    link = newest_link(installation, "support@doeinc.com")
    client.post(link[link.index("/prove/") :], data={"answer": "allow"})
    assert resolved(db, alice, sender_id).send_from == "support@doeinc.com"


def test_an_authenticated_domain_proves_all_on_it(
    alice: Actor, db: Database, installation: Installation, dns: DnsServer
) -> None:
    """`support@yourcompany.com` beside a default sender there needs no proof of its own."""
    authenticate(installation, dns, alice.account_id)
    alice.post(NEW, SUPPORT)
    answer = resolved(db, alice, id_of(db, alice, "support@doeinc.com"))
    assert (answer.send_from, answer.signing_domain) == ("support@doeinc.com", "doeinc.com")


def test_a_batch_of_standings_says_what_each_alone_says(
    alice: Actor, db: Database, installation: Installation, dns: DnsServer
) -> None:
    authenticate(installation, dns, alice.account_id)
    add(db, alice.account_id)
    add(db, alice.account_id, "hi@yourcompany.com", "Brand")
    with db.reading() as session:
        standings = load_standings(session, alice.account_id, "kartra.com")
        assert len(standings) == 3
        for number, standing in standings.items():
            assert standing == sender_standing(session, alice.account_id, number, "kartra.com")


def test_it_is_asked_again_after_a_year(
    alice: Actor, db: Database, installation: Installation
) -> None:
    add(db, alice.account_id)
    prove_earlier(db, days=340)
    ask_mailboxes_again(installation)
    assert templates_to(installation, "support@doeinc.com")[-1] == "prove_mailbox_again"


def test_the_mailbox_of_a_removed_one_is_left_alone(
    alice: Actor, db: Database, installation: Installation
) -> None:
    sender_id = add(db, alice.account_id)
    prove_earlier(db, days=340)
    with db.transaction() as session:
        remove_sender(session, alice.account_id, sender_id, user_id=None)
    ask_mailboxes_again(installation)
    assert "prove_mailbox_again" not in templates_to(installation, "support@doeinc.com")


def test_it_ends_when_another_account_proves_the_domain(
    alice: Actor, charlie: Actor, db: Database, installation: Installation, dns: DnsServer
) -> None:
    sender_id = add(db, alice.account_id)
    prove_earlier(db, minutes=5)
    authenticate(installation, dns, charlie.account_id)
    assert resolved(db, alice, sender_id).code == "claimed"
    end_claimed_proofs(installation)
    with db.reading() as session:
        left = session.exec(select(MailboxProof.account_id)).all()
        mails = session.exec(select(Message).where(Message.template == "mailbox_claimed")).all()
    assert alice.account_id not in left
    links = {str((mail.variables or {})["address"]): mail.variables for mail in mails}
    assert str((links["support@doeinc.com"] or {})["link"]).endswith("/settings/senders")
    assert str((links["alice@doeinc.com"] or {})["link"]).endswith("/settings/integrations")


def test_removing_a_domain_says_what_it_does_to_them(
    alice: Actor, db: Database, installation: Installation, dns: DnsServer
) -> None:
    """R-IMPACT: their addresses, and what waits to leave as any of them; not removed ones."""
    authenticate(installation, dns, alice.account_id)
    sender_id = add(db, alice.account_id)
    gone = add(db, alice.account_id, "gone@doeinc.com", "Gone")
    with db.transaction() as session:
        remove_sender(session, alice.account_id, gone, user_id=None)
        add_messages(session, alice.account_id, 2)
        add_messages(session, alice.account_id, 3, sender_id=sender_id)
    words = text_of(alice.get("/settings/domains/doeinc.com"))
    assert re.search(r"alice@doeinc.com and support@doeinc.com are on it", words)
    assert "5 messages that wait to be sent are touched by it" in words
    assert "gone@doeinc.com" not in words
