"""Delivery by Flask-Mail over SMTP: a stream of envelopes in, a stream of replies out.

R-TRANSPORT, R-OUTBOX. The next envelope is taken only when the next reply is asked for, so a
consumer that commits each reply before it asks again has at most one message a connection whose
fate is open.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from kartramail.adapters.smtp_connection import Connection, OutgoingMessage
from kartramail.adapters.smtp_handshake import NotConnected
from kartramail.adapters.smtp_settings import SmtpSettings, Tls
from kartramail.rules.replies import (
    ADDRESS_NOT_ALLOWED,
    SERVICE_CLOSING,
    TRANSACTION_FAILED,
    Accepted,
    Deferred,
    Refused,
    Reply,
    Stage,
)

__all__ = ["Envelope", "FakeTransport", "SmtpSettings", "SmtpTransport", "Tls", "Transport"]

LOCAL = "local"
"""What stands as the server where we refuse a message ourselves."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message for one recipient. `mail_from` may be empty (a bounce); `data` ends in CRLF."""

    id: int
    mail_from: str
    rcpt_to: str
    data: bytes


class Transport(Protocol):
    """What delivers: SMTP, or a fake in a test."""

    def deliver(self, envelopes: Iterable[Envelope]) -> Iterator[tuple[int, Reply]]:
        """One reply for each envelope, in order, until the server cannot be reached."""


class SmtpTransport:
    """Hands messages to one SMTP server. May be shared by threads: each `deliver` is its own."""

    def __init__(self, settings: SmtpSettings) -> None:
        self.settings = settings

    def deliver(self, envelopes: Iterable[Envelope]) -> Iterator[tuple[int, Reply]]:
        """Send each envelope over one connection, and give `(id, reply)` for it.

        The connection is made for the first envelope and renewed when it is old or lost. When it
        cannot be made, the envelope that waited for it gets a Deferred that costs no attempt, and
        the stream ends: the envelopes that follow were not taken. Raises nothing for what a
        server does.
        """
        line = _Line(self.settings)
        try:
            for envelope in envelopes:
                reply = refuse_locally(envelope) or line.send(envelope)
                yield envelope.id, reply
                if isinstance(reply, Deferred) and not reply.costs_attempt:
                    return
        finally:
            line.close()


class _Line:
    """The way to the server: at most one connection, another one when it is used up."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._connection: Connection | None = None

    def send(self, envelope: Envelope) -> Reply:
        message = OutgoingMessage(envelope.mail_from, envelope.rcpt_to, envelope.data)
        if self._connection is not None and self._connection.is_reusable:
            self._connection.send(message)
            if not _was_closed_while_idle(self._connection.reply):
                return self._connection.reply
        try:
            connection = self._renewed()
        except NotConnected as failure:
            return failure.reply
        connection.send(message)
        return connection.reply

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.__exit__(None, None, None)

    def _renewed(self) -> Connection:
        self.close()
        connection = Connection(self._settings)
        connection.__enter__()
        self._connection = connection
        return connection


def _was_closed_while_idle(reply: Reply) -> bool:
    """True when MAIL on a used connection found it gone: that says nothing of the message."""
    return (
        isinstance(reply, Deferred)
        and reply.stage is Stage.MAIL
        and reply.code in (None, SERVICE_CLOSING)
    )


_PATH = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")
MAX_PATH = 254
"""RFC 5321 §4.5.3.1.3: 256 octets with the angle brackets."""


def refuse_locally(envelope: Envelope) -> Refused | None:
    """The refusal of what must never reach the wire; None when the envelope may go.

    An address with a space, a control character or a bracket could carry a second command. A
    bare CR, a bare LF or a NUL lets some servers see the end of the message where it is not, and
    take the rest for new mail ("SMTP smuggling", RFC 5321 §2.3.8).
    """
    if envelope.mail_from and not _is_path(envelope.mail_from):
        words = "5.1.7 The return path is not an address."
        return Refused(Stage.MAIL, ADDRESS_NOT_ALLOWED, words, LOCAL)
    if not _is_path(envelope.rcpt_to):
        words = "5.1.3 The recipient is not an address."
        return Refused(Stage.RCPT, ADDRESS_NOT_ALLOWED, words, LOCAL)
    if not _has_only_whole_lines(envelope.data):
        words = "5.6.0 The message has a line end that is not CRLF, a NUL, or no last line end."
        return Refused(Stage.DATA, TRANSACTION_FAILED, words, LOCAL)
    return None


def _is_path(address: str) -> bool:
    return len(address) <= MAX_PATH and _PATH.fullmatch(address) is not None


def _has_only_whole_lines(data: bytes) -> bool:
    ends = data.count(b"\r\n")
    return (
        data.count(b"\r") == data.count(b"\n") == ends
        and b"\0" not in data
        and data.endswith(b"\r\n")
    )


class FakeTransport:
    """A transport for tests: answers as told and keeps in `sent` what it was given.

    `answer` makes the reply to an envelope; without it everything is accepted. It refuses locally
    and ends the stream as the real one does.
    """

    def __init__(self, answer: Callable[[Envelope], Reply] | None = None) -> None:
        self.sent: list[Envelope] = []
        self._answer = answer or (lambda _: Accepted(250, "2.0.0 Ok", "fake:25"))

    def deliver(self, envelopes: Iterable[Envelope]) -> Iterator[tuple[int, Reply]]:
        """One reply for each envelope, until one says that the server cannot be reached."""
        for envelope in envelopes:
            reply = refuse_locally(envelope) or self._answer(envelope)
            if not (isinstance(reply, Refused) and reply.server == LOCAL):
                self.sent.append(envelope)
            yield envelope.id, reply
            if isinstance(reply, Deferred) and not reply.costs_attempt:
                return
