"""From outbox rows to a real SMTP server and back (R-OUTBOX, R-RETRY), on both databases."""

from email import message_from_bytes, policy

import pytest
from sqlmodel import select

from kartramail.config import Settings
from kartramail.db import Database
from kartramail.ids import show_id
from kartramail.outbox.models import Attempt, Message, MessageState, SourceKind, Worker
from kartramail.outbox.platform_mail import enqueue_platform_mail
from kartramail.senders.models import MailboxProof
from tests.support.engine import running_engine, wait_until
from tests.support.outbox import add_account, add_messages, messages
from tests.support.smtp_server import Drop, Ok, Say, Script, ScriptedServer, Silence, SinkServer


@pytest.fixture
def account_id(db: Database) -> int:
    with db.transaction() as session:
        return add_account(session, "Jane's Bakery")


def states(db: Database) -> set[MessageState]:
    return {message.state for message in messages(db)}


def test_a_message_leaves_as_its_sender(db: Database, settings: Settings, account_id: int) -> None:
    with db.transaction() as session:
        (message_id,) = add_messages(session, account_id, 1)
    with SinkServer() as sink, running_engine(db, settings, sink.port):
        wait_until(lambda: states(db) == {MessageState.SENT})
    (received,) = sink.messages
    mail = message_from_bytes(received.data, policy=policy.default)
    assert mail["From"] == "Jane's Bakery <jane@doeinc.com>"
    assert mail["Reply-To"] == "jane@doeinc.com"
    assert mail["Subject"] == "Hello 0"
    assert mail["X-KartraMail-Message"] == show_id(message_id)
    assert mail["Message-ID"] == f"<{show_id(message_id)}@kartra.com>"
    assert mail["Feedback-ID"] == f"api:{show_id(account_id)}:transactional:kartramail"
    assert mail["Date"]
    assert received.mail_from.startswith(f"b-{show_id(message_id)}-")
    assert received.mail_from.endswith("@bounces.kartra.com")
    (message,) = messages(db)
    assert message.reply is not None
    assert message.reply.startswith("250 ")
    assert message.server == f"127.0.0.1:{sink.port}"


def test_without_proof_it_leaves_from_the_temporary_address(
    db: Database, settings: Settings, account_id: int
) -> None:
    """R-PROOF: nobody sends as an address that they have not proven."""
    with db.transaction() as session:
        for proof in session.exec(select(MailboxProof)):
            session.delete(proof)
        add_messages(session, account_id, 1)
    with SinkServer() as sink, running_engine(db, settings, sink.port):
        wait_until(lambda: states(db) == {MessageState.SENT})
    mail = message_from_bytes(sink.messages[0].data, policy=policy.default)
    assert mail["From"] == "Jane's Bakery <janes-bakery@kartra.com>"
    assert mail["Reply-To"] == "jane@doeinc.com"


def test_the_test_message_comes_from_the_platform(
    db: Database, settings: Settings, account_id: int
) -> None:
    """R-TEST: never from the account's own details."""
    with db.transaction() as session:
        enqueue_platform_mail(
            session,
            "test",
            "jane@doeinc.com",
            {"full_name": "Jane", "business_name": "B", "link": "http://127.0.0.1/"},
            account_id=account_id,
            source_kind=SourceKind.TEST,
        )
    with SinkServer() as sink, running_engine(db, settings, sink.port):
        wait_until(lambda: states(db) == {MessageState.SENT})
    mail = message_from_bytes(sink.messages[0].data, policy=policy.default)
    assert mail["From"] == "KartraMail <notifications@kartra.com>"
    assert mail["Reply-To"] is None


def test_the_sample_comes_from_the_sender_and_says_so(
    db: Database, settings: Settings, account_id: int
) -> None:
    """R-SAMPLE."""
    with db.transaction() as session:
        enqueue_platform_mail(
            session,
            "sample",
            "jane@doeinc.com",
            {"full_name": "Jane", "link": "http://127.0.0.1/"},
            account_id=account_id,
            source_kind=SourceKind.SAMPLE,
        )
    with SinkServer() as sink, running_engine(db, settings, sink.port):
        wait_until(lambda: states(db) == {MessageState.SENT})
    received = sink.messages[0]
    mail = message_from_bytes(received.data, policy=policy.default)
    assert mail["From"] == "Jane's Bakery <jane@doeinc.com>"
    text = mail.get_body(("plain",))
    assert text is not None
    assert received.mail_from in text.get_content()
    assert "jane@doeinc.com" in text.get_content()


