"""The sink of the benchmark of fairness: quick, but for one recipient domain.

    python -m tests.benchmarks.stalling_sink --domain slow.example --seconds 5

takes every message, and answers the final dot of those to that domain so many seconds late. Other
connections are not held up by that, and the same connection says nothing meanwhile, as a server
would. Prints its port and runs until SIGTERM. Offers PIPELINING (RFC 2920).
"""

import argparse
import asyncio
import signal

_GREETING = b"220 sink.example ESMTP\r\n"
_EHLO = b"250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
_END = b"\r\n.\r\n"


class Conversation(asyncio.Protocol):
    """One connection: commands as they come, also several in one packet."""

    def __init__(self, slow: bytes, seconds: float) -> None:
        self._slow = slow
        self._seconds = seconds
        self._unread = bytearray()
        self._answers: list[bytes] = []
        self._is_in_data = False
        self._is_slow = False
        self._is_waiting = False
        self._seen = 0  # of the data, so that a long message is not searched again and again

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(_GREETING)

    def data_received(self, data: bytes) -> None:
        """Take what came; answered at once, unless this conversation stalls just now."""
        self._unread += data
        self._go_on()

    def _go_on(self) -> None:
        while not self._is_waiting and self._step():
            pass
        if self._answers:
            self._transport.write(b"".join(self._answers))
            self._answers.clear()

    def _step(self) -> bool:
        """One command, or the data of a message; returns whether there was a whole one."""
        if self._is_in_data:
            return self._take_data()
        end = self._unread.find(b"\r\n")
        if end < 0:
            return False
        line = bytes(self._unread[:end])
        del self._unread[: end + 2]
        self._answers.append(self._answer(line[:4].upper(), line))
        return True

    def _take_data(self) -> bool:
        at = self._unread.find(_END, max(0, self._seen - len(_END)))
        if at < 0:
            self._seen = len(self._unread)
            return False
        del self._unread[: at + len(_END)]
        self._is_in_data, self._seen = False, 0
        if self._is_slow and self._seconds:
            self._is_waiting = True
            asyncio.get_running_loop().call_later(self._seconds, self._answer_late)
        else:
            self._answers.append(b"250 2.0.0 Ok\r\n")
        return True

    def _answer_late(self) -> None:
        self._is_waiting = False
        self._answers.append(b"250 2.0.0 Ok, at last\r\n")
        self._go_on()

    def _answer(self, verb: bytes, line: bytes) -> bytes:
        match verb:
            case b"EHLO":
                return _EHLO
            case b"RCPT":
                self._is_slow = self._slow in line
            case b"DATA":
                self._is_in_data = True
                return b"354 Go on\r\n"
            case b"QUIT":
                self._transport.write(b"221 2.0.0 Bye\r\n")
                self._transport.close()
        return b"250 2.0.0 Ok\r\n"


async def serve(slow: str, seconds: float) -> None:
    """Serve until told to stop."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    needle = f"@{slow}>".encode()
    server = await loop.create_server(lambda: Conversation(needle, seconds), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await stopping.wait()
    server.close()


def main() -> None:
    """Read the options and serve."""
    parser = argparse.ArgumentParser(description="A sink that stalls for one domain")
    parser.add_argument("--domain", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.domain, arguments.seconds))


if __name__ == "__main__":
    main()
