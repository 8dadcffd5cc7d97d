"""The practice DNS: a small name server on loopback for made-up `.test` domains.

It answers by UDP and TCP on one port, as a resolver would to a query that desires recursion, and
as the zone's own name server to one that does not. There are two of those, ns1.practice.test and
ns2.practice.test, at two addresses of loopback, so that they can disagree. See
`practice_answers.py` for what stands in every domain, and for the domains that go wrong on purpose.
"""

import asyncio
import signal
import socket
from contextlib import suppress
from typing import cast

import structlog

from kartramail.sandbox.practice_answers import PracticeAnswers, Published
from kartramail.sandbox.practice_records import Asker
from kartramail.sandbox.practice_wire import respond

log = structlog.get_logger()

FIRST_ADDRESS = "127.0.0.1"
_SECOND_ADDRESSES = ("127.0.0.2", "::1")  # macOS has only 127.0.0.1 of the first family
_PATIENCE = 10.0  # seconds that a TCP client may say nothing (RFC 7766 §6.2.3)
_MOST_CONNECTIONS = 200
# Seconds in which the conversation begins, and ends, of whoever was accepted just before the end:
# what is cancelled before it has begun asyncio reports as an error.
_LAST_ACCEPTED = 0.1
_PREFIX = 2  # octets that say how long a message by TCP is


class PracticeDns:
    """The server, in the running event loop. `published` says what stands in a domain."""

    def __init__(self, published: Published) -> None:
        self._published = published
        self._datagrams: list[asyncio.DatagramTransport] = []
        self._listeners: list[asyncio.Server] = []
        self._connections: set[asyncio.StreamWriter] = set()
        self._is_stopping = False

    async def start(self, port: int) -> int:
        """Listen on loopback; returns the port, chosen by the system for 0.

        Raises OSError when it is taken.
        """
        sockets = [_bind(FIRST_ADDRESS, port)]
        port = int(sockets[0][0].getsockname()[1])
        second = _bind_second(port)
        if second is None:
            log.warning("practice_dns_has_one_server", why="no second address of loopback")
        else:
            sockets.append(second)
        labels = ["ns1", "ns2"]
        addresses = [udp.getsockname()[0] for udp, _ in sockets]
        answers = PracticeAnswers(self._published, dict(zip(labels, addresses, strict=False)))
        for label, (udp, tcp) in zip(labels, sockets, strict=False):
            await self._serve(udp, tcp, answers, Asker(label))
        return port

    async def stop(self) -> None:
        """Free the port, and hang up on whoever is connected."""
        self._is_stopping = True
        for listener in self._listeners:
            listener.close()
        for datagrams in self._datagrams:
            datagrams.close()
        for connection in list(self._connections):
            connection.transport.abort()
        await asyncio.sleep(_LAST_ACCEPTED)
        while self._connections:
            await asyncio.sleep(0.01)

    async def _serve(
        self, udp: socket.socket, tcp: socket.socket, answers: PracticeAnswers, server: Asker
    ) -> None:
        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._converse(reader, writer, answers, server)

        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Datagrams(answers, server), sock=udp
        )
        self._datagrams.append(transport)
        self._listeners.append(await asyncio.start_server(converse, sock=tcp))

    async def _converse(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answers: PracticeAnswers,
        server: Asker,
    ) -> None:
        """Question after question, until the client leaves or says nothing for too long."""
        if self._is_stopping or len(self._connections) >= _MOST_CONNECTIONS:
            writer.transport.abort()
            return
        self._connections.add(writer)
        try:
            while wire := await asyncio.wait_for(_read(reader), _PATIENCE):
                reply = respond(wire, answers, server, by_udp=False)
                if reply is not None:
                    writer.write(len(reply).to_bytes(_PREFIX, "big") + reply)
                    await asyncio.wait_for(writer.drain(), _PATIENCE)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # the client's own doing
        finally:
            self._connections.discard(writer)
            writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    """The UDP side of one server."""

    def __init__(self, answers: PracticeAnswers, server: Asker) -> None:
        self._answers = answers
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer one query."""
        reply = respond(data, self._answers, self._server, by_udp=True)
        if reply is not None and self._transport is not None:
            with suppress(OSError):
                self._transport.sendto(reply, addr)

    def error_received(self, exc: Exception) -> None:
        """A client is gone before its answer came: nothing to do."""


def serve_practice_dns(published: Published, port: int) -> None:
    """Answer on loopback until SIGTERM or SIGINT. Raises OSError for a taken port."""
    asyncio.run(_serve(published, port))


async def _serve(published: Published, port: int) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    server = PracticeDns(published)
    await server.start(port)
    await stopping.wait()
    await server.stop()


def check_practice_port(port: int) -> None:
    """Raises OSError for a port that the practice DNS could not listen on."""
    for opened in _bind(FIRST_ADDRESS, port):
        opened.close()


async def _read(reader: asyncio.StreamReader) -> bytes:
    """One message; empty at the end of the stream."""
    prefix = await reader.readexactly(_PREFIX)
    return await reader.readexactly(int.from_bytes(prefix, "big"))


def _bind_second(port: int) -> tuple[socket.socket, socket.socket] | None:
    for address in _SECOND_ADDRESSES:
        with suppress(OSError):
            return _bind(address, port)
    return None


def _bind(address: str, port: int) -> tuple[socket.socket, socket.socket]:
    """One port of `address`, by UDP and by TCP. Raises OSError, having closed what was open."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    udp = socket.socket(family, socket.SOCK_DGRAM)
    try:
        udp.bind((address, port))
        tcp = socket.create_server(udp.getsockname()[:2], family=family)
    except OSError:
        udp.close()
        raise
    udp.setblocking(False)
    return udp, tcp
