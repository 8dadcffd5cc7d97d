"""Answers that nobody asked for end no message, however many there are (RFC 5321 §4.3.1).

What came before a command was written is no answer to it; and where more answers come than there
were commands, a refusal among them may have been about something else.
"""

import select
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from kartramail.adapters.smtp_connection import Connection
from kartramail.adapters.transport import Courier
from kartramail.rules.replies import Accepted, Deferred, Refused, Reply, Stage
from tests.adapters.test_smtp_out_of_step import Peer, talking
from tests.adapters.test_smtp_pipelining import OFFERS, PIPELINING, courier, gather, hand_over
from tests.adapters.test_transport_delivery import envelope
from tests.support.engine import wait_until
from tests.support.smtp_server import Ok, Say, ScriptedServer, make_certificate

NEVER, LATER, DONE = "550 5.7.1 never", "451 4.3.0 later", "250 2.0.0 Ok"
GROUP = ("250 2.1.0 Ok", "250 2.1.5 Ok", "354 Go on")


def replies(at_work: Courier, count: int) -> dict[int, Reply]:
    return {one.id: one.reply for one in gather(at_work, count)}


def wait_for_octets(connection: Connection | None) -> None:
    """Until what the server said has come here; it stays unread."""
    assert connection is not None
    assert select.select([connection], [], [], 10)[0]


def take_one(peer: Peer, greeting: Callable[[Peer], None] = Peer.greet) -> None:
    """One message, as it should be."""
    greeting(peer)
    if greeting is greet_plainly:
        for command, answer in zip((b"MAIL ", b"RCPT ", b"DATA"), GROUP, strict=True):
            peer.read_until(command)
            peer.read_until(b"\r\n")
            peer.say(answer)
    else:
        peer.invite()
    peer.read_until(b"\r\n.\r\n")
    peer.say(DONE)


def greet_plainly(peer: Peer) -> None:
    """Without PIPELINING."""
    peer.say("220 peer.example")
    peer.read_until(b"\r\n")
    peer.say("250 peer.example")


# -- before the command was written ---------------------------------------------------------------


@pytest.mark.parametrize("greeting", [Peer.greet, greet_plainly], ids=["pipelining", "one by one"])
@pytest.mark.parametrize("stray", [NEVER, LATER, DONE])
@pytest.mark.parametrize("count", [1, 3, 5])
def test_what_was_said_between_two_messages_costs_the_second_nothing(
    greeting: Callable[[Peer], None], stray: str, count: int
) -> None:
    """It goes over another connection, and the first one hears nothing of it."""
    connections: list[Peer] = []
    goes_on, has_strayed, is_over = (threading.Event() for _ in range(3))

    def talk(peer: Peer) -> None:
        connections.append(peer)
        is_first = len(connections) == 1
        take_one(peer, greeting)
        if is_first:
            assert goes_on.wait(10)
            peer.say(*[stray] * count)
            has_strayed.set()
        is_over.wait(10)

    with talking(talk) as at_work:
        at_work.send([envelope(1)])
        (first,) = gather(at_work, 1)
        goes_on.set()
        assert has_strayed.wait(10)
        wait_for_octets(at_work._slots[0].connection)
        at_work.send([envelope(2)])
        (second,) = gather(at_work, 1)
        heard = connections[0].sock.recv(4096)
        is_over.set()
    assert isinstance(first.reply, Accepted)
    assert (second.id, isinstance(second.reply, Accepted)) == (2, True), second.reply
    assert len(connections) == 2
    assert heard == b"", "it was closed, and no message announced"


def test_a_server_that_speaks_before_the_first_message_is_left_for_a_while() -> None:
    """Free of cost, as where no connection can be made; the next one would do the same."""
    connections: list[Peer] = []
    has_strayed, is_over = threading.Event(), threading.Event()

    def talk(peer: Peer) -> None:
        connections.append(peer)
        peer.greet()
        peer.say(*[NEVER] * 3)
        has_strayed.set()
        is_over.wait(10)

    with talking(talk) as at_work:
        at_work.send([envelope(1)])
        assert has_strayed.wait(10)
        wait_until(lambda: bool(at_work._made))
        made = at_work._made[0][1]
        if isinstance(made, Connection):  # else it met them already while it was made
            wait_for_octets(made)
        (settled,) = gather(at_work, 1)
        is_over.set()
    assert isinstance(settled.reply, Deferred)
    assert (settled.reply.stage, settled.reply.code) == (Stage.EHLO, None)
    assert not settled.reply.costs_attempt
    assert len(connections) == 1


# -- more answers than commands -------------------------------------------------------------------


