"""Each fault of Postfix's smtp-sink at each step gives the state and the log a postmaster expects.

What a connection lost does before MAIL FROM is free; after it, it is an attempt; a final dot
without an answer leaves the message in doubt (R-RETRY, R-OUTBOX). 4xx is put off, 5xx ends it
(RFC 5321 §4.2.1), and what follows on the same connection pays for none of it.

Where smtp-sink offers PIPELINING the whole is asked with and without; its `-f` and `-r` imply
without.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlmodel import col, select

from kartramail.clock import now
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.outbox.models import Attempt, Message, MessageState
from kartramail.rules.replies import Stage
from tests.benchmarks.processes import running
from tests.interop.tools import SMTP_SINK, find_program, need_tool
from tests.support.engine import running_engine, wait_until
from tests.support.outbox import add_account, add_messages, messages
from tests.support.smtp_server import free_port

HARD, SOFT, CLOSING = "500 5.3.0 Error: command failed", "450 4.3.0 Error: command failed", "421"
IN_DOUBT = "(in doubt: it may have been taken)"
SHORT = 0.7  # seconds of patience where the server is to be silent for longer
LONG = 20.0


@dataclass(frozen=True)
class Fault:
    """How smtp-sink is started, and what becomes of each of `count` messages on one connection.

    `stages`: how far it may have come by the log; more than one where several commands left
    together and the server's answers to the first of them may have got lost with the connection.
    """

    options: str
    state: MessageState = MessageState.SENT
    stages: tuple[Stage, ...] = ()
    code: int | None = None
    words: str = ""
    attempts: int = 1
    count: int = 2
    patience: float = LONG

    def __str__(self) -> str:
        return self.options


def deferred(
    options: str, stage: Stage, code: int | None = None, words: str = "", **values: Any
) -> Fault:
    is_free = not stage.is_about_a_message
    fault = Fault(options, MessageState.DEFERRED, (stage,), code, words)
    # Where no connection can be made, the next one waits for a moment: that is not asked here.
    fault = replace(fault, attempts=0, count=1) if is_free else fault
    return replace(fault, **values)


def bounced(options: str, stage: Stage, code: int, words: str) -> Fault:
    return Fault(options, MessageState.BOUNCED, (stage,), code, words)


def silent(options: str, stage: Stage, **values: Any) -> Fault:
    return deferred(options, stage, **({"patience": SHORT, "count": 1} | values))


REFUSALS = [
    # A server that takes nobody says nothing about a message, be it with 4xx or with 5xx.
    deferred("-f connect", Stage.GREETING, 500, HARD),
    deferred("-r connect", Stage.GREETING, 450, SOFT),
    Fault("-f ehlo"),  # HELO instead (RFC 5321 §3.2)
    deferred("-f ehlo,helo", Stage.EHLO, 500, HARD),
    deferred("-r ehlo", Stage.EHLO, 450, SOFT),
    deferred("-f ehlo -r helo", Stage.EHLO, 450, SOFT),
    bounced("-f mail", Stage.MAIL, 500, HARD),
    deferred("-r mail", Stage.MAIL, 450, SOFT),
    bounced("-f rcpt", Stage.RCPT, 500, HARD),
    deferred("-r rcpt", Stage.RCPT, 450, SOFT),
    bounced("-f data", Stage.DATA, 500, HARD),
    deferred("-r data", Stage.DATA, 450, SOFT),
    bounced("-f .", Stage.END_OF_DATA, 500, HARD),
    deferred("-r .", Stage.END_OF_DATA, 450, SOFT),
    Fault("-f quit"),
    Fault("-r quit"),
    # The message before has been refused, and then the server does not even forget it.
    deferred("-r rcpt -f rset", Stage.RCPT, 450, SOFT),
    deferred("-r rcpt,rset", Stage.RCPT, 450, SOFT),
    deferred("-r rcpt -q rset", Stage.RCPT, 450, SOFT),
    deferred("-r rcpt -Q rset", Stage.RCPT, 450, SOFT),
    bounced("-f rcpt -q rset", Stage.RCPT, 500, HARD),
    # In the words that the server was told to say.
    deferred("-r rcpt -b '452 4.2.2 Over quota'", Stage.RCPT, 452, "452 4.2.2 Over quota"),
    bounced("-f rcpt -B '550 5.1.1 Nobody'", Stage.RCPT, 550, "550 5.1.1 Nobody"),
]
CUTS = [
    deferred("-q connect", Stage.GREETING, None, "closed"),
    deferred("-Q connect", Stage.GREETING, 421, CLOSING),
    deferred("-q ehlo", Stage.EHLO, None, "closed"),
    deferred("-Q ehlo", Stage.EHLO, 421, CLOSING),
    deferred("-q mail", Stage.MAIL),
    deferred("-Q mail", Stage.MAIL, 421, CLOSING),
    deferred("-q rcpt", Stage.RCPT),
    deferred("-Q rcpt", Stage.RCPT, 421, CLOSING),
    deferred("-q data", Stage.DATA),
    deferred("-Q data", Stage.DATA, 421, CLOSING),
    deferred("-q .", Stage.END_OF_DATA, None, IN_DOUBT),
    deferred("-Q .", Stage.END_OF_DATA, 421, CLOSING),
    Fault("-q quit"),
    Fault("-Q quit"),
    # 550 in the middle of the message, before its final dot: it is an answer all the same.
    replace(bounced("-A 0", Stage.END_OF_DATA, 550, "550"), stages=(Stage.DATA, Stage.END_OF_DATA)),
    replace(bounced("-A 1", Stage.END_OF_DATA, 550, "550"), stages=(Stage.DATA, Stage.END_OF_DATA)),
]
# Out of step with the server: its 503 is no word on the message. (smtp-sink lets what was sent
# ahead overtake a command that it delays.)
OVERTAKEN = (Stage.MAIL, Stage.RCPT, Stage.DATA)
SILENCES = [
    silent("-W connect:60", Stage.GREETING),
    silent("-W ehlo:60", Stage.EHLO),
    # Its answers to MAIL and RCPT wait for that to DATA.
    silent("-w 60", Stage.DATA, stages=OVERTAKEN),
    silent("-W data:60", Stage.DATA, stages=OVERTAKEN),
    silent("-W .:60", Stage.END_OF_DATA, words=IN_DOUBT),
    silent("-W mail:60", Stage.MAIL, stages=OVERTAKEN, code=503),
    silent("-W rcpt:60", Stage.RCPT, stages=OVERTAKEN, code=503),
    Fault("-W quit:60", patience=SHORT),
    Fault("-w 1", count=1),  # slow is not silent
    Fault("-W .:1", count=1),
]
SILENCES_ONE_BY_ONE = [
    silent("-p -W connect:60", Stage.GREETING),
    silent("-p -W ehlo:60", Stage.EHLO),
    silent("-p -W mail:60", Stage.MAIL),
    silent("-p -W rcpt:60", Stage.RCPT),
    silent("-p -w 60", Stage.DATA, count=2),
    silent("-p -W data:60", Stage.DATA),
    silent("-p -W .:60", Stage.END_OF_DATA, words=IN_DOUBT, count=2),
    Fault("-p -W quit:60", patience=SHORT),
    Fault("-p -W mail:1", count=1),
    Fault("-p -W rcpt:1", count=1),
    Fault("-p -w 1", count=1),
    Fault("-p -W .:1", count=1),
]
CASES = [
    *REFUSALS,
    *CUTS,
    *(replace(fault, options=f"-p {fault.options}") for fault in CUTS),
    *SILENCES,
    *SILENCES_ONE_BY_ONE,
]
ONE_OF_EACH = [
    fault
    for fault in CASES
    if fault.options in ("-f ehlo", "-f rcpt", "-r data", "-q connect", "-q .", "-Q mail")
]


@pytest.fixture(autouse=True)
def _needs_smtp_sink() -> None:
    need_tool(SMTP_SINK)


@contextmanager
def smtp_sink(*options: str) -> Iterator[int]:
    """Postfix's test server, as told; its port."""
    program, port = find_program(SMTP_SINK), free_port()
    assert program is not None
    as_nobody = ["-u", "nobody"] if os.geteuid() == 0 else []  # it refuses to run as root
    with running([program, *as_nobody, *options, f"127.0.0.1:{port}", "64"]):
        wait_until(lambda: _is_listening(port))
        yield port


