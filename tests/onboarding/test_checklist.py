"""The first steps (R-ONBOARD): what is done comes from facts; can be left and taken up again."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import update

from kartramail.clock import now
from kartramail.domains.models import DomainState, SendingDomain
from kartramail.installation import Installation
from kartramail.messages.queries import has_accepted_test
from kartramail.messages.service import send_test
from kartramail.onboarding.checklist import Checklist, make_checklist, read_situation
from kartramail.outbox.models import Message, MessageState
from kartramail.senders.models import Sender
from tests.support.cast import Actor, make_account, sign_in
from tests.support.statements import heard


def checklist(installation: Installation, account_id: int) -> Checklist:
    with installation.db.reading() as session:
        return make_checklist(read_situation(session, account_id, "kartra.com"))


def states(installation: Installation, account_id: int) -> list[str]:
    return [step.state for step in checklist(installation, account_id).steps]


def end_test(installation: Installation, actor: Actor, state: MessageState) -> None:
    """Send a test and let it end so."""
    with installation.db.transaction() as session:
        message_id = send_test(
            session,
            installation,
            actor.account_id,
            to=actor.email,
            full_name=actor.full_name,
            business_name="Doe Inc.",
        )
        session.flush()
        sent_at = now() if state is MessageState.SENT else None
        session.connection().execute(
            update(Message)
            .where(Message.id == message_id)
            .values(state=state, due_at=None, sent_at=sent_at)
        )


def test_whoever_has_no_domain_is_not_kept_waiting_for_one(installation: Installation) -> None:
    account_id, user_id = make_account(installation, email="jane@gmail.com")
    jane = Actor(account_id, user_id, "jane@gmail.com", "Jane", FlaskClient(Flask(__name__)))
    with installation.db.transaction() as session:
        session.connection().execute(update(Sender).values(version=2))
    end_test(installation, jane, MessageState.SENT)
    assert states(installation, account_id) == ["done", "done", "done", "todo"]
    assert checklist(installation, account_id).is_done


def test_a_business_address_leaves_the_domain_and_the_test(
    alice: Actor, installation: Installation
) -> None:
    assert states(installation, alice.account_id) == ["done", "done", "current", "todo"]


def test_a_temporary_address_has_to_be_looked_over(installation: Installation) -> None:
    account_id, _ = make_account(installation, email="jane@gmail.com")
    assert states(installation, account_id) == ["done", "current", "todo", "todo"]
    with installation.db.transaction() as session:
        session.connection().execute(update(Sender).values(version=2))
    assert states(installation, account_id) == ["done", "done", "current", "todo"]


@pytest.mark.parametrize("state", [MessageState.QUEUED, MessageState.BOUNCED, MessageState.FAILED])
def test_a_test_that_did_not_arrive_does_not_count(
    alice: Actor, installation: Installation, state: MessageState
) -> None:
    end_test(installation, alice, state)
    assert not checklist(installation, alice.account_id).is_done


def authenticate(installation: Installation) -> None:
    """What a check does that finds all records."""
    with installation.db.transaction() as session:
        session.connection().execute(update(SendingDomain).values(state=DomainState.AUTHENTICATED))


def test_it_disappears_by_itself_when_done(alice: Actor, installation: Installation) -> None:
    assert "First steps" in alice.get("/").text
    end_test(installation, alice, MessageState.SENT)
    assert "First steps" in alice.get("/").text
    authenticate(installation)
    assert checklist(installation, alice.account_id).is_done
    assert "First steps" not in alice.get("/").text
    assert "can send" in alice.get("/onboarding").text


@pytest.mark.parametrize(
    "newer", [MessageState.QUEUED, MessageState.DEFERRED, MessageState.BOUNCED, MessageState.SENT]
)
def test_it_stays_away_whatever_becomes_of_a_newer_test(
    alice: Actor, installation: Installation, newer: MessageState
) -> None:
    """A step that was done stays done; what is wrong with the newer test is said beside."""
    authenticate(installation)
    end_test(installation, alice, MessageState.SENT)
    end_test(installation, alice, newer)
    page = alice.get("/").text
    assert "First steps" not in page
    assert ("Accepted" in page) == (newer is MessageState.SENT)


def test_another_accounts_test_does_not_count(
    alice: Actor, charlie: Actor, installation: Installation
) -> None:
    end_test(installation, charlie, MessageState.SENT)
    assert not checklist(installation, alice.account_id).is_done


def test_looking_for_a_test_reads_only_tests(alice: Actor, installation: Installation) -> None:
    """An account with a million messages and no test has a first page as well."""
    if installation.db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL reads so small a table as a whole")
    with installation.db.reading() as session:
        session.connection()
        with heard(installation.db) as asked:
            has_accepted_test(session, alice.account_id)
        statement, values = asked[0]
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        assert "ix_message_test" in str(plan.all())


def test_it_can_be_left_and_taken_up_again(alice: Actor) -> None:
    assert alice.post("/onboarding/not-now").location == "/"
    page = alice.get("/").text
    assert 'id="first-steps"' not in page
    assert "Take them up again" in page
    assert alice.post("/onboarding/take-up").location == "/onboarding"
    assert 'id="first-steps"' in alice.get("/").text


def test_leaving_it_needs_a_csrf_token(alice: Actor) -> None:
    assert alice.client.post("/onboarding/not-now").status_code == 400
    assert 'id="first-steps"' in alice.get("/").text


def test_one_account_does_not_hide_it_for_another(alice: Actor, charlie: Actor) -> None:
    charlie.post("/onboarding/not-now")
    assert 'id="first-steps"' in alice.get("/").text


def test_strangers_are_sent_to_sign_in(client: FlaskClient) -> None:
    assert client.get("/").location == "/login"
    assert client.get("/onboarding").location == "/login?next=/onboarding"


def test_home_shows_who_mail_comes_from(alice: Actor) -> None:
    page = alice.get("/").text
    assert "Doe Inc." in page
    assert "Reply goes to alice@doeinc.com" in page


def test_home_says_that_nobody_can_reply_to_a_temporary_address(
    app: Flask, installation: Installation
) -> None:
    """R-NO-INBOX."""
    account_id, user_id = make_account(installation, email="jane@gmail.com")
    browser = app.test_client()
    sign_in(browser, user_id, account_id)
    page = browser.get("/").text
    assert "Nobody can reply: this address has no inbox" in page
    assert "None" not in page


def test_home_tells_of_an_unproven_address(alice: Actor, installation: Installation) -> None:
    """R-PROOF: what waits, what is used meanwhile, what to do."""
    with installation.db.transaction() as session:
        session.connection().execute(
            update(Sender).values(send_from="hello@doeinc.com", from_key="hello@doeinc.com")
        )
    page = alice.get("/").text
    assert "Waiting for the link sent to hello@doeinc.com" in page
    assert "doe-inc@kartra.com" in page


def test_home_tells_of_a_failed_test(alice: Actor, installation: Installation) -> None:
    end_test(installation, alice, MessageState.BOUNCED)
    assert "Your last test did not arrive" in alice.get("/").text


def test_a_proof_that_is_too_old_does_not_count(alice: Actor, installation: Installation) -> None:
    from kartramail.senders.models import MailboxProof

    with installation.db.transaction() as session:
        session.connection().execute(
            update(MailboxProof).values(proven_at=now() - timedelta(days=366))
        )
    assert "Waiting for the link sent to alice@doeinc.com" in alice.get("/").text
