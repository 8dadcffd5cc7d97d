"""Real SMTP servers on loopback: one that behaves, and one that misbehaves as told.

`SinkServer` is aiosmtpd and keeps what arrives. `ScriptedServer` is made of sockets and can be
silent, slow, rude or broken at any step. As a process of its own, for kill tests and benchmarks:

    python -m tests.support.smtp_server --port 0 --log FILE

prints the port, then writes one JSON line for each accepted message before it says 250.
"""

import argparse
import asyncio
import base64
import contextlib
import json
import signal
import socket
import ssl
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True, slots=True)
class Received:
    """One accepted message. `data` after dots were unstuffed, `wire` as it came, with the dot."""

    mail_from: str
    rcpt_to: tuple[str, ...]
    data: bytes
    wire: bytes = b""


class SinkServer(Controller):
    """A well-behaved server on an ephemeral port of 127.0.0.1, as a context manager."""

    def __init__(self, on_message: Callable[[Received], None] | None = None, port: int = 0) -> None:
        # asyncio switches Nagle's algorithm off only where the protocol is named; with it each
        # EHLO of aiosmtpd, written line by line, takes 40 ms.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.messages: list[Received] = []
        self._on_message = on_message or self.messages.append
        super().__init__(self, hostname="127.0.0.1", port=self._socket.getsockname()[1])
        self.host = "127.0.0.1"

    def _create_server(self) -> Any:  # aiosmtpd itself cannot choose a free port
        return self.loop.create_server(self._factory_invoker, sock=self._socket)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        self._on_message(Received(envelope.mail_from or "", tuple(envelope.rcpt_tos), content))
        return "250 2.0.0 Ok: kept"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


# What a scripted server does at a step instead of the right thing.


@dataclass(frozen=True, slots=True)
class Say:
    """Answer with these octets (CRLF is added), and go on as if nothing was.

    With `is_right` what follows the right answer follows this one, too.
    """

    answer: bytes | str
    then_drop: bool = False
    is_right: bool = False


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection without a word."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Say nothing until the server is stopped."""


@dataclass(frozen=True, slots=True)
class Drip:
    """Send one octet each `pause` seconds, for ever."""

    octet: bytes = b"2"
    pause: float = 0.01


@dataclass(frozen=True, slots=True)
class Slowly:
    """The right answer, one octet each `pause` seconds."""

    pause: float


@dataclass(frozen=True, slots=True)
class TakeAndDrop:
    """Keep the message, and close the connection without a word: the answer got lost."""


@dataclass(frozen=True, slots=True)
class Flood:
    """Send these octets again and again until the other side hangs up."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Ok:
    """The right thing: to let some of the first occurrences pass."""


@dataclass(frozen=True, slots=True)
class OkThenDrop:
    """The right answer, and then the connection is closed: an idle limit."""

    words: bytes = b""


Action = Say | Drop | Silence | Drip | Slowly | Flood | Ok | OkThenDrop | TakeAndDrop
Script = Mapping[str, Action | Sequence[Action]]
"""Step → what to do: always, or for a sequence at its first occurrences and Ok after that.

