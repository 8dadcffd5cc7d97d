"""R-SENDERS: all senders as a recipient sees them, with the state of proof and domain beside."""

from datetime import timedelta

from lxml import html
from sqlmodel import update

from kartramail.clock import now
from kartramail.db import Database
from kartramail.domains.models import DomainState, SendingDomain
from kartramail.installation import Installation
from kartramail.senders.card import list_sender_cards
from kartramail.senders.models import MailboxProof
from tests.senders.further import NEW, SENDERS, SUPPORT, TICK, add
from tests.senders.reading import text_of
from tests.support.cast import Actor, make_account, sign_in
from tests.support.dns_server import DnsServer
from tests.support.domains import authenticate
from tests.support.statements import heard


def rows(actor: Actor) -> list[str]:
    tree = html.fromstring(actor.get(SENDERS).text)
    return [" ".join(row.text_content().split()) for row in tree.xpath("//li[@class='sender']")]


def test_the_default_one_stands_first_and_cannot_be_removed(alice: Actor, db: Database) -> None:
    add(db, alice.account_id, name="A name that comes before")
    default, further = rows(alice)
    assert "Doe Inc. Default sender alice@doeinc.com Reply goes to alice@doeinc.com" in default
    assert "Remove" not in default
    assert "support@doeinc.com" in further
    assert "Remove" in further
    assert "Default sender" not in further


def test_the_state_of_proof_and_domain_stands_beside(
    alice: Actor, db: Database, installation: Installation, dns: DnsServer
) -> None:
    alice.post(NEW, SUPPORT | TICK)
    add(db, alice.account_id, "hi@yourcompany.com", "Another brand")
    brand, _, waiting = sorted(rows(alice))
    assert "Mailbox proven Domain not authenticated" in brand
    assert "Waiting for proofsince" in waiting
    assert "Nobody has followed the link sent to support@doeinc.com yet" in waiting
    assert "Send the link again" in waiting
    authenticate(installation, dns, alice.account_id)
    brand, default, further = sorted(rows(alice))
    assert "Mailbox proven Domain not authenticated" in brand
    for row in (default, further):
        assert "Proven by its domain Domain authenticated" in row


def test_a_declined_mailbox_gets_no_further_link(alice: Actor, db: Database) -> None:
    from kartramail.accounts.history import record_change

    alice.post(NEW, SUPPORT | TICK)
    with db.transaction() as session:
        told = {"address": "support@doeinc.com"}
        record_change(session, alice.account_id, "mailbox.declined", user_id=None, after=told)
    (_, row) = rows(alice)
    assert "Declined" in row
    assert "Send the link again" not in row


def test_a_domain_whose_policy_is_strict_says_what_happens(alice: Actor, db: Database) -> None:
    """R-LOWDELIV: such mail could only be lost."""
    add(db, alice.account_id, "hi@yourcompany.com", "Another brand")
    with db.transaction() as session:
        session.connection().execute(update(SendingDomain).values(dmarc_policy="reject"))
    row = next(row for row in rows(alice) if "Another brand" in row)
    assert "DMARC policy is “reject”" in row
    assert "Authenticate yourcompany.com" in row


def test_a_domain_that_was_lost_or_claimed_says_so(alice: Actor, db: Database) -> None:
    for state, words in (
        (DomainState.LOST, "Domain no longer authenticated"),
        (DomainState.CLAIMED, "Domain proved by another account"),
    ):
        with db.transaction() as session:
            session.connection().execute(update(SendingDomain).values(state=state))
        assert words in text_of(alice.get(SENDERS))


def test_a_proof_that_ended_waits_anew(alice: Actor, db: Database) -> None:
    add(db, alice.account_id)
    with db.transaction() as session:
        long_ago = now() - timedelta(days=366)
        session.connection().execute(update(MailboxProof).values(proven_at=long_ago))
    assert all("Waiting for proof" in row for row in rows(alice))


def test_a_temporary_address_is_called_so(installation: Installation, alice: Actor) -> None:
    account_id, user_id = make_account(installation, email="zoe@gmail.com", business_name="Zoe")
    zoe = Actor(account_id, user_id, "zoe@gmail.com", "Zoe", alice.client.application.test_client())
    sign_in(zoe.client, user_id, account_id)
    (row,) = rows(zoe)
    assert "zoe@kartra.com" in row
    assert "Temporary address" in row
    assert "Add another one" in text_of(zoe.get(SENDERS))


def test_another_accounts_senders_are_not_among_them(
    alice: Actor, charlie: Actor, db: Database
) -> None:
    add(db, alice.account_id)
    assert "doeinc.com" not in text_of(charlie.get(SENDERS))
    assert len(rows(charlie)) == 1


def test_many_senders_cost_few_queries(alice: Actor, db: Database) -> None:
    """Those on one domain cost none of their own: the picker of every page asks like this."""

    def queries() -> int:
        with heard(db) as asked, db.reading() as session:
            list_sender_cards(session, alice.account_id, "kartra.com")
        return len(asked)

    few = queries()
    for n in range(8):
        add(db, alice.account_id, f"s{n}@doeinc.com", f"S{n}")
    assert queries() == few
