"""smtplib with one deadline a step and answers of bounded size."""

import select
import smtplib
import socket
import ssl
import time

from kartramail.adapters.smtp_settings import SmtpSettings

MAX_REPLY_LINE = 4096
"""RFC 5321 §4.5.3.1.5 allows 512 octets; some servers are talkative."""

MAX_REPLY_LINES = 128


class SmtpClient(smtplib.SMTP):
    """smtplib's commands over a socket where each step has one deadline and answers are bounded.

    smtplib's own timeout starts again with every octet, so a server that sends one a minute
    would hold a worker for days; and an answer of endless lines would fill its memory.
    """

    def __init__(self, settings: SmtpSettings) -> None:
        super().__init__(local_hostname=settings.ehlo_name or _own_name())
        self.patience = settings.timeout
        self._received = bytearray()

    def open_socket(self, host: str, port: int) -> None:
        """Connect. Raises OSError, and UnicodeError for a host that cannot be a name."""
        self.sock = socket.create_connection((host, port), self.patience)
        # The end of a body must not wait for the acknowledgement of its beginning.
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def wrap_socket(self, context: ssl.SSLContext, host: str) -> None:
        """Begin TLS. Raises OSError (ssl.SSLError) when the handshake or the certificate fails."""
        if self._received:  # sent before TLS, to be read as if it came under it (CVE-2011-0411)
            raise smtplib.SMTPServerDisconnected("The server spoke before TLS was begun.")
        if self.sock is not None:
            self.sock.settimeout(self.patience)  # not what the answer before has left of its time
            self.sock = context.wrap_socket(self.sock, server_hostname=host)
        self.does_esmtp, self.esmtp_features = False, {}

    def go_on_without_waiting(self) -> bool:
        """From now on nothing waits for the server. False where it has spoken without being asked.

        To be called before anything else is sent.
        """
        if self.sock is not None:
            self.sock.setblocking(False)
        return not self._has_unread

    @property
    def is_quiet(self) -> bool:
        """True while the server has neither closed nor said a thing that was not asked for."""
        if self.sock is None or self._has_unread:
            return False
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return not poll.poll(0)

    @property
    def _has_unread(self) -> bool:
        """Octets have come that nobody has read, here or in TLS."""
        in_tls = self.sock.pending() if isinstance(self.sock, ssl.SSLSocket) else 0
        return bool(self._received or in_tls)

    def send(self, s: str | bytes | bytearray) -> None:  # type: ignore[override]
        """Send, within `patience` seconds in all."""
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("The connection is closed.")
        octets = s.encode("ascii") if isinstance(s, str) else s
        try:
            if self.sock.gettimeout() != self.patience:
                self.sock.settimeout(self.patience)
            self.sock.sendall(octets)  # its timeout is for the whole, not for each piece
        except OSError as error:
            self.close()
            raise smtplib.SMTPServerDisconnected(network_words(error, self.patience)) from error

    def getreply(self) -> tuple[int, bytes]:
        """The code and the words of the next answer; -1 and the line where it is not SMTP."""
        deadline = time.monotonic() + self.patience
        words: list[bytes] = []
        while len(words) < MAX_REPLY_LINES:
            line = self._read_line(deadline)
            if not (line[:3].isdigit() and line[3:4] in (b"", b" ", b"-") and len(line) > 2):
                return -1, line
            words.append(line[4:].strip())
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(words)
        self.close()
        raise smtplib.SMTPServerDisconnected("The server's answer had no end.")

    def _read_line(self, deadline: float) -> bytes:
        while (end := self._received.find(b"\n")) < 0 and len(self._received) <= MAX_REPLY_LINE:
            self._received += self._receive(deadline)
        if not 0 <= end <= MAX_REPLY_LINE:
            self.close()
            raise smtplib.SMTPServerDisconnected("The server's answer was too long for a line.")
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line.rstrip(b"\r")

    def _receive(self, deadline: float) -> bytes:
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected("The connection is closed.")
        try:
            self._be_patient_until(self.sock, deadline)
            octets = self.sock.recv(MAX_REPLY_LINE)
        except OSError as error:
            self.close()
            raise smtplib.SMTPServerDisconnected(network_words(error, self.patience)) from error
        if not octets:
            self.close()
            raise smtplib.SMTPServerDisconnected("The server closed the connection.")
        return octets

    def _be_patient_until(self, sock: socket.socket, deadline: float) -> None:
        """Set the time-out, where the one that stands would end sooner or more than 1 % later.

        Each setting is a system call and lets another thread take the interpreter: at five steps
        a message that is a tenth of a worker's time.
        """
        remaining = deadline - time.monotonic()
        standing = sock.gettimeout()
        if standing is None or not remaining <= standing <= remaining * 1.01:
            sock.settimeout(max(remaining, 0.001))  # never 0, which would mean "do not block"


def network_words(error: OSError, patience: float) -> str:
    """What went wrong with a connection, in words for people. `patience` in seconds."""
    if isinstance(error, TimeoutError):
        return f"The server did not answer within {patience:g} seconds."
    if isinstance(error, ConnectionRefusedError):
        return "Nothing listens there: the connection was refused."
    if isinstance(error, socket.gaierror):
        return "The name of the mail server was not found."
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The server's certificate is not good: {error.verify_message}."
    if isinstance(error, ssl.SSLError):
        return f"TLS could not be set up: {error.reason}."
    if isinstance(error, ConnectionError):
        return "The server dropped the connection."
    return error.strerror or str(error)


def _own_name() -> str:
    """This machine's name, without asking DNS; an address literal where it is no whole name."""
    name = socket.gethostname()
    return name if "." in name else "[127.0.0.1]"  # RFC 5321 §4.1.4