def _is_listening(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def add_mail(db: Database, count: int, **values: Any) -> list[int]:
    """Each to a domain of its own: what one domain is spared is not asked here."""
    with db.transaction() as session:
        account_id = add_account(session)
        return [
            *add_messages(session, account_id, 1, domain="one.example", **values),
            *(
                number
                for place in range(1, count)
                for number in add_messages(
                    session, account_id, 1, domain=f"other{place}.example", **values
                )
            ),
        ]


def attempts_of(db: Database, message_id: int) -> list[Attempt]:
    with db.reading() as session:
        rows = select(Attempt).where(Attempt.message_id == message_id).order_by(col(Attempt.n))
        return list(session.exec(rows))


def settled(db: Database, count: int = 1) -> bool:
    """Whether each message has had its try."""
    found = messages(db)
    return sum(m.tries > 0 and m.worker_id is None for m in found) == count


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("fault", CASES, ids=str)
def test_what_smtp_sink_does_is_what_the_log_says(
    db: Database, settings: Settings, fault: Fault
) -> None:
    check(db, settings, fault)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("fault", ONE_OF_EACH, ids=str)
def test_postgresql_says_the_same(db: Database, settings: Settings, fault: Fault) -> None:
    """One for each way in which it may end; the conversation knows no database."""
    check(db, settings, fault)


def check(db: Database, settings: Settings, fault: Fault) -> None:
    add_mail(db, fault.count)
    with (
        smtp_sink(*_split(fault.options)) as port,
        running_engine(db, settings, port, connections=1, timeout=fault.patience),
    ):
        wait_until(lambda: settled(db, fault.count), 60)
    for message in messages(db):
        assert (message.state, message.tries) == (fault.state, 1), message.reply
        assert message.attempts == fault.attempts
        _check_log(db, message, fault)
        _check_wait(db, message)


def _split(options: str) -> list[str]:
    words = options.split("'")
    return [
        word for place, part in enumerate(words) for word in ([part] if place % 2 else part.split())
    ]


def _check_log(db: Database, message: Message, fault: Fault) -> None:
    logged = attempts_of(db, message.id)
    if fault.state is MessageState.SENT:
        assert logged == []
        assert (message.reply or "").startswith("250 ")
        return
    (attempt,) = logged
    assert attempt.n == 1
    assert Stage(attempt.stage) in fault.stages
    assert attempt.code == fault.code
    assert fault.words in attempt.reply
    assert attempt.reply == message.reply
    assert attempt.server.startswith("127.0.0.1:")
    # In doubt is said where it is so, and nowhere else.
    assert (IN_DOUBT in attempt.reply) == (fault.words == IN_DOUBT)


def _check_wait(db: Database, message: Message) -> None:
    """The first wait is about a minute, an hour for a mailbox that is full; what ended waits no
    more."""
    if message.state is not MessageState.DEFERRED:
        assert message.due_at is None
        return
    assert message.due_at is not None
    (attempt,) = attempts_of(db, message.id)
    usual = timedelta(hours=1) if attempt.code == 452 else timedelta(minutes=1)
    assert 0.8 * usual <= message.due_at - attempt.at <= 1.2 * usual


@pytest.mark.parametrize("options", ["-M 2", "-p -M 2"])
def test_a_server_that_ends_leaves_one_in_doubt_and_costs_the_next_one_nothing(
    db: Database, settings: Settings, options: str
) -> None:
    """smtp-sink ends when it has its last message, without an answer to its final dot. The next
    one finds the connection gone and no other can be made: again, and free."""
    add_mail(db, 3)
    with (
        smtp_sink(*options.split()) as port,
        running_engine(db, settings, port, connections=1, timeout=LONG),
    ):
        wait_until(lambda: settled(db, 3), 60)
    first, second, third = messages(db)
    assert (first.state, first.attempts) == (MessageState.SENT, 1)
    assert (second.state, second.tries, second.attempts) == (MessageState.DEFERRED, 1, 1)
    assert IN_DOUBT in (second.reply or "")
    assert (third.state, third.tries, third.attempts) == (MessageState.DEFERRED, 1, 0)
    (attempt,) = attempts_of(db, third.id)
    assert (Stage(attempt.stage), attempt.code) == (Stage.CONNECT, None)
    assert IN_DOUBT not in attempt.reply


@pytest.mark.parametrize("options", ["-A 1 -T 4096", "-p -A 1 -T 4096"])
def test_a_refusal_in_the_middle_of_a_long_message_is_heard(
    db: Database, settings: Settings, options: str
) -> None:
    """More than fits between us and a server that reads no more: it blocks, and has its answer."""
    line = "A line of a long message.\n" * 11_000
    add_mail(db, 1, words=("Long", line, f"<p>{line}</p>"))
    with (
        smtp_sink(*options.split()) as port,
        running_engine(db, settings, port, connections=1, timeout=LONG),
    ):
        wait_until(lambda: settled(db), 60)
    (message,) = messages(db)
    assert message.state is MessageState.BOUNCED, message.reply
    (attempt,) = attempts_of(db, message.id)
    assert attempt.code == 550


@pytest.mark.parametrize("options", ["-r rcpt", "-q mail", "-q .", "-Q data", "-r connect"])
def test_waits_grow(db: Database, settings: Settings, options: str) -> None:
    """About 1, 3 and 8 minutes, whatever the fault; the spread of each leaves the next longer."""
    (message_id,) = add_mail(db, 1)
    waits = []
    for number in range(1, 4):
        with smtp_sink(*options.split()) as port, running_engine(db, settings, port, timeout=LONG):
            wait_until(partial(_has_attempts, db, message_id, number), 60)
        (message,) = messages(db)
        assert message.due_at is not None
        waits.append(message.due_at - attempts_of(db, message_id)[-1].at)
        make_due(db, message)
    assert waits == sorted(waits)
    assert waits[0] < timedelta(minutes=2) < waits[1]


def test_after_the_fault_it_leaves(db: Database, settings: Settings) -> None:
    """In doubt at first, then taken: two tries, and the log still has the first."""
    (message_id,) = add_mail(db, 1)
    with smtp_sink("-q", ".") as port, running_engine(db, settings, port, timeout=LONG):
        wait_until(lambda: settled(db), 60)
    (message,) = messages(db)
    assert message.state is MessageState.DEFERRED
    make_due(db, message)
    with smtp_sink() as port, running_engine(db, settings, port, timeout=LONG):
        wait_until(lambda: messages(db)[0].state is MessageState.SENT, 60)
    (message,) = messages(db)
    assert (message.tries, message.attempts) == (2, 2)
    (attempt,) = attempts_of(db, message_id)
    assert IN_DOUBT in attempt.reply


def _has_attempts(db: Database, message_id: int, count: int) -> bool:
    return len(attempts_of(db, message_id)) == count


def make_due(db: Database, message: Message) -> None:
    message.due_at = now()
    with db.transaction() as session:
        session.merge(message)
