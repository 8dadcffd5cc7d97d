"""One SMTP connection of Flask-Mail that never blocks once it is made, and pipelines.

What Flask-Mail 0.10 leaves open is closed here. It sets no timeout, checks no certificate, loses
refused recipients, and its `__exit__` hides the first failure. Nothing here needs an application
context, so a worker's threads can use it.
"""

import smtplib
import socket
import ssl
import time

import flask_mail

from kartramail.adapters.smtp_client import SmtpClient, network_words
from kartramail.adapters.smtp_conversation import Conversation, Offers
from kartramail.adapters.smtp_handshake import NotConnected, connect
from kartramail.adapters.smtp_message import OutgoingMessage
from kartramail.adapters.smtp_settings import SmtpSettings
from kartramail.rules.replies import Deferred, Stage

QUIT_TIMEOUT = 5.0
"""Seconds for a goodbye: nothing depends on its answer."""

_READ = 65_536
_RECORD = 16_384  # octets of a TLS record, at most (RFC 8446 §5.1)
_NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Connection(flask_mail.Connection):
    """A Flask-Mail connection: `with` connects, greets and signs in; `send` announces a message.

    After that nothing waits: `receive` and `flush` do what can be done now, `conversation` has
    what became of the messages. `has_unwritten` says that the socket took less than there was.
    """

    host: SmtpClient | None
    conversation: Conversation

    def __init__(self, settings: SmtpSettings) -> None:
        super().__init__(_mail_state(settings))
        self.settings = settings
        self.opened_at = self.used_at = self._moved_at = time.monotonic()
        self._unwritten = b""
        self._tried = 0  # octets of a TLS record that the socket did not take whole

    def __enter__(self) -> "Connection":
        """Connect. Raises NotConnected."""
        super().__enter__()
        client = self._client
        self.conversation = Conversation(self.settings.server, Offers.read(client.esmtp_features))
        if not client.go_on_without_waiting():
            client.close()
            words = "The server spoke without being asked."
            raise NotConnected(Deferred(Stage.EHLO, None, words, self.settings.server))
        return self

    def __exit__(self, *_: object) -> None:
        """Say goodbye, for up to `QUIT_TIMEOUT` seconds.

        Never raises, so that what was raised inside is what is seen.
        """
        client, self.host = self.host, None
        if client is None:
            return
        try:
            if client.is_quiet:
                client.patience = min(self.settings.timeout, QUIT_TIMEOUT)
                client.docmd("QUIT")
        except smtplib.SMTPException:
            return
        finally:
            client.close()

    def configure_host(self) -> SmtpClient:
        """Connect, greet, begin TLS and sign in. Raises NotConnected."""
        return connect(self.settings)

    def send(
        self,
        message: flask_mail.Message,
        envelope_from: str | tuple[str, str] | None = None,
    ) -> None:
        """Announce `message`, an OutgoingMessage, to the server; `conversation` tells the rest.

        Raises nothing for what a server does. The addresses and the bytes must have been checked.
        """
        if not isinstance(message, OutgoingMessage):
            raise TypeError("Only what is bytes already can leave.")
        if envelope_from is not None:
            message.sender = envelope_from
        at = time.monotonic()
        conversation = self.conversation
        refusal = conversation.refuse(message)
        if refusal is not None:
            conversation.settled.append((message, refusal))
            return
        if not conversation.is_waiting:
            self.receive()  # what has come until now is no answer to what is said from here on
        if conversation.over is not None:
            conversation.leave(message)
            return
        conversation.open(message, at)
        self.num_emails += 1

    @property
    def is_worn(self) -> bool:
        """True when it has had its share: what follows goes over a new one."""
        return self.num_emails > 0 and (
            self.num_emails >= self.settings.max_messages
            or time.monotonic() - self.opened_at >= self.settings.max_age
        )

    @property
    def is_idle(self) -> bool:
        """Nothing is under way."""
        conversation = self.conversation
        return not (conversation.opening or conversation.closing or conversation.is_waiting)

    @property
    def has_unwritten(self) -> bool:
        """Whether to call `flush` again when the socket takes more."""
        return bool(self._unwritten)

    @property
    def has_output(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.conversation.out or self._unwritten)

    def flush(self) -> None:
        """Write what there is, as far as the socket takes it."""
        conversation, client = self.conversation, self.host
        if not self.has_output:
            return
        octets = b"".join((self._unwritten, *conversation.out))
        self.used_at = time.monotonic()
        if conversation.out:
            self._moved_at = self.used_at
            conversation.out.clear()
        if client is None or client.sock is None:
            return
        before = conversation.written
        try:
            self._write(client.sock, octets)
        except _NOT_YET:
            pass
        except OSError as error:
            self.receive()  # the server may have said why before it closed
            conversation.over = conversation.over or network_words(error, self.settings.timeout)
        count = conversation.written - before
        if count:
            self._moved_at = self.used_at
        self._unwritten = octets[count:] if count < len(octets) else b""

    def _write(self, sock: socket.socket, octets: bytes) -> None:
        """Write what the socket takes. Raises OSError, after what was taken has been counted.

        Under TLS one record at a time: OpenSSL does not say how many of several have left, and
        whether a final dot was among them decides what is in doubt. What it did not take whole it
        wants to be given again as it was.
        """
        if not isinstance(sock, ssl.SSLSocket):
            self.conversation.written += sock.send(octets)
            return
        start = 0
        while start < len(octets):
            record = octets[start : start + (self._tried or _RECORD)]
            self._tried = len(record)
            count = sock.send(record)
            self._tried = 0
            self.conversation.written += count
            start += count

    def receive(self) -> None:
        """Hear what the server has said until now."""
        client, at = self.host, time.monotonic()
        if client is None or client.sock is None:
            return
        is_plain = not isinstance(client.sock, ssl.SSLSocket)
        conversation = self.conversation
        while conversation.over is None:
            was_given_up = conversation.given_up
            try:
                octets = client.sock.recv(_READ)
            except _NOT_YET:
                return
            except OSError as error:
                conversation.over = network_words(error, self.settings.timeout)
                return
            if not octets:
                conversation.over = "The server closed the connection."
                return
            conversation.feed(octets, at)
            # Where a message fails there must be no answer that it was not asked for.
            is_doubtful = conversation.given_up or was_given_up
            if is_plain and len(octets) < _READ and not is_doubtful:
                return

    def check_time(self, at: float) -> None:
        """Be over where the server has used up its time for this step."""
        conversation, settings = self.conversation, self.settings
        # What takes long to write is none of the time that the server has for its answer.
        since, patience = max(conversation.waits_since, self._moved_at), settings.timeout
        if self._unwritten:
            since = self._moved_at
        elif conversation.awaited is Stage.END_OF_DATA:
            patience = settings.final_timeout
        elif not conversation.is_waiting:
            return
        if at - since >= patience and conversation.over is None:
            conversation.over = network_words(TimeoutError(), patience)

    def hang_up(self) -> None:
        """Close without a word, and settle what was under way."""
        client, self.host = self.host, None
        if client is not None:
            client.close()
        words = self.conversation.over or "The connection was given up."
        self.conversation.end(words)

    def fileno(self) -> int:
        """Of the socket, for a selector."""
        sock = self._client.sock
        return -1 if sock is None else sock.fileno()

    @property
    def _client(self) -> SmtpClient:
        if self.host is None:
            raise smtplib.SMTPServerDisconnected("The connection is closed.")
        return self.host


def _mail_state(settings: SmtpSettings) -> flask_mail.Mail:
    """Flask-Mail's state without an application: neither TESTING nor debug has a say in it."""
    mail = flask_mail.Mail()
    mail.state = mail.init_mail(
        {
            "MAIL_SERVER": settings.host,
            "MAIL_PORT": settings.port,
            "MAIL_USERNAME": settings.username,
            "MAIL_PASSWORD": settings.password,
            "MAIL_USE_TLS": settings.use_tls,
            "MAIL_USE_SSL": settings.use_ssl,
            "MAIL_SUPPRESS_SEND": False,
            "MAIL_DEBUG": 0,  # it would print the password
        }
    )
    return mail
