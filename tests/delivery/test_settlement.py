"""How a broken connection is written down (R-RETRY, R-OUTBOX): free, an attempt, or in doubt.

Before MAIL FROM: free, and again at once. After it: an attempt. After the final dot, without an
answer: in doubt, and again with the same Message-ID.
"""

import ssl
from collections import Counter
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from kartramail.adapters.transport import Tls
from kartramail.clock import now
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.outbox.models import Attempt, Message, MessageState
from kartramail.rules.replies import Stage
from tests.support.engine import running_engine, wait_until
from tests.support.outbox import add_account, add_messages, messages
from tests.support.smtp_server import (
    Drop,
    Ok,
    OkThenDrop,
    Received,
    Say,
    Script,
    ScriptedServer,
    Silence,
    TakeAndDrop,
    make_certificate,
)

PIPELINING = ("8BITMIME", "SIZE 10000000", "PIPELINING")
CLOSING = "421 4.3.2 closing"
IN_DOUBT = "(in doubt: it may have been taken)"


@pytest.fixture
def account_id(db: Database) -> int:
    with db.transaction() as session:
        return add_account(session)


def add(db: Database, account_id: int, count: int) -> None:
    """Each to a domain of its own: what one domain is spared is not asked here."""
    with db.transaction() as session:
        for number in range(count):
            add_messages(session, account_id, 1, domain=f"to{number}.example")


def attempts(db: Database) -> list[Attempt]:
    with db.reading() as session:
        return list(session.exec(select(Attempt)))


def message_ids(server: ScriptedServer) -> list[str]:
    return [_headers(message)["Message-ID"] for message in server.messages]


def _headers(received: Received) -> Any:
    return message_from_bytes(received.data, policy=policy.default)


def are_tried(db: Database) -> bool:
    return all(message.tries and not message.worker_id for message in messages(db))


@pytest.mark.parametrize(
    "script",
    [
        {"end_of_data": OkThenDrop()},
        {"end_of_data": OkThenDrop(CLOSING.encode())},
        {"mail": [Ok(), Say(CLOSING), Ok(), Drop()]},
    ],
    ids=["closed after each", "421 after each", "gone at MAIL"],
)
def test_before_mail_from_it_is_free_and_goes_at_once(
    db: Database, settings: Settings, account_id: int, script: Script
) -> None:
    add(db, account_id, 20)
    with (
        ScriptedServer(script, extensions=PIPELINING) as server,
        running_engine(
            db, settings, server.port, connections=1 if "mail" in script else 3, timeout=20
        ),
    ):
        wait_until(lambda: are_tried(db))
    found = {(m.state, m.tries, m.attempts) for m in messages(db)}
    assert found == {(MessageState.SENT, 1, 1)}
    assert set(Counter(message_ids(server)).values()) == {1}
    assert attempts(db) == []


@dataclass(frozen=True)
class Break:
    """Where a new connection breaks, and how that is written down of the message on it."""

    stage: Stage
    action: Drop | Say | Silence | TakeAndDrop
    words: str
    attempts: int = 1
    in_doubt: bool = False

    def __str__(self) -> str:
        return f"{self.stage} {type(self.action).__name__}"


BREAKS = [
    Break(Stage.GREETING, Drop(), "closed the connection", attempts=0),
    Break(Stage.EHLO, Say(CLOSING), CLOSING, attempts=0),
    Break(Stage.MAIL, Drop(), "closed the connection"),
    Break(Stage.MAIL, Say(CLOSING), CLOSING),
    Break(Stage.RCPT, Say(CLOSING), CLOSING),
    Break(Stage.DATA, Say(CLOSING, then_drop=True), CLOSING),
    Break(Stage.END_OF_DATA, Say(CLOSING), CLOSING),
    Break(Stage.END_OF_DATA, TakeAndDrop(), "closed the connection", in_doubt=True),
]