Steps: greeting, ehlo, helo, starttls, auth, mail, rcpt, data, end_of_data, rset, quit.
"""

ANSWERS = {
    "greeting": b"220 scripted.example ESMTP",
    "helo": b"250 scripted.example",
    "starttls": b"220 2.0.0 Ready",
    "mail": b"250 2.1.0 Ok",
    "rcpt": b"250 2.1.5 Ok",
    "data": b"354 Go on",
    "end_of_data": b"250 2.0.0 Ok: kept",
    "rset": b"250 2.0.0 Ok",
    "quit": b"221 2.0.0 Bye",
}


Cut = Callable[[bytes], Sequence[bytes]]
"""Octets → the pieces that they are sent in, a moment apart."""


class ScriptedServer:
    """A server of sockets and threads that follows a script, as a context manager.

    With `cut` answers wait until the other side has nothing more to say, and leave in pieces.
    `dots` has, for each final dot that came, the number of its connection.
    """

    def __init__(
        self,
        script: Script | None = None,
        *,
        extensions: Sequence[str] = ("8BITMIME", "SIZE 10000000"),
        certificate: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        credentials: tuple[str, str] | None = None,
        cut: Cut | None = None,
    ) -> None:
        self.host = "127.0.0.1"
        self.messages: list[Received] = []
        self.dots: list[int] = []
        self.cut = cut
        self.commands: list[str] = []
        self.connections = 0
        self.certificate = certificate
        self.implicit_tls = implicit_tls
        self.credentials = credentials
        self.stopped = threading.Event()
        self.lock = threading.Lock()
        self._script = dict(script or {})
        self._seen: dict[str, int] = defaultdict(int)
        self._extensions = list(extensions)
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._socket = socket.create_server((self.host, 0))
        self.port: int = self._socket.getsockname()[1]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopped.set()
        for sock in [self._socket, *self._open]:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(5)

    def action(self, step: str) -> Action:
        with self.lock:
            nth = self._seen[step]
            self._seen[step] += 1
        planned = self._script.get(step, Ok())
        if isinstance(planned, Sequence):
            return planned[nth] if nth < len(planned) else Ok()
        return planned

    def ehlo_answer(self, under_tls: bool) -> bytes:
        offers = list(self._extensions)
        if self.certificate is not None and not under_tls and not self.implicit_tls:
            offers.append("STARTTLS")
        if self.credentials is not None:
            offers.append("AUTH PLAIN LOGIN")
        lines = ["scripted.example", *offers]
        marked = [f"250-{line}" for line in lines[:-1]] + [f"250 {lines[-1]}"]
        return "\r\n".join(marked).encode()

    def _start(self, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                sock, _ = self._socket.accept()
            except OSError:
                return
            # Each answer leaves at once, and not with the next one when the last was acknowledged.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.connections += 1
                self._open.append(sock)
            self._start(_Talk(self, sock, self.connections).run)


class _HangUp(Exception):
    """The script, or the other side, ends this connection."""


class _Talk:
    """One connection of a scripted server."""

    def __init__(self, server: ScriptedServer, sock: socket.socket, number: int) -> None:
        self.server = server
        self.sock = sock
        self.number = number
        self.under_tls = False
        self.buffer = b""
        self.held = b""  # answers that wait to be cut
        self.mail_from = ""
        self.rcpt_to: list[str] = []

    def run(self) -> None:
        with contextlib.suppress(OSError, _HangUp):
            if self.server.implicit_tls:
                self._start_tls()
            self._answer("greeting")
            while True:
                self._command(self._read_until(b"\r\n")[:-2].decode("latin-1"))
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def _command(self, line: str) -> None:
        with self.server.lock:
            self.server.commands.append(line)
        verb = line.partition(" ")[0].lower()
        if verb == "ehlo":
            self._answer("ehlo", self.server.ehlo_answer(self.under_tls))
        elif verb == "mail":
            self.mail_from, self.rcpt_to = _path(line), []
            self._answer("mail")
        elif verb == "rcpt":
            self.rcpt_to.append(_path(line))
            self._answer("rcpt")
        elif verb == "data":
            self._data()
        elif verb == "starttls":
            if self._answer("starttls"):
                self._start_tls()
        elif verb == "auth":
            self._answer("auth", self._auth(line))
        elif verb in ANSWERS:
            self._answer(verb)
            if verb == "quit":
                raise _HangUp
        else:
            self._send(b"500 5.5.2 What?")

    def _data(self) -> None:
        if not self._answer("data"):
            return
        while len(self.buffer) < 3 and b".\r\n".startswith(self.buffer):
            self._receive()
        is_empty = self.buffer.startswith(b".\r\n")
        wire = self._read_until(b".\r\n" if is_empty else b"\r\n.\r\n")
        data = wire[:-3].replace(b"\r\n..", b"\r\n.")
        data = data[1:] if data.startswith(b"..") else data
        received = Received(self.mail_from, tuple(self.rcpt_to), data, wire)
        action = self.server.action("end_of_data")
        with self.server.lock:
            self.server.dots.append(self.number)
            is_right = isinstance(action, Say) and action.is_right
            if is_right or isinstance(action, Ok | OkThenDrop | Slowly | TakeAndDrop):
                self.server.messages.append(received)
        self._do(action, ANSWERS["end_of_data"])

    def _auth(self, line: str) -> bytes:
        assert self.server.credentials is not None
        plain = base64.b64decode(line.split(" ")[2]).decode() if line.count(" ") == 2 else ""
        if plain == "\0{}\0{}".format(*self.server.credentials):
            return b"235 2.7.0 Welcome"
        return f"535 5.7.8 No: {plain!r} {line}".encode()  # the rudest: it repeats the password

    def _answer(self, step: str, right: bytes | None = None) -> bool:
        return self._do(self.server.action(step), right or ANSWERS[step])

    def _do(self, action: Action, right: bytes) -> bool:
        """Act. True when the right answer was given, so that what follows it follows."""
        if isinstance(action, Ok):
            self._send(right)
            return True
        if isinstance(action, OkThenDrop):
            self._send(right + (b"\r\n" + action.words if action.words else b""))
            self._let_go()
            raise _HangUp
        if isinstance(action, Say):
            said = action.answer
            self._send(said.encode() if isinstance(said, str) else said)
            if action.then_drop:
                self._let_go()
                raise _HangUp
            return action.is_right
        self._let_go()
        if isinstance(action, Slowly):
            for octet in right + b"\r\n":
                self.server.stopped.wait(action.pause)
                self.sock.sendall(bytes([octet]))
            return True
        if isinstance(action, Silence):
            self.server.stopped.wait()
        if isinstance(action, Drip):
            while not self.server.stopped.wait(action.pause):
                self.sock.sendall(action.octet)
        if isinstance(action, Flood):
            while True:
                self.sock.sendall(action.octets)
        raise _HangUp

    def _send(self, line: bytes) -> None:
        if self.server.cut is None:
            self.sock.sendall(line + b"\r\n")
        else:
            self.held += line + b"\r\n"

    def _let_go(self) -> None:
        if self.server.cut is not None and self.held:
            held, self.held = self.held, b""
            for piece in self.server.cut(held):
                self.sock.sendall(piece)
                self.server.stopped.wait(0.001)

    def _read_until(self, end: bytes) -> bytes:
        while end not in self.buffer:
            self._receive()
        head, _, self.buffer = self.buffer.partition(end)
        return head + end

    def _receive(self) -> None:
        self._let_go()
        octets = self.sock.recv(65536)
        if not octets:
            raise _HangUp
        self.buffer += octets

    def _start_tls(self) -> None:
        self._let_go()
        assert self.server.certificate is not None
        self.sock = self.server.certificate.wrap_socket(self.sock, server_side=True)
        with self.server.lock:
            self.server._open.append(self.sock)
        self.under_tls = True


def _path(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]


def make_certificate(
    folder: Path, host: str = "127.0.0.1", *, days: int = 1
) -> tuple[ssl.SSLContext, Path]:
    """A server context with a self-signed certificate for `host`, and the file to trust it by.

    It is good for `days`; where they are less than none it is over since then.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=30))
        .not_valid_after(datetime.now(UTC) + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    trust, secret = folder / "certificate.pem", folder / "key.pem"
    trust.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trust, secret)
    return context, trust


def _write_line(log: TextIO, received: Received) -> None:
    headers = message_from_bytes(received.data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    line = {
        "message_id": headers["Message-ID"],
        "from": received.mail_from,
        "to": list(received.rcpt_to),
        "x_kartramail_message": headers["X-KartraMail-Message"],
    }
    log.write(json.dumps(line) + "\n")
    log.flush()


async def _until_told_to_stop() -> None:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await stop.wait()


def main() -> None:
    """Run a sink as a process of its own, until SIGTERM."""
    parser = argparse.ArgumentParser(description="An SMTP sink on loopback that logs what it takes")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(arguments.log.open("a")) if arguments.log else sys.stderr
        sink = SinkServer(lambda received: _write_line(log, received), port=arguments.port)
        stack.enter_context(sink)
        print(sink.port, flush=True)
        asyncio.run(_until_told_to_stop())


if __name__ == "__main__":
    main()
