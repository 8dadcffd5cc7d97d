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
from itertools import pairwise
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
from tests.support.ports import free_port

HARD, SOFT = ("500 5.3.0 Error: command failed",), ("450 4.3.0 Error: command failed",)
CLOSING = ("421 4.0.0 Server closing connection",)
ABORTED = ("550 This violates SMTP",)
IN_DOUBT = " (in doubt: it may have been taken)"
SHORT = 0.7  # seconds of patience where the server is to be silent for longer
LONG = 20.0
# By a FIN or, where something had come that it had not read, by an RST.
CLOSED = ("The server closed the connection.", "The server dropped the connection.")
SILENT = (f"The server did not answer within {SHORT:g} seconds.",)
NO_CONNECTION = (  # it may be met while it ends
    (Stage.CONNECT, "Nothing listens there: the connection was refused."),
    *((Stage.GREETING, words) for words in CLOSED),
)
COMMANDS = ("connect", "helo", "ehlo", "mail", "rcpt", "vrfy", "data", ".", "rset", "noop", "quit")
NOT_SAID = "helo,vrfy,rset,noop"  # where EHLO and the message before were taken


@dataclass(frozen=True)
class Fault:
    """How smtp-sink is started, and what becomes of each of `count` messages on one connection.

    `stages`: how far it may have come by the log; more than one where several commands left
    together and the server's answers to the first of them may have got lost with the connection.
    `replies`: what the log may have as the server's words, or as ours where it had none.
    """

    options: str
    state: MessageState = MessageState.SENT
    stages: tuple[Stage, ...] = ()
    code: int | None = None
    replies: tuple[str, ...] = ()
    attempts: int = 1
    count: int = 2
    patience: float = LONG

    def __str__(self) -> str:
        return self.options


def deferred(
    options: str,
    stage: Stage,
    code: int | None = None,
    replies: tuple[str, ...] = CLOSED,
    **values: Any,
) -> Fault:
    is_free = not stage.is_about_a_message
    fault = Fault(options, MessageState.DEFERRED, (stage,), code, replies)
    # Where no connection can be made, the next one waits for a moment: that is not asked here.
    fault = replace(fault, attempts=0, count=1) if is_free else fault
    return replace(fault, **values)


def bounced(
    options: str, stage: Stage, code: int, replies: tuple[str, ...], **values: Any
) -> Fault:
    return replace(Fault(options, MessageState.BOUNCED, (stage,), code, replies), **values)


def silent(options: str, stage: Stage, **values: Any) -> Fault:
    wanted: dict[str, Any] = {"replies": SILENT, "patience": SHORT, "count": 1}
    return deferred(options, stage, **(wanted | values))


