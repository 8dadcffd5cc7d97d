"""Answers in the wrong number, too early, or that contradict each other (RFC 5321 §4.3.1).

Whatever a server says, a message that it cannot have is never taken for accepted, and an answer
about one message never ends another.
"""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kartramail.adapters.transport import Courier, SmtpSettings
from kartramail.rules.replies import Accepted, Deferred, Refused, Stage
from tests.adapters.test_smtp_pipelining import OFFERS, PIPELINING, courier, gather, hand_over
from tests.adapters.test_transport_delivery import envelope
from tests.support.engine import wait_until
from tests.support.smtp_server import Ok, Say, ScriptedServer, make_certificate

SENDING = [Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.END_OF_DATA]
RIGHT = {Stage.MAIL: "250 Ok", Stage.RCPT: "250 Ok", Stage.DATA: "354 Go", Stage.END_OF_DATA: "250"}


@pytest.mark.parametrize("offered", OFFERS)
@pytest.mark.parametrize("stage", SENDING)
@pytest.mark.parametrize("extra", ["250 Ok", "354 Go", "451 later", "550 never", "421 bye", "hm"])
@pytest.mark.parametrize("count", [1, 2])
def test_answers_too_many_accept_and_refuse_no_other_message(
    offered: str, stage: Stage, extra: str, count: int
) -> None:
    answer = "\r\n".join([RIGHT[stage], *[extra] * count])
    script = {stage: [Ok(), Say(answer, is_right=True)]}
    with (
        ScriptedServer(script, extensions=OFFERS[offered]) as server,
        courier(server) as at_work,
    ):
        hand_over(at_work, 4)
        replies = {one.id: one.reply for one in gather(at_work, 4)}
        kept = {int(message.mail_from[1]) for message in server.messages if len(message.wire) > 3}
    accepted = {number for number, reply in replies.items() if isinstance(reply, Accepted)}
    assert accepted <= kept
    assert {1, 4} <= accepted, "what came before it, and what a new connection carried"
    # An answer of its own stage may have been meant for the second one; for no other.
    refused = {number for number, reply in replies.items() if isinstance(reply, Refused)}
    assert refused <= {2}


@pytest.mark.parametrize("rejection", ["451 4.3.0 later", "550 5.7.1 never"])
def test_a_server_that_rejects_mail_and_takes_its_recipient_has_lost_step(rejection: str) -> None:
    """It gets no empty message for that recipient, and its word on the message is not believed."""
    script = {"mail": [Say(rejection)]}
    with ScriptedServer(script, extensions=PIPELINING) as server, courier(server) as at_work:
        hand_over(at_work, 2)
        replies = {one.id: one.reply for one in gather(at_work, 2)}
        assert [message.mail_from[:2] for message in server.messages] == ["b2"]
        assert server.connections == 2
    first = replies[1]
    assert isinstance(first, Deferred)
    assert first.stage is Stage.MAIL
    assert rejection[4:] in first.words
    assert isinstance(replies[2], Accepted)


# -- a server of its own, that reads when it is told to -------------------------------------------


class Peer:
    """One connection of a server, step by step."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.read = b""

    def say(self, *lines: str) -> None:
        self.sock.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def read_until(self, end: bytes) -> None:
        while end not in self.read:
            self.read = self.read[1 - len(end) :]  # of what was looked through, its last octets
            octets = self.sock.recv(1_048_576)
            if not octets:
                raise ConnectionError
            self.read += octets
        self.read = self.read.partition(end)[2]

    def greet(self) -> None:
        self.say("220 peer.example")
        self.read_until(b"\r\n")
        self.say("250-peer.example", "250 PIPELINING")

    def invite(self) -> None:
        self.read_until(b"DATA\r\n")
        self.say("250 2.1.0 Ok", "250 2.1.5 Ok", "354 Go on")

    def reset(self) -> None:
        """Close so that whatever comes is answered by RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


