"""A mail server that counts: a line for each message that it has whole, before it answers.

    python -m tests.chaos.counting_sink --log FILE [--pause SECONDS]

prints its port and serves until SIGTERM. It offers PIPELINING and 8BITMIME and takes everything.
With a pause it answers the final dot that much later, as a server does that writes to its disk:
a worker that is killed meanwhile leaves a message in doubt.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.benchmarks.processes import running
from tests.chaos.arrivals import Arrivals

_END = b"\r\n.\r\n"
_ID, _MESSAGE_ID = b"x-kartramail-message:", b"message-id:"
_EHLO = b"250-counting.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"


@dataclass(frozen=True, slots=True)
class CountingSink:
    """The server in its process, and what it writes down."""

    port: int
    arrivals: Arrivals


@contextmanager
def counting_sink(log: Path, pause: float = 0.0) -> Iterator[CountingSink]:
    """The server on a port of 127.0.0.1 until the block ends."""
    log.touch()
    argv = [sys.executable, "-m", "tests.chaos.counting_sink", "--log", str(log)]
    with running([*argv, "--pause", str(pause)], talks=True) as process:
        assert process.stdout is not None
        yield CountingSink(int(process.stdout.readline()), Arrivals(log))


class _Session(asyncio.Protocol):
    """One connection (RFC 5321); what comes together is answered together (RFC 2920)."""

    _numbers = count(1)

    def __init__(self, log: int, pause: float) -> None:
        self._log, self._pause = log, pause
        self._number = next(self._numbers)
        self._rest = b""
        self._is_data = self._is_over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        port: int = transport.get_extra_info("peername")[1]
        self._name = b"%d\t%d" % (self._number, port)
        self._write_down(b"", b"")
        transport.write(b"220 counting.example ESMTP\r\n")

    def data_received(self, octets: bytes) -> None:
        self._rest += octets
        self._go_on()

    def _go_on(self) -> None:
        answers: list[bytes] = []
        while not self._is_over:
            if self._is_data:
                # The line break before the dot may be that of "DATA".
                body, end, rest = (b"\r\n" + self._rest).partition(_END)
                if not end:
                    break
                self._is_data, self._rest = False, rest
                self._note(body)
                if self._pause:
                    self._is_over = True  # for so long: nothing overtakes the answer
                    asyncio.get_running_loop().call_later(self._pause, self._accept_late)
                    break
                answers.append(b"250 2.0.0 Ok: counted\r\n")
            else:
                line, end, rest = self._rest.partition(b"\r\n")
                if not end:
                    break
                self._rest = rest
                answers.append(self._answer(line))
        if answers:
            self._transport.write(b"".join(answers))
        if self._is_over and b"221" in (answers[-1:] or [b""])[0]:
            self._transport.close()

    def _accept_late(self) -> None:
        self._transport.write(b"250 2.0.0 Ok: counted\r\n")
        self._is_over = False
        self._go_on()

    def _answer(self, line: bytes) -> bytes:
        match line.partition(b" ")[0].upper():
            case b"EHLO":
                return _EHLO
            case b"DATA":
                self._is_data = True
                return b"354 Go on\r\n"
            case b"QUIT":
                self._is_over = True
                return b"221 2.0.0 Bye\r\n"
            case b"HELO" | b"MAIL" | b"RCPT" | b"RSET" | b"NOOP":
                return b"250 2.0.0 Ok\r\n"
        return b"500 5.5.1 What?\r\n"

    def _note(self, body: bytes) -> None:
        found = {_ID: b"-", _MESSAGE_ID: b"-"}
        for line in body[2:].partition(b"\r\n\r\n")[0].split(b"\r\n"):
            for name in found:
                if line[: len(name)].lower() == name:
                    found[name] = line[len(name) :].strip()
        self._write_down(found[_ID], found[_MESSAGE_ID])

    def _write_down(self, one: bytes, message_id: bytes) -> None:
        os.write(self._log, b"\t".join((self._name, one, message_id)) + b"\n")


async def _serve(log: Path, pause: float) -> None:
    loop, ending = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ending.set)
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    server = await loop.create_server(lambda: _Session(file, pause), "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await ending.wait()
    server.close()


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--pause", type=float, default=0.0)
    options = parser.parse_args()
    asyncio.run(_serve(options.log, options.pause))


if __name__ == "__main__":
    main()