@pytest.mark.parametrize(
    ("script", "state", "words", "attempts"),
    [
        ({"mail": Say("421 4.3.2 closing")}, MessageState.DEFERRED, "421 4.3.2 closing", 1),
        ({"rcpt": Say("450 4.2.0 later")}, MessageState.DEFERRED, "450 4.2.0 later", 1),
        ({"rcpt": Say("550 5.1.1 nobody")}, MessageState.BOUNCED, "550 5.1.1 nobody", 1),
        ({"data": Say("451 4.3.0 no")}, MessageState.DEFERRED, "451 4.3.0 no", 1),
        ({"end_of_data": Say("552 5.2.2 full")}, MessageState.BOUNCED, "552 5.2.2 full", 1),
        ({"end_of_data": Drop()}, MessageState.DEFERRED, "in doubt", 1),
        ({"end_of_data": Silence()}, MessageState.DEFERRED, "in doubt", 1),
        ({"rcpt": Silence()}, MessageState.DEFERRED, "", 1),
        ({"greeting": Silence()}, MessageState.DEFERRED, "", 0),
        ({"greeting": Say("554 5.3.2 go away")}, MessageState.DEFERRED, "554 5.3.2 go away", 0),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_what_the_server_does_is_written_down(
    db: Database,
    settings: Settings,
    account_id: int,
    script: Script,
    state: MessageState,
    words: str,
    attempts: int,
) -> None:
    """R-RETRY: 4xx and lost connections are put off, 5xx ends it, a failed connection is free."""
    with db.transaction() as session:
        add_messages(session, account_id, 1)
    with (
        ScriptedServer(script) as server,
        running_engine(db, settings, server.port, timeout=0.3, connections=1),
    ):
        wait_until(lambda: states(db) == {state})
    (message,) = messages(db)
    assert words in (message.reply or "")
    assert message.attempts == attempts
    assert message.worker_id is None
    with db.reading() as session:
        (attempt,) = session.exec(select(Attempt)).all()
    assert attempt.n == 1
    assert words in attempt.reply


def test_mail_waits_for_a_server_that_is_gone(
    db: Database, settings: Settings, account_id: int
) -> None:
    """All of it is still there, and what was never on the wire cost nothing."""
    with db.transaction() as session:
        add_messages(session, account_id, 50)
    with SinkServer() as gone:
        port = gone.port
    with running_engine(db, settings, port, connections=2):
        wait_until(lambda: any(m.state is MessageState.DEFERRED for m in messages(db)))
    found = messages(db)
    assert {m.state for m in found} <= {MessageState.DEFERRED, MessageState.QUEUED}
    assert all(m.attempts == 0 and m.due_at is not None for m in found)
    tried = [m for m in found if m.tries]
    assert 0 < len(tried) < 20
    assert "refused" in (tried[0].reply or "").lower()


def test_one_broken_template_does_not_stop_the_others(
    db: Database, settings: Settings, account_id: int
) -> None:
    words = ("{{ n | divided_by: n }}", "text", None)
    with db.transaction() as session:
        add_messages(session, account_id, 3, words=words)
    with SinkServer() as sink, running_engine(db, settings, sink.port):
        wait_until(lambda: not any(m.due_at or m.worker_id for m in messages(db)))
    found = [m.state for m in messages(db)]
    assert found == [MessageState.FAILED, MessageState.SENT, MessageState.SENT]
    assert "could not be built" in (messages(db)[0].reply or "")


def test_it_ends_in_good_order_with_work_left(
    db: Database, settings: Settings, account_id: int
) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 400)
    with SinkServer() as sink:
        with running_engine(db, settings, sink.port):
            wait_until(lambda: len(sink.messages) > 10)
        found = messages(db)
        sent = [m for m in found if m.state is MessageState.SENT]
        assert len(sent) == len(sink.messages)
        # Not always the first ones: each connection has one that follows, and gives it back.
        rest = [m for m in found if m.state is not MessageState.SENT]
        assert rest
        assert {(m.state, m.attempts) for m in rest} == {(MessageState.QUEUED, 0)}
    assert all(m.worker_id is None for m in found)
    with db.reading() as session:
        assert session.exec(select(Worker)).all() == []


def test_a_retry_keeps_the_message_id(db: Database, settings: Settings, account_id: int) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 1)
    with (
        ScriptedServer({"end_of_data": [Drop(), Ok()]}) as server,
        running_engine(db, settings, server.port, connections=1),
    ):
        wait_until(lambda: states(db) == {MessageState.DEFERRED})
        with db.transaction() as session:
            message = session.exec(select(Message)).one()
            first_id = message.id
            message.due_at = message.created_at
            session.add(message)
        wait_until(lambda: states(db) == {MessageState.SENT})
    (message,) = messages(db)
    assert (message.tries, message.attempts) == (2, 2)
    mail = message_from_bytes(server.messages[-1].data, policy=policy.default)
    assert mail["Message-ID"] == f"<{show_id(first_id)}@kartra.com>"