@contextmanager
def talking(
    talk: Callable[[Peer], None],
    *,
    certificate: ssl.SSLContext | None = None,
    final_timeout: float = 10,
) -> Iterator[Courier]:
    """A courier to a server that talks like this on each connection, under TLS with one."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    peers: list[socket.socket] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                peers.append(sock)
                threading.Thread(target=run, args=(sock,), daemon=True).start()

    def run(sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock:
            talk(Peer(certificate.wrap_socket(sock, server_side=True) if certificate else sock))

    threading.Thread(target=serve, daemon=True).start()
    settings = SmtpSettings(
        "127.0.0.1",
        listener.getsockname()[1],
        use_ssl=certificate is not None,
        timeout=10,
        final_timeout=final_timeout,
    )
    try:
        with Courier(settings, 1) as at_work:
            yield at_work
    finally:
        for sock in [listener, *peers]:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()


LONG = b"Subject: x\r\n\r\n" + b"A line of a long message\r\n" * 800_000
"""20 MB: more than lies between two sockets, however large their buffers grow."""


@pytest.mark.parametrize("under_tls", [False, True], ids=["in the clear", "under TLS"])
@pytest.mark.parametrize(
    ("early", "kind", "stage"),
    [
        ("250 2.0.0 Ok", Deferred, Stage.DATA),
        ("451 4.3.0 later", Deferred, Stage.END_OF_DATA),
        ("552 5.3.4 too big", Refused, Stage.END_OF_DATA),
        ("421 4.3.2 closing", Deferred, Stage.END_OF_DATA),
    ],
)
def test_an_answer_before_the_message_was_written_whole_accepts_nothing(
    early: str,
    kind: type,
    stage: Stage,
    under_tls: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A refusal is believed; and after either the connection is not used again."""
    connections = []
    is_settled = threading.Event()

    def talk(peer: Peer) -> None:
        connections.append(peer)
        peer.greet()
        peer.invite()
        if len(connections) == 1:
            peer.read_until(b"\r\n\r\n")  # else it would be an answer to DATA
            peer.say(early)
            assert is_settled.wait(20)  # what we read no more cannot be written whole
            peer.read_until(b"\r\n.\r\n")  # it never comes
        peer.read_until(b"\r\n.\r\n")
        peer.say("250 2.0.0 Ok")
        peer.read_until(b"QUIT\r\n")
        peer.say("221 Bye")

    certificate, trust = make_certificate(tmp_path) if under_tls else (None, "")
    monkeypatch.setenv("SSL_CERT_FILE", str(trust))
    with talking(talk, certificate=certificate) as at_work:
        at_work.send([envelope(1, LONG)])
        at_work.send([envelope(2)])
        (first_settled,) = gather(at_work, 1)
        is_settled.set()
        (second_settled,) = gather(at_work, 1)
    assert (first_settled.id, second_settled.id) == (1, 2)
    first = first_settled.reply
    assert (type(first), first.stage) == (kind, stage)
    assert first.code == (None if early.startswith("250") else int(early[:3]))
    assert not getattr(first, "in_doubt", False)
    assert isinstance(second_settled.reply, Accepted)
    assert len(connections) == 2


def test_the_time_for_the_last_answer_begins_when_the_message_was_written() -> None:
    """RFC 5321 §4.5.3.2.6. Writing it may take longer than that, if it only goes on."""

    def talk(peer: Peer) -> None:
        peer.greet()
        peer.invite()
        for _ in range(15):  # most of it, slowly: more is left than lies between us
            time.sleep(0.2)
            peer.sock.recv(len(LONG) * 4 // 5 // 15, socket.MSG_WAITALL)
        peer.read_until(b"\r\n.\r\n")
        peer.say("250 2.0.0 Ok")
        peer.read_until(b"QUIT\r\n")
        peer.say("221 Bye")

    with talking(talk, final_timeout=2) as at_work:
        at_work.send([envelope(1, LONG)])
        (settled,) = gather(at_work, 1)
    assert isinstance(settled.reply, Accepted), settled.reply


def test_what_a_server_said_before_it_broke_off_is_heard() -> None:
    """Also where we find it gone while we write: its 250 is not lost."""
    is_gone = threading.Event()
    connections = []

    def talk(peer: Peer) -> None:
        connections.append(peer)
        peer.greet()
        peer.invite()
        peer.read_until(b"\r\n.\r\n")
        peer.say("250 2.0.0 Ok")
        peer.reset()
        is_gone.set()

    with talking(talk) as at_work:
        at_work.send([envelope(1)])
        wait_until(
            lambda: bool(at_work.work(0.01) or at_work.go_on() or at_work.is_about_to_settle)
        )
        assert is_gone.wait(10)
        assert at_work.room
        at_work.send([envelope(2)])  # what it writes meets the RST
        replies = {one.id: one.reply for one in gather(at_work, 2)}
    assert all(isinstance(reply, Accepted) for reply in replies.values())
    assert len(connections) == 2