@pytest.mark.parametrize("under_tls", [False, True], ids=["in the clear", "under TLS"])
@pytest.mark.parametrize("in_one_piece", [True, False], ids=["in one piece", "in two"])
@pytest.mark.parametrize("count", range(1, 7))
def test_refusals_that_nobody_asked_for_end_no_message_that_was_announced_ahead(
    count: int,
    in_one_piece: bool,
    under_tls: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They come after the acceptance of the message before, in front of the group's own answers.

    With three, each command of the group has one; then the answers that are left tell it.
    """
    connections: list[Peer] = []
    is_over = threading.Event()

    def talk(peer: Peer) -> None:
        connections.append(peer)
        is_first = len(connections) == 1
        peer.greet()
        peer.invite()
        peer.read_until(b"\r\n.\r\n")
        if is_first:
            peer.read_until(b"DATA\r\n")
            if in_one_piece:
                peer.say(DONE, *[NEVER] * count, *GROUP)
            else:
                peer.say(DONE, *[NEVER] * count)
                if count == 3:  # each command of the group seems to be answered
                    peer.read_until(b"RSET\r\n")
                peer.say(*GROUP)
        else:
            peer.say(DONE)
        is_over.wait(10)
        peer.sock.close()

    certificate, trust = make_certificate(tmp_path) if under_tls else (None, "")
    monkeypatch.setenv("SSL_CERT_FILE", str(trust))
    with talking(talk, certificate=certificate) as at_work:
        hand_over(at_work, 2)
        found = replies(at_work, 2)
        is_over.set()
    assert isinstance(found[1], Accepted)
    assert isinstance(found[2], Accepted), found[2]
    assert len(connections) == 2


def test_the_answer_to_another_command_in_place_of_that_to_rset_is_heard() -> None:
    """One refusal too many where the recipient was taken, and then the 354 that was meant."""
    script = {"rcpt": [Ok(), Say(f"250 2.1.5 Ok\r\n{NEVER}", is_right=True)]}
    with ScriptedServer(script, extensions=PIPELINING) as server, courier(server) as at_work:
        hand_over(at_work, 3)
        found = replies(at_work, 3)
        assert server.connections == 2
    assert isinstance(found[1], Accepted)
    assert isinstance(found[2], Deferred)
    assert (found[2].stage, found[2].code) == (Stage.DATA, None)
    assert NEVER in found[2].words, "the log has what was said"
    assert isinstance(found[3], Accepted)


@pytest.mark.parametrize("surplus", [NEVER, DONE, "354 Go on"])
def test_two_answers_to_a_message_of_which_the_first_refuses_leave_it_in_doubt(
    surplus: str,
) -> None:
    script = {"end_of_data": [Say(f"552 5.3.4 too big\r\n{surplus}")]}
    with ScriptedServer(script, extensions=("8BITMIME",)) as server, courier(server) as at_work:
        hand_over(at_work, 2)
        found = replies(at_work, 2)
        assert server.connections == 2
    assert isinstance(found[1], Deferred)
    assert (found[1].stage, found[1].code, found[1].in_doubt) == (Stage.END_OF_DATA, None, True)
    assert "552 5.3.4 too big" in found[1].words
    assert isinstance(found[2], Accepted)


# -- and a refusal that is one stays one ----------------------------------------------------------

FAILING = {
    "rcpt": Say("550 5.1.1 nobody"),
    "data": Say("503 5.5.1 Need RCPT first"),
}


@pytest.mark.parametrize("offered", OFFERS)
@pytest.mark.parametrize(
    "reset",
    [Ok(), Say("421 4.7.0 Too many errors", then_drop=True), Say("550 never"), Say("451 later")],
    ids=str,
)
def test_a_refusal_stands_whatever_the_server_makes_of_rset(offered: str, reset: Ok | Say) -> None:
    script = {"rcpt": [FAILING["rcpt"]], "data": [FAILING["data"]], "rset": [reset]}
    if offered == "one by one":
        del script["data"]  # it is not sent
    with ScriptedServer(script, extensions=OFFERS[offered]) as server, courier(server) as at_work:
        hand_over(at_work, 2)
        found = replies(at_work, 2)
    assert found[1] == Refused(Stage.RCPT, 550, "5.1.1 nobody", f"127.0.0.1:{server.port}")
    assert isinstance(found[2], Accepted)


def test_a_refusal_stands_where_the_server_closes_in_the_same_breath() -> None:
    script = {
        "rcpt": [FAILING["rcpt"]],
        "data": [Say("503 5.5.1 Need RCPT first\r\n421 4.7.0 Too many errors", then_drop=True)],
    }
    with ScriptedServer(script, extensions=PIPELINING) as server, courier(server) as at_work:
        hand_over(at_work, 2)
        found = replies(at_work, 2)
    assert isinstance(found[1], Refused)
    assert isinstance(found[2], Accepted)
