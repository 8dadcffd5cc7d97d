"""How an SMTP server is reached."""

from dataclasses import dataclass, field

from kartramail.config import MailTls as Tls
from kartramail.errors import ConfigurationError

__all__ = ["SmtpSettings", "Tls"]


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """How a server is reached. Times in seconds, RFC 5321 §4.5.3.2.

    `use_tls` and `use_ssl` are Flask-Mail's (STARTTLS; TLS from the first byte): who sets one
    asks for TLS, so the certificate is checked. Raises ConfigurationError where settings clash.
    """

    host: str
    port: int = 25
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    use_tls: bool = False
    use_ssl: bool = False
    tls: Tls = Tls.OPPORTUNISTIC
    timeout: float = 60.0
    final_timeout: float = 600.0
    ehlo_name: str | None = None
    max_messages: int = 1_000
    max_age: float = 300.0

    def __post_init__(self) -> None:
        if self.tls is Tls.OFF and (self.use_tls or self.use_ssl):
            raise ConfigurationError(
                "MAIL_TLS is off, but MAIL_USE_TLS or MAIL_USE_SSL is on. Change one."
            )
        if self.use_tls and self.use_ssl:
            raise ConfigurationError(
                "MAIL_USE_TLS and MAIL_USE_SSL are both on. Switch one of them off."
            )

    @property
    def requires_tls(self) -> bool:
        """True when nothing may leave without TLS and a good certificate."""
        return self.tls is Tls.REQUIRED or self.use_tls or self.use_ssl

    @property
    def server(self) -> str:
        """What stands as the server in replies."""
        return f"{self.host}:{self.port}"
