"""What was on the wire when a server closed, said 421 or lost step is settled (RFC 2920 §3.1).

Before MAIL FROM it is free and goes again at once; after it, it is an attempt; after the final dot
without an answer it is in doubt. Answers about one message never come to count for another.
"""

import socket
import struct
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

import pytest

from kartramail.adapters.transport import Courier, Settled
from kartramail.rules.replies import Accepted, Deferred, Refused, Reply, Stage
from tests.adapters.test_smtp_pipelining import OFFERS, PIPELINING, courier, gather, hand_over
from tests.adapters.test_transport_delivery import envelopes
from tests.support.smtp_server import (
    Action,
    Drop,
    Ok,
    OkThenDrop,
    Say,
    Script,
    ScriptedServer,
    TakeAndDrop,
)

CLOSING = "421 4.3.2 closing"
NO_MAIL, NO_RCPT = "503 5.5.1 Need MAIL first", "503 5.5.1 Need RCPT first"


def as_they_fit(at_work: Courier, count: int) -> list[Settled]:
    """Hand over so many messages as an engine does, each as soon as there is room for it."""
    waiting, found = envelopes(count), []
    while len(found) < count:
        while waiting and at_work.room:
            at_work.send([waiting.pop(0)])
        found += gather(at_work, 1)
    return found


class ResettingServer:
    """Greets, answers EHLO, and resets the connection in the same moment."""

    def __init__(self) -> None:
        self.connections = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                with suppress(OSError), connection:
                    connection.sendall(b"220 ready\r\n")
                    connection.recv(1000)
                    at_once = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
                    connection.sendall(b"250 ready\r\n")


def mails(server: ScriptedServer) -> Counter[str]:
    return Counter(message.mail_from for message in server.messages)


def each_once(count: int) -> Counter[str]:
    return Counter(item.mail_from for item in envelopes(count))


# -- before MAIL FROM -----------------------------------------------------------------------------


@pytest.mark.parametrize("offered", OFFERS)
@pytest.mark.parametrize("words", [b"", CLOSING.encode()], ids=["closed", "421"])
@pytest.mark.parametrize("every", [1, 4])
def test_a_server_that_hangs_up_every_few_messages_costs_none_of_them_anything(
    offered: str, words: bytes, every: int
) -> None:
    """Several connections: what one had announced is not announced over another that ends, too."""
    actions: list[Action] = [*[Ok()] * (every - 1), OkThenDrop(words)]
    server = ScriptedServer({"end_of_data": actions * 40}, extensions=OFFERS[offered])
    with server, courier(server, 3) as at_work:
        settled = as_they_fit(at_work, 40)
    assert all(isinstance(one.reply, Accepted) for one in settled)
    assert mails(server) == each_once(40)


def test_a_new_connection_that_is_reset_before_mail_is_not_made_again_at_once() -> None:
    """Else a server that takes connections and resets them would be asked without end or pause."""
    with ResettingServer() as server, courier(server) as at_work:
        hand_over(at_work, 1)
        (settled,) = gather(at_work, 1)
    assert isinstance(settled.reply, Deferred)
    # Where our MAIL FROM left before the reset was known here, it is an attempt.
    assert settled.reply.stage in (Stage.EHLO, Stage.MAIL)
    assert settled.reply.costs_attempt == (settled.reply.stage is Stage.MAIL)
    assert server.connections == 1


def test_a_message_that_breaks_each_connection_is_not_tried_for_ever() -> None:
    """Once it is the used connection's fault; twice, the second time over a new one, its own."""

    class Fragile(ScriptedServer):
        def action(self, step: str) -> Action:
            is_poison = step == "mail" and "b2@" in self.commands[-1]
            return Drop() if is_poison else super().action(step)

    with Fragile(extensions=PIPELINING) as server, courier(server) as at_work:
        hand_over(at_work, 3)
        replies = {one.id: one.reply for one in gather(at_work, 3)}
    assert isinstance(replies[1], Accepted)
    assert isinstance(replies[3], Accepted)
    assert isinstance(replies[2], Deferred)
    assert (replies[2].stage, replies[2].costs_attempt) == (Stage.MAIL, True)
    assert sum("b2@" in command for command in server.commands) == 2


