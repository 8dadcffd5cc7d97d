"""One SMTP connection of Flask-Mail, made strict: every step has a deadline, every answer is kept.

What Flask-Mail 0.10 leaves open is closed here. It sets no timeout, checks no certificate, loses
refused recipients, and its `__exit__` hides the first failure. Nothing here needs an application
context, so a worker's threads can use it.
"""

import smtplib
import time

import flask_mail

from kartramail.adapters.smtp_client import SmtpClient
from kartramail.adapters.smtp_handshake import connect
from kartramail.adapters.smtp_settings import SmtpSettings
from kartramail.rules.replies import (
    SERVICE_CLOSING,
    START_MAIL_INPUT,
    Deferred,
    Refused,
    Reply,
    Stage,
    clean_words,
    judge_reply,
)

QUIT_TIMEOUT = 5.0
"""Seconds for a goodbye: nothing depends on its answer."""


class OutgoingMessage(flask_mail.Message):
    """A message that is already bytes: what was signed is what leaves."""

    def __init__(self, mail_from: str, rcpt_to: str, data: bytes) -> None:
        # Not Flask-Mail's own: it would ask for an application, and for this machine's name in
        # DNS (make_msgid) once a message.
        self.sender = mail_from
        self.recipients = [rcpt_to]
        self.cc, self.bcc = [], []
        self.data = data

    def as_bytes(self) -> bytes:
        """The message as it was handed in."""
        return self.data

    def has_bad_headers(self) -> bool:
        """Never: the bytes were checked when they were built (rules/headers.py)."""
        return False


class Connection(flask_mail.Connection):
    """A Flask-Mail connection whose `send` leaves the server's answer in `reply`."""

    host: SmtpClient | None
    reply: Reply

    def __init__(self, settings: SmtpSettings) -> None:
        super().__init__(_mail_state(settings))
        self.settings = settings
        self.opened_at = time.monotonic()
        self._needs_reset = False

    def __exit__(self, *_: object) -> None:
        """Say goodbye. Never raises, so that what was raised inside is what is seen."""
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

    @property
    def is_reusable(self) -> bool:
        """True while the next message may go over this connection."""
        return (
            self.host is not None
            and self.num_emails < self.settings.max_messages
            and time.monotonic() - self.opened_at < self.settings.max_age
            and self.host.is_quiet
        )

    def configure_host(self) -> SmtpClient:
        """Connect, greet, begin TLS and sign in. Raises NotConnected."""
        return connect(self.settings)

    def send(
        self,
        message: flask_mail.Message,
        envelope_from: str | tuple[str, str] | None = None,
    ) -> None:
        """Send `message` to its one recipient and keep what the server answered in `reply`.

        Raises nothing for what a server does. The addresses and the bytes must have been checked.
        """
        sender = str(message.sender if envelope_from is None else envelope_from)
        (recipient,) = message.recipients
        self.reply = self._transact(sender, str(recipient), message.as_bytes())
        self.num_emails += 1
        if not self._is_in_step(self.reply):
            self._hang_up()
        elif isinstance(self.reply, Deferred | Refused):
            self._needs_reset = self.reply.stage is not Stage.END_OF_DATA

    def _transact(self, sender: str, recipient: str, data: bytes) -> Reply:
        """One mail transaction: MAIL, RCPT, DATA, the message (RFC 5321 §3.3)."""
        stage = Stage.MAIL
        try:
            if self._needs_reset:
                self._reset()
            if stop := self._ask(stage, f"MAIL FROM:<{sender}>{self._parameters(data)}"):
                return stop
            stage = Stage.RCPT
            if stop := self._ask(stage, f"RCPT TO:<{recipient}>"):
                return stop
            stage = Stage.DATA
            if stop := self._ask(stage, "DATA"):
                return stop
            self._client.send(_dot_stuffed(data))  # raises only while the final dot is unsent
            stage = Stage.END_OF_DATA
            return self._last_answer()
        except smtplib.SMTPException as error:
            in_doubt = stage is Stage.END_OF_DATA
            return Deferred(stage, None, clean_words(str(error)), self.settings.server, in_doubt)

    def _ask(self, stage: Stage, command: str) -> Reply | None:
        """The reply that ends the transaction, None when the server said to go on."""
        code, words = self._client.docmd(command)
        if code == START_MAIL_INPUT if stage is Stage.DATA else 200 <= code <= 299:
            return None
        return self._judged(stage, code, words)

    def _last_answer(self) -> Reply:
        self._client.patience = self.settings.final_timeout
        code, words = self._client.getreply()
        self._client.patience = self.settings.timeout
        return self._judged(Stage.END_OF_DATA, code, words)

    def _judged(self, stage: Stage, code: int, words: bytes) -> Reply:
        reply = judge_reply(stage, code, words, self.settings.server)
        if isinstance(reply, Deferred) and code < 0:
            return Deferred(stage, None, reply.words, reply.server, reply.in_doubt)
        return reply

    def _reset(self) -> None:
        code, _ = self._client.docmd("RSET")
        self._needs_reset = False
        if code != 250:
            raise smtplib.SMTPServerDisconnected("The server did not take a new message.")

    def _parameters(self, data: bytes) -> str:
        size = f" SIZE={len(data)}" if self._client.has_extn("size") else ""  # RFC 1870
        if data.isascii() or not self._client.has_extn("8bitmime"):  # RFC 6152
            return size
        return f"{size} BODY=8BITMIME"

    @property
    def _client(self) -> SmtpClient:
        if self.host is None:
            raise smtplib.SMTPServerDisconnected("The connection is closed.")
        return self.host

    def _is_in_step(self, reply: Reply) -> bool:
        """False when what the server says next can no longer be told to belong to what."""
        if not isinstance(reply, Deferred):
            return True
        return reply.code in range(400, 500) and reply.code != SERVICE_CLOSING

    def _hang_up(self) -> None:
        client, self.host = self.host, None
        if client is not None:
            client.close()


def _dot_stuffed(data: bytes) -> bytes:
    """`data` as it goes over the wire, with the final dot (RFC 5321 §4.5.2)."""
    stuffed = data.replace(b"\r\n.", b"\r\n..")
    return b"".join((b"." if data.startswith(b".") else b"", stuffed, b".\r\n"))


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
