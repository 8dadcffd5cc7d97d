"""The embedded SMTP server of a try-out: takes every message, sends none on (R-TRANSPORT)."""

import asyncio
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from kartramail.ids import show_id
from kartramail.sandbox.inbox import Inbox

log = structlog.get_logger()

LARGEST = 32 * 1024 * 1024
"""Bytes of a message, as the answer to EHLO says (RFC 1870)."""

_PATIENCE = 60.0  # seconds that a client may say nothing
_LAST_WORDS = 3.0  # seconds that open connections have when the catcher is told to stop


class _Handler:
    """Writes each message into the inbox before it is answered for."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        # One thread: SQLite takes one writer at a time, and the loop goes on meanwhile.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="inbox")

    async def handle_DATA(  # noqa: N802 - the name that aiosmtpd looks for
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """The reply to the final dot. 250 only once the message is on the disk (RFC 5321 §6.1)."""
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        loop = asyncio.get_running_loop()
        try:
            letter_id = await loop.run_in_executor(
                self._writer, self._inbox.add, envelope.mail_from or "", envelope.rcpt_tos, raw
            )
        except sqlite3.Error as error:
            log.error("message_not_kept", error=str(error))
            return "451 4.3.0 The test inbox could not be written. Try again later."
        return f"250 2.0.0 Ok: queued as {show_id(letter_id)}"


class Catcher:
    """The server, in the running event loop."""

    def __init__(self, inbox: Inbox) -> None:
        self._handler = _Handler(inbox)
        self._sessions = _Sessions()
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> int:
        """Listen on 127.0.0.1:port; returns the port, chosen by the system for 0.

        Raises OSError when it is taken.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Session(self._handler, self._sessions, loop), "127.0.0.1", port
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Take no new connection, and leave the open ones a little time."""
        if self._server:
            self._server.close()
        await self._sessions.end()


def serve_catcher(inbox: Inbox, port: int) -> None:
    """Take mail on 127.0.0.1:port until SIGTERM or SIGINT. Raises OSError for a taken port."""
    asyncio.run(_serve(inbox, port))


async def _serve(inbox: Inbox, port: int) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    catcher = Catcher(inbox)
    await catcher.start(port)
    await stopping.wait()
    await catcher.stop()


class _Sessions(set["_Session"]):
    """Those that are open."""

    async def end(self) -> None:
        """Leave them a little time: the worker, stopped at the same moment, finishes its own."""
        ends_at = time.monotonic() + _LAST_WORDS
        while self and time.monotonic() < ends_at:
            await asyncio.sleep(0.05)


class _Session(SMTP):
    """One connection."""

    def __init__(
        self, handler: _Handler, sessions: _Sessions, loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(
            handler,
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="KartraMail test inbox",
            timeout=_PATIENCE,
            loop=loop,
        )
        self._sessions = sessions

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it in."""
        self._sessions.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Count it out."""
        self._sessions.discard(self)
        super().connection_lost(error)
