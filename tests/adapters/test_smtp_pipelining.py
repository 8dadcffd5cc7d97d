"""Commands go out ahead of their answers where the server takes them so (RFC 2920)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import pytest

from kartramail.adapters.transport import Courier, Settled, SmtpSettings
from kartramail.rules.replies import Accepted, Deferred, Refused, Stage
from tests.adapters.test_transport_delivery import envelope, envelopes, transport
from tests.support.engine import wait_until
from tests.support.smtp_server import Drop, Ok, Say, ScriptedServer, Silence, Slowly

PIPELINING = ("8BITMIME", "SIZE 10000000", "PIPELINING")
OFFERS = {"pipelining": PIPELINING, "one by one": ("8BITMIME",)}


class HasPort(Protocol):
    """Whatever listens on 127.0.0.1."""

    @property
    def port(self) -> int:
        """Where."""


@contextmanager
def courier(
    server: HasPort, connections: int = 1, timeout: float = 5.0, **ways: Any
) -> Iterator[Courier]:
    wanted = {"timeout": timeout, "final_timeout": timeout, **ways}
    with Courier(SmtpSettings("127.0.0.1", server.port, **wanted), connections) as made:
        yield made


def gather(at_work: Courier, count: int, *, confirming: bool = True) -> list[Settled]:
    """Work until so many messages are settled; each is confirmed, if so wanted."""
    found: list[Settled] = []
    end = time.monotonic() + 20
    while len(found) < count:
        assert time.monotonic() < end, found
        for settled in at_work.work(0.05):
            found.append(settled)
            if confirming:
                at_work.confirm(settled.id)
        at_work.go_on()
    return found


def hand_over(at_work: Courier, count: int) -> None:
    for item in envelopes(count):
        at_work.send([item])


@pytest.mark.parametrize("extensions", [PIPELINING, ()], ids=["pipelining", "one by one"])
def test_all_messages_arrive_once_over_one_connection(extensions: tuple[str, ...]) -> None:
    with ScriptedServer(extensions=extensions) as server, courier(server) as at_work:
        hand_over(at_work, 20)
        settled = gather(at_work, 20)
        assert {one.id for one in settled} == set(range(1, 21))
        assert all(isinstance(one.reply, Accepted) for one in settled)
        assert len(server.messages) == 20
        assert server.connections == 1


@pytest.mark.parametrize("extensions", [PIPELINING, ()], ids=["pipelining", "one by one"])
def test_no_second_final_dot_before_the_first_result_is_durable(
    extensions: tuple[str, ...],
) -> None:
    """R-OUTBOX: the gate. With PIPELINING the next message is announced, and no more."""
    with ScriptedServer(extensions=extensions) as server, courier(server) as at_work:
        hand_over(at_work, 3)
        (first,) = gather(at_work, 1, confirming=False)
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            assert at_work.work(0.02) == []
            at_work.go_on()
        assert len(server.messages) == 1
        assert any("b2@" in command for command in server.commands)
        at_work.confirm(first.id)
        gather(at_work, 2)
        assert len(server.messages) == 3


def test_no_final_dot_is_sent_until_the_owner_says_so() -> None:
    """Only the owner knows whether its hold is sure, whatever comes to wait behind a message."""
    script = {"end_of_data": [Ok(), Ok(), Silence()]}
    with ScriptedServer(script, extensions=PIPELINING) as server, courier(server, 2) as at_work:
        hand_over(at_work, 2)
        gather(at_work, 2, confirming=False)
        at_work.send([envelope(3)])
        at_work.send([envelope(4)])
        assert _nothing_more(at_work)  # both are invited, and wait at their gates
        at_work.confirm(1)
        for number in (5, 6):  # behind 3, which gets no answer
            at_work.send([envelope(number)])
        at_work.confirm(2)
        end = time.monotonic() + 0.4  # what waits for a slow server is given to the other one
        while time.monotonic() < end:
            assert at_work.work(0.02) == []
        assert len(server.dots) == 3
        at_work.go_on()
        end = time.monotonic() + 5
        while len(server.dots) == 3:
            assert time.monotonic() < end
            at_work.work(0.02)


def test_each_of_two_results_of_one_message_opens_its_own_gate() -> None:
    """Others gave it back to us before its first result was written down, and it went again."""
    with ScriptedServer(extensions=PIPELINING) as server, courier(server, 2) as at_work:
        for number in (1, 2, 1):  # 2 is announced behind the first, and waits at its gate
            assert at_work.room
            at_work.send([envelope(number)])
            if number == 1:
                gather(at_work, 1, confirming=False)
        assert server.connections == 2
        at_work.send([envelope(3)])  # behind the other one
        at_work.confirm(1)
        assert [one.id for one in gather(at_work, 1, confirming=False)] == [2]
        assert _nothing_more(at_work)
        at_work.confirm(1)
        at_work.confirm(2)
        assert [one.id for one in gather(at_work, 1)] == [3]
        assert len(server.messages) == 4


def _nothing_more(at_work: Courier) -> bool:
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        at_work.go_on()
        if at_work.work(0.02):
            return False
    return True


def test_a_recipient_that_is_refused_gets_an_empty_message_at_most() -> None:
    """RFC 2920 §3.1: a server may say 354 though it has no recipient; it gets but the dot."""
    script = {"rcpt": [Say("550 5.1.1 nobody")], "end_of_data": Ok()}
    with ScriptedServer(script, extensions=PIPELINING) as server, courier(server) as at_work:
        hand_over(at_work, 2)
        first, second = gather(at_work, 2)
        assert (first.id, first.reply.code) == (1, 550)
        assert isinstance(first.reply, Refused)
        assert isinstance(second.reply, Accepted)
        empty, whole = server.messages
        assert empty.wire == b".\r\n"
        assert whole.mail_from.startswith("b2@")


@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "end_of_data"])
@pytest.mark.parametrize("action", [Drop(), Silence(), Say("nonsense"), Say("421 4.3.2 closing")])
def test_what_breaks_one_message_costs_the_one_behind_it_nothing(
    step: str, action: Drop | Silence | Say
) -> None:
    with (
        ScriptedServer({step: [action]}, extensions=PIPELINING) as server,
        courier(server, timeout=0.3 if action == Silence() else 5) as at_work,
    ):
        hand_over(at_work, 3)
        settled = {one.id: one.reply for one in gather(at_work, 3)}
        first = settled[1]
        assert isinstance(first, Deferred)
        assert (first.stage, first.costs_attempt) == (step, True)
        assert first.in_doubt == (step == "end_of_data" and action != Say("421 4.3.2 closing"))
        assert isinstance(settled[2], Accepted)
        assert isinstance(settled[3], Accepted)


def test_a_message_that_needs_smtputf8_is_refused_where_there_is_none() -> None:
    """RFC 6531: and goes where there is."""
    item = envelope(rcpt_to="zoë@example.net")
    with ScriptedServer() as server:
        ((_, reply),) = transport(server).deliver([item])
        assert isinstance(reply, Refused)
        assert (reply.stage, reply.server, reply.enhanced_code) == (Stage.MAIL, "local", "5.6.7")
        assert not any(command.startswith("MAIL") for command in server.commands)
    with ScriptedServer(extensions=("8BITMIME", "SMTPUTF8")) as server:
        ((_, reply),) = transport(server).deliver([item])
        assert isinstance(reply, Accepted)
        assert server.commands[1].endswith(" SMTPUTF8")


def test_a_message_larger_than_the_server_takes_is_refused_here() -> None:
    with ScriptedServer(extensions=("SIZE 10",)) as server:
        ((_, reply),) = transport(server).deliver(envelopes(1))
        assert isinstance(reply, Refused)
        assert reply.enhanced_code == "5.3.4"


@pytest.mark.parametrize("is_alone", [True, False])
def test_nothing_is_announced_behind_a_message_whose_answer_may_take_long(is_alone: bool) -> None:
    """What was announced could no longer go over another connection."""
    script = {"end_of_data": Slowly(0.05)}
    with ScriptedServer(script, extensions=PIPELINING) as server, courier(server) as at_work:
        at_work.send([envelope(1)._replace(is_alone=is_alone)])
        wait_until(lambda: bool(at_work.work(0.01) or at_work.go_on() or server.dots))
        at_work.send([envelope(2)])
        assert at_work.withdraw() == ([2] if is_alone else [])
        assert len(gather(at_work, 1 if is_alone else 2)) == (1 if is_alone else 2)