def in_doubt(replies: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(reply + IN_DOUBT for reply in replies)


def need(*commands: str) -> tuple[str, ...]:
    return tuple(f"503 5.5.1 Error: need {command} command" for command in commands)


REFUSALS = [
    # A server that takes nobody says nothing about a message, be it with 4xx or with 5xx.
    deferred("-f connect", Stage.GREETING, 500, HARD),
    deferred("-r connect", Stage.GREETING, 450, SOFT),
    Fault("-f ehlo"),  # HELO instead (RFC 5321 §3.2)
    deferred("-f ehlo,helo", Stage.EHLO, 500, HARD),
    deferred("-r ehlo", Stage.EHLO, 450, SOFT),
    deferred("-f ehlo -r helo", Stage.EHLO, 450, SOFT),
    deferred("-f ehlo -q helo", Stage.EHLO),
    deferred("-f ehlo -Q helo", Stage.EHLO, 421, CLOSING),
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
    Fault(f"-f {NOT_SAID}"),
    Fault(f"-r {NOT_SAID}"),
    # The message before has been refused, and then the server does not even forget it.
    deferred("-r rcpt -f rset", Stage.RCPT, 450, SOFT),
    deferred("-r rcpt,rset", Stage.RCPT, 450, SOFT),
    deferred("-r rcpt -q rset", Stage.RCPT, 450, SOFT),
    deferred("-r rcpt -Q rset", Stage.RCPT, 450, SOFT),
    bounced("-f mail,rset", Stage.MAIL, 500, HARD),
    bounced("-f rcpt,rset", Stage.RCPT, 500, HARD),
    bounced("-f data,rset", Stage.DATA, 500, HARD),
    bounced("-f rcpt -r rset", Stage.RCPT, 500, HARD),
    bounced("-f rcpt -q rset", Stage.RCPT, 500, HARD),
    bounced("-f rcpt -Q rset", Stage.RCPT, 500, HARD),
    bounced("-f rcpt -W rset:60", Stage.RCPT, 500, HARD, patience=SHORT, count=1),
    deferred("-r rcpt -W rset:60", Stage.RCPT, 450, SOFT, patience=SHORT, count=1),
    # In the words that the server was told to say.
    deferred("-r rcpt -b '452 4.2.2 Over quota'", Stage.RCPT, 452, ("452 4.2.2 Over quota",)),
    bounced("-f rcpt -B '550 5.1.1 Nobody'", Stage.RCPT, 550, ("550 5.1.1 Nobody",)),
]
CUTS = [
    deferred("-q connect", Stage.GREETING),
    deferred("-Q connect", Stage.GREETING, 421, CLOSING),
    deferred("-q ehlo", Stage.EHLO),
    deferred("-Q ehlo", Stage.EHLO, 421, CLOSING),
    deferred("-q mail", Stage.MAIL),
    deferred("-Q mail", Stage.MAIL, 421, CLOSING),
    deferred("-q rcpt", Stage.RCPT),
    deferred("-Q rcpt", Stage.RCPT, 421, CLOSING),
    deferred("-q data", Stage.DATA),
    deferred("-Q data", Stage.DATA, 421, CLOSING),
    deferred("-q .", Stage.END_OF_DATA, None, in_doubt(CLOSED)),
    deferred("-Q .", Stage.END_OF_DATA, 421, CLOSING),
    Fault("-q quit"),
    Fault("-Q quit"),
    Fault(f"-q {NOT_SAID}"),
    Fault(f"-Q {NOT_SAID}"),
    # 550 in the middle of the message, before its final dot: it is an answer all the same.
    bounced("-A 0", Stage.DATA, 550, ABORTED, stages=(Stage.DATA, Stage.END_OF_DATA)),
    bounced("-A 1", Stage.DATA, 550, ABORTED, stages=(Stage.DATA, Stage.END_OF_DATA)),
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
    silent("-W .:60", Stage.END_OF_DATA, replies=in_doubt(SILENT)),
    silent("-W mail:60", Stage.MAIL, stages=OVERTAKEN, code=503, replies=need("MAIL", "RCPT")),
    silent("-W rcpt:60", Stage.RCPT, stages=OVERTAKEN, code=503, replies=need("RCPT")),
    Fault("-W quit:60", patience=SHORT),
    silent("-f ehlo -W helo:60", Stage.EHLO),
    *(Fault(f"-W {command}:60", patience=SHORT) for command in NOT_SAID.split(",")),
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
    silent("-p -W .:60", Stage.END_OF_DATA, replies=in_doubt(SILENT), count=2),
    Fault("-p -W quit:60", patience=SHORT),
    *(Fault(f"-p -W {command}:60", patience=SHORT) for command in NOT_SAID.split(",")),
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


def test_each_option_is_asked_at_each_command_with_pipelining_and_without() -> None:
    """Those of `-f` and `-r` are without, as smtp-sink has them."""
    asked = {
        ("-p" in words or bool({"-f", "-r"} & set(words)), option, command)
        for words in (fault.options.split() for fault in CASES)
        for option, value in pairwise(words)
        if option in ("-f", "-r", "-q", "-Q", "-W")
        for command in value.partition(":")[0].split(",")
    }
    for option in ("-f", "-r", "-q", "-Q", "-W"):
        for is_one_by_one in (True, False):
            if is_one_by_one or option not in ("-f", "-r"):
                found = {command for *ways, command in asked if ways == [is_one_by_one, option]}
                assert found == set(COMMANDS), (option, is_one_by_one)
    for option in ("-w", "-A"):
        assert {"-p" in fault.options for fault in CASES if option in fault.options} == {
            True,
            False,
        }


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
    server = f"127.0.0.1:{port}"
    for message in messages(db):
        assert (message.state, message.tries) == (fault.state, 1), message.reply
        assert message.attempts == fault.attempts
        _check_log(db, message, fault, server)
        _check_wait(db, message)


def _split(options: str) -> list[str]:
    words = options.split("'")
    return [
        word for place, part in enumerate(words) for word in ([part] if place % 2 else part.split())
    ]


def _check_log(db: Database, message: Message, fault: Fault, server: str) -> None:
    logged = attempts_of(db, message.id)
    if fault.state is MessageState.SENT:
        assert logged == []
        assert (message.reply, message.server) == ("250 2.0.0 Ok", server)
        return
    (attempt,) = logged
    assert attempt.n == 1
    assert Stage(attempt.stage) in fault.stages
    assert attempt.code == fault.code
    assert attempt.reply in fault.replies
    assert (message.reply, message.server) == (attempt.reply, attempt.server)
    assert attempt.server == server


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


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("options", ["-M", "-p -M"])
def test_a_server_that_ends_leaves_one_in_doubt_and_costs_the_next_one_nothing(
    db: Database, settings: Settings, options: str, count: int
) -> None:
    """smtp-sink ends when it has its last message, without an answer to its final dot. The next
    one finds the connection gone and no other can be made: again, and free."""
    add_mail(db, count + 1)
    with (
        smtp_sink(*options.split(), str(count)) as port,
        running_engine(db, settings, port, connections=1, timeout=LONG),
    ):
        wait_until(lambda: settled(db, count + 1), 60)
    *before, last, following = messages(db)
    assert [(one.state, one.attempts) for one in before] == [(MessageState.SENT, 1)] * (count - 1)
    assert (last.state, last.tries, last.attempts) == (MessageState.DEFERRED, 1, 1)
    (attempt,) = attempts_of(db, last.id)
    assert (Stage(attempt.stage), attempt.code) == (Stage.END_OF_DATA, None)
    assert attempt.reply in in_doubt(CLOSED)
    assert (following.state, following.tries) == (MessageState.DEFERRED, 1)
    assert following.attempts == 0
    (free,) = attempts_of(db, following.id)
    assert (free.code, (Stage(free.stage), free.reply) in NO_CONNECTION) == (None, True), free
    assert attempt.server == free.server == f"127.0.0.1:{port}"


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