# -- 421 and hang-ups within a group ---------------------------------------------------------------


@dataclass(frozen=True)
class Group:
    """What is said to the commands of one message, and what it comes to."""

    name: str
    script: Script
    stage: Stage
    code: int | None
    is_refused: bool = False
    in_doubt: bool = False
    connections: int = 1
    kept: tuple[int, ...] = field(default=())  # of the message, beyond its followers

    def __str__(self) -> str:
        return self.name


def said(*answers: str | Action) -> list[Action]:
    return [Say(answer) if isinstance(answer, str) else answer for answer in answers]


REJECTED_MAIL = [
    Group(
        f"MAIL {code}, RCPT 503, DATA {'503' if end is None else end}",
        {
            "mail": said(f"{code} no"),
            "rcpt": said(NO_MAIL),
            "data": said(NO_RCPT if end is None else end),
        },
        Stage.MAIL,
        code,
        is_refused=code >= 500,
        connections=1 if end is None else 2,
    )
    for code in (451, 550)
    for end in (None, Drop(), Say(CLOSING), Say(CLOSING, then_drop=True))
]
REJECTED_RCPT = [
    Group(
        f"RCPT {code}, DATA {data}",
        {"rcpt": said(f"{code} no"), "data": said(data)},
        Stage.RCPT,
        code,
        is_refused=code >= 500,
        connections=1 if data in (NO_RCPT, "554 5.5.1 No valid recipients") else 2,
    )
    for code in (450, 550)
    for data in (NO_RCPT, "554 5.5.1 No valid recipients", CLOSING, Drop(), "nonsense")
]
EMPTY_BODY = [
    Group(
        f"RCPT {code}, DATA 354, dot {dot}",
        {"rcpt": said(f"{code} no"), "end_of_data": said(dot)},
        Stage.RCPT,
        code,
        is_refused=code >= 500,
        connections=1 if isinstance(dot, str) and dot != CLOSING else 2,
    )
    for code in (450, 550)
    for dot in ("554 5.5.1 No valid recipients", "250 2.0.0 Ok", "451 no", CLOSING, Drop())
]
CLOSED = [
    Group(
        f"{stage} {action}",
        {stage: [action]},
        stage,
        421 if isinstance(action, Say) else None,
        in_doubt=stage is Stage.END_OF_DATA and not isinstance(action, Say),
        connections=2,
        kept=(1,) if isinstance(action, TakeAndDrop) else (),
    )
    for stage in (Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.END_OF_DATA)
    for action in (Say(CLOSING), Say(CLOSING, then_drop=True), Drop(), TakeAndDrop())
    if stage is Stage.END_OF_DATA or not isinstance(action, TakeAndDrop)
]
GROUPS = [*REJECTED_MAIL, *REJECTED_RCPT, *EMPTY_BODY, *CLOSED]


@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_a_group_that_fails_is_settled_and_the_next_messages_pay_nothing(group: Group) -> None:
    server = ScriptedServer(group.script, extensions=PIPELINING)
    with server, courier(server) as at_work:
        hand_over(at_work, 3)
        replies = {one.id: one.reply for one in gather(at_work, 3)}
        connections = server.connections
    first = replies.pop(1)
    assert _seen(first) == (
        Refused if group.is_refused else Deferred,
        group.stage,
        group.code,
        group.in_doubt,
    )
    assert all(isinstance(reply, Accepted) for reply in replies.values())
    whole = [message for message in server.messages if message.wire != b".\r\n"]
    assert [int(message.mail_from[1]) for message in whole] == [*group.kept, 2, 3]
    assert connections == group.connections


def _seen(reply: Reply) -> tuple[type, Stage | None, int | None, bool]:
    stage = None if isinstance(reply, Accepted) else reply.stage
    return type(reply), stage, reply.code, isinstance(reply, Deferred) and reply.in_doubt
