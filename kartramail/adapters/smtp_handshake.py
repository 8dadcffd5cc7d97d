"""From nothing to a connection that takes mail: connect, greet, TLS, sign in (RFC 5321 §3.1)."""

import base64
import smtplib
import ssl

from kartramail.adapters.smtp_client import SmtpClient, network_words
from kartramail.adapters.smtp_settings import SmtpSettings, Tls
from kartramail.rules.hosts import is_loopback
from kartramail.rules.replies import Deferred, Stage, clean_words

# Whoever sits between can take the offer away as easily as break what follows it (RFC 3207 §6).
_NO_OFFER = (
    "The server does not offer TLS, and the password does not go into the clear. "
    "MAIL_TLS=off would allow it."
)


class NotConnected(Exception):
    """The connection could not be made. Carries what to answer for the message that waited."""

    def __init__(self, reply: Deferred) -> None:
        super().__init__(reply.words)
        self.reply = reply


def connect(settings: SmtpSettings) -> SmtpClient:
    """A client that is greeted, under TLS where it should be, and signed in.

    Raises NotConnected for whatever a server does or fails to do.
    """
    try:
        return _Handshake(settings).run(with_tls=settings.tls is not Tls.OFF)
    except NotConnected as failure:
        # Broken TLS that nobody asked for is no worse than none (RFC 7435 §1.2); but a password
        # does not go into the clear for it.
        if failure.reply.stage is not Stage.TLS or settings.requires_tls or settings.username:
            raise
    return _Handshake(settings).run(with_tls=False)


class _Handshake:
    """One attempt, step by step."""

    def __init__(self, settings: SmtpSettings) -> None:
        self.settings = settings
        self.client = SmtpClient(settings)

    def run(self, with_tls: bool) -> SmtpClient:
        try:
            self._open()
            self._greet()
            if with_tls and not self.settings.use_ssl:
                self._start_tls()
            if self.settings.username and self.settings.password:
                self._sign_in(self.settings.username, self.settings.password)
        except BaseException:
            self.client.close()
            raise
        return self.client

    def _open(self) -> None:
        try:
            self.client.open_socket(self.settings.host, self.settings.port)
        except (OSError, UnicodeError) as error:
            raise self._failed(Stage.CONNECT, error) from error
        if self.settings.use_ssl:
            self._wrap()
        try:
            self._expect(Stage.GREETING, self.client.getreply(), 220)
        except smtplib.SMTPException as error:
            raise self._failed(Stage.GREETING, error) from error

    def _greet(self) -> None:
        try:
            answer = self.client.ehlo()
            if 500 <= answer[0] <= 599:  # a server from before RFC 1869
                answer = self.client.helo()
            self._expect(Stage.EHLO, answer, 250)
        except ValueError as error:  # not ASCII, or with a line break in it
            words = OSError("The name for EHLO (EHLO_NAME) is not a host name.")
            raise self._failed(Stage.EHLO, words) from error
        except smtplib.SMTPException as error:
            raise self._failed(Stage.EHLO, error) from error

    def _start_tls(self) -> None:
        if not self.client.has_extn("starttls"):
            if self.settings.requires_tls:
                raise self._failed(Stage.TLS, OSError("The server does not offer TLS."))
            if self.settings.username and not is_loopback(self.settings.host):
                raise self._failed(Stage.TLS, OSError(_NO_OFFER))
            return
        try:
            self._expect(Stage.TLS, self.client.docmd("STARTTLS"), 220)
        except smtplib.SMTPException as error:
            raise self._failed(Stage.TLS, error) from error
        self._wrap()
        self._greet()  # what was said before TLS does not count (RFC 3207 §4.2)

    def _wrap(self) -> None:
        try:
            context = _tls_context(self.settings.requires_tls)
            self.client.wrap_socket(context, self.settings.host)
        except (OSError, ValueError) as error:
            raise self._failed(Stage.TLS, error) from error

    def _sign_in(self, username: str, password: str) -> None:
        try:
            self.client.login(username, password)
        except smtplib.SMTPResponseException as refusal:
            words = _without_secrets(clean_words(refusal.smtp_error), username, password)
            said = f"The mail server refused the user name or the password: {words}"
            code = refusal.smtp_code if refusal.smtp_code > 0 else None
            reply = Deferred(Stage.AUTH, code, said, self.settings.server)
            raise NotConnected(reply) from None  # what smtplib raises may hold the password
        except UnicodeError:
            plain = OSError("The user name and the password must be plain ASCII.")
            raise self._failed(Stage.AUTH, plain) from None
        except (smtplib.SMTPException, ValueError) as failure:
            plain = OSError(_without_secrets(str(failure), username, password))
            raise self._failed(Stage.AUTH, plain) from None

    def _expect(self, stage: Stage, answer: tuple[int, bytes], code: int) -> None:
        if answer[0] != code:
            said = answer[0] if answer[0] > 0 else None
            words = clean_words(answer[1])
            raise NotConnected(Deferred(stage, said, words, self.settings.server))

    def _failed(self, stage: Stage, error: Exception) -> NotConnected:
        words = "The name of the mail server is not a host name."
        if isinstance(error, OSError):
            words = clean_words(network_words(error, self.settings.timeout))
        return NotConnected(Deferred(stage, None, words, self.settings.server))


def _tls_context(verified: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verified:  # without asking for TLS there is no name to hold a certificate against
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _without_secrets(words: str, username: str, password: str) -> str:
    """`words` of a server that repeats what it was sent, without the password in any form."""
    plain = f"\0{username}\0{password}"
    for secret in (password, plain):
        words = words.replace(base64.b64encode(secret.encode()).decode(), "…")
    return words.replace(password, "…")