@pytest.mark.parametrize("broken", BREAKS, ids=str)
def test_what_a_break_costs_and_that_the_next_try_is_the_same_message(
    db: Database, settings: Settings, account_id: int, broken: Break
) -> None:
    add(db, account_id, 1)
    script: Script = {broken.stage: [broken.action]}
    with ScriptedServer(script, extensions=PIPELINING) as server:
        with running_engine(db, settings, server.port, connections=1, timeout=20):
            wait_until(lambda: are_tried(db))
        (message,) = messages(db)
        assert (message.state, message.tries) == (MessageState.DEFERRED, 1)
        assert message.attempts == broken.attempts
        make_due(db)
        # By another engine: this one leaves a domain alone that has said 421.
        with running_engine(db, settings, server.port, connections=1, timeout=20):
            wait_until(lambda: messages(db)[0].state is MessageState.SENT)
    (message,) = messages(db)
    assert (message.tries, message.attempts) == (2, broken.attempts + 1)
    (attempt,) = attempts(db)
    assert (attempt.n, attempt.stage) == (1, broken.stage)
    assert broken.words in attempt.reply
    assert (IN_DOUBT in attempt.reply) == broken.in_doubt
    came = message_ids(server)
    assert len(came) == (2 if broken.in_doubt else 1)
    assert len(set(came)) == 1


def make_due(db: Database) -> None:
    with db.transaction() as session:
        message = session.exec(select(Message)).one()
        message.due_at = now()
        session.add(message)


# -- TLS ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Paper:
    """A certificate, whether it is trusted, and what is wrong with it."""

    name: str
    words: str
    host: str = "127.0.0.1"
    days: int = 1
    is_trusted: bool = True
    ways: dict[str, Any] = field(default_factory=lambda: {"tls": Tls.REQUIRED})

    def __str__(self) -> str:
        return self.name

    def issue(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
        context, trust = make_certificate(folder, self.host, days=self.days)
        if self.is_trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(trust))
        return context


UNFIT = [
    Paper("nobody vouches for it", "self-signed certificate", is_trusted=False),
    Paper("of another host", "IP address mismatch", host="127.0.0.9"),
    Paper("out of date", "certificate has expired", days=-1),
    Paper("MAIL_USE_TLS", "certificate has expired", days=-1, ways={"use_tls": True}),
    Paper("MAIL_USE_SSL", "IP address mismatch", host="127.0.0.9", ways={"use_ssl": True}),
]


@pytest.mark.parametrize("paper", UNFIT, ids=str)
def test_a_certificate_that_does_not_fit_puts_mail_off_for_free_and_says_why(
    db: Database,
    settings: Settings,
    account_id: int,
    paper: Paper,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add(db, account_id, 1)
    server = ScriptedServer(
        certificate=paper.issue(tmp_path, monkeypatch),
        implicit_tls="use_ssl" in paper.ways,
        extensions=PIPELINING,
    )
    with server, running_engine(db, settings, server.port, timeout=20, **paper.ways):
        wait_until(lambda: are_tried(db))
    (message,) = messages(db)
    assert (message.state, message.tries, message.attempts) == (MessageState.DEFERRED, 1, 0)
    (attempt,) = attempts(db)
    assert (attempt.stage, attempt.code) == (Stage.TLS, None)
    assert attempt.reply.startswith("The server's certificate is not good: ")
    assert paper.words in attempt.reply
    assert message.reply == attempt.reply
    assert server.messages == []
    assert not any(command.startswith("MAIL") for command in server.commands)


FIT = {
    "opportunistic, whatever the certificate": Paper(
        "x", "", host="127.0.0.9", is_trusted=False, ways={"tls": Tls.OPPORTUNISTIC}
    ),
    "required": Paper("required", ""),
    "implicit": Paper("implicit", "", ways={"use_ssl": True}),
}


@pytest.mark.parametrize("which", FIT)
def test_mail_leaves_once_under_tls_over_several_pipelined_connections(
    db: Database,
    settings: Settings,
    account_id: int,
    which: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paper = FIT[which]
    add(db, account_id, 40)
    server = ScriptedServer(
        certificate=paper.issue(tmp_path, monkeypatch),
        implicit_tls="use_ssl" in paper.ways,
        extensions=PIPELINING,
    )
    with (
        server,
        running_engine(db, settings, server.port, connections=3, timeout=20, **paper.ways),
    ):
        wait_until(lambda: are_tried(db))
    assert {(m.state, m.attempts) for m in messages(db)} == {(MessageState.SENT, 1)}
    assert sorted(Counter(message_ids(server)).values()) == [1] * 40
    assert 1 < server.connections <= 3
