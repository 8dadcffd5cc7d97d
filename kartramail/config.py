"""Settings: every environment variable, typed, checked at start (R-OPS).

`load_settings()` reads the environment and `.env`, and raises ConfigurationError with one line
that names the setting, its value and what is allowed.
"""

import os
import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from kartramail.errors import ConfigurationError
from kartramail.kept_secrets import (
    check_master_keys,
    kept_secret,
    make_master_key,
    make_secret_key,
)
from kartramail.rules.address_syntax import Address, read_address
from kartramail.rules.hosts import is_address_literal, is_host, is_loopback, is_network
from kartramail.rules.name_servers import read_name_server
from kartramail.rules.providers import is_public_suffix, provider_kind
from kartramail.setting_values import is_counting_store, is_web_address, own_name, split

ROOT = Path(__file__).resolve().parent.parent
INSTANCE = ROOT / "instance"

_SECRET_NAMES = {"secret_key", "master_keys", "mail_password", "database_url"}


class MailTransport(StrEnum):
    """Where mail goes: into the embedded catcher, or to a relay over SMTP."""

    CATCHER = "catcher"
    RELAY = "relay"


class MailTls(StrEnum):
    """How much TLS is asked of the relay."""

    OPPORTUNISTIC = "opportunistic"
    REQUIRED = "required"
    OFF = "off"


class DkimRecords(StrEnum):
    """Whether customers set TXT keys, or CNAMEs into the operator's zone (R-RECORDS)."""

    TXT = "txt"
    CNAME = "cname"


Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86400)]


class Settings(BaseSettings):
    """One field a setting; the README explains each. Names match regardless of case."""

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env", extra="ignore", frozen=True, env_ignore_empty=True
    )

    database_url: str = "sqlite:///instance/kartramail.db"
    secret_key: SecretStr = SecretStr("")
    master_keys: SecretStr = SecretStr("")
    base_url: str = "http://127.0.0.1:5000"
    platform_domain: str = "kartra.com"
    bounce_host: str = ""
    sending_ips: Annotated[tuple[str, ...], NoDecode] = ()
    ehlo_name: str = Field(default_factory=own_name)
    dkim_zone: str = ""
    operator_email: str | None = None

    mail_transport: MailTransport = MailTransport.CATCHER
    mail_server: str = "127.0.0.1"
    mail_port: Port = 25
    mail_username: str | None = None
    mail_password: SecretStr | None = None
    mail_use_tls: bool = False
    mail_use_ssl: bool = False
    mail_tls: MailTls = MailTls.OPPORTUNISTIC
    mail_timeout: Seconds = 60
    mail_final_timeout: Seconds = 600
    catcher_port: Port = 2525
    inbound_host: str = "127.0.0.1"
    inbound_port: Port = 2526

    dns_nameservers: Annotated[tuple[str, ...], NoDecode] = ()
    dns_timeout: Seconds = 3
    dns_authoritative_port: Port = 53
    practice_dns_port: Port = 2553
    dkim_records: DkimRecords = DkimRecords.TXT
    allow_special_use_domains: bool = False

    rate_limits: bool = True
    rate_limit_storage: str = "memory://"
    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = 0
    sending_limits: bool | None = None
    reminder_hours: Annotated[int, Field(ge=1, le=720)] = 24
    message_retention_days: Annotated[int, Field(ge=1, le=36500)] = 90
    worker_lease: Annotated[float, Field(ge=1, le=3600)] = 15
    port: Port = 5000
    worker_processes: Annotated[int, Field(ge=1, le=256)] = Field(
        default_factory=lambda: os.cpu_count() or 1
    )
    worker_connections: Annotated[int, Field(ge=1, le=256)] = 8

    @field_validator("dns_nameservers", mode="before")
    @classmethod
    def _split_nameservers(cls, value: object) -> object:
        value = split(value)
        if isinstance(value, tuple) and not all(map(read_name_server, value)):
            raise ValueError("addresses with or without a port, separated by commas: 127.0.0.1:53")
        return value

    @field_validator("sending_ips", mode="before")
    @classmethod
    def _split_networks(cls, value: object) -> object:
        value = split(value)
        if isinstance(value, tuple) and not all(map(is_network, value)):
            raise ValueError("addresses or networks, separated by commas: 192.0.2.1, 2001:db8::/64")
        return value

    @field_validator("platform_domain", "bounce_host", "dkim_zone", "ehlo_name")
    @classmethod
    def _lower_case(cls, value: str) -> str:
        return value.strip().rstrip(".").lower()

    @field_validator("platform_domain")
    @classmethod
    def _is_own_domain(cls, value: str) -> str:
        if not is_host(value) or "." not in value:
            raise ValueError("a domain name such as kartra.com, in ASCII (xn--…)")
        if is_public_suffix(value):
            raise ValueError("a domain of your own such as kartra.com, no ending that many share")
        if provider_kind(value):
            raise ValueError("a domain of your own such as kartra.com, no mail provider's")
        return value

    @field_validator("bounce_host", "dkim_zone")
    @classmethod
    def _is_name(cls, value: str) -> str:
        if not is_host(value) or "." not in value:
            raise ValueError("a name in the DNS such as bounces.kartra.com, in ASCII (xn--…)")
        return value

    @field_validator("ehlo_name")
    @classmethod
    def _is_ehlo_name(cls, value: str) -> str:
        if not is_host(value) and not is_address_literal(value):
            raise ValueError("a host name such as mail.kartra.com, or an address as [192.0.2.1]")
        return value

    @field_validator("operator_email")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        address = None if value is None else read_address(value)
        if value is not None and not isinstance(address, Address):
            raise ValueError("an address such as jane@doeinc.com")
        return address.text if isinstance(address, Address) else None

    @field_validator("rate_limit_storage")
    @classmethod
    def _is_counting_store(cls, value: str) -> str:
        if not is_counting_store(value):
            raise ValueError("memory://, redis://host:6379, memcached://host:11211 or the like")
        return value

    @field_validator("base_url")
    @classmethod
    def _is_web_address(cls, value: str) -> str:
        if not is_web_address(value):
            raise ValueError("an http:// or https:// address, with a port from 1 to 65535 or none")
        return value.rstrip("/")

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, value: str) -> str:
        if value.startswith("postgresql://"):
            value = value.replace("postgresql://", "postgresql+psycopg://", 1)
        if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("sqlite:///path or postgresql+psycopg://…")
        path = value.removeprefix("sqlite:///")
        if path != value and path and not path.startswith((":memory:", "/")):
            value = f"sqlite:///{ROOT / path}"
        return value

    @model_validator(mode="before")
    @classmethod
    def _fill_in_names(cls, values: dict[str, Any]) -> dict[str, Any]:
        """BOUNCE_HOST and DKIM_ZONE follow PLATFORM_DOMAIN unless they are set."""
        domain = str(values.get("platform_domain") or "kartra.com").strip().rstrip(".")
        values.setdefault("bounce_host", f"bounces.{domain}")
        values.setdefault("dkim_zone", f"dkim.{domain}")
        return values

    @property
    def is_sqlite(self) -> bool:
        """True on one machine, with the database in a file."""
        return self.database_url.startswith("sqlite")

    @property
    def has_catcher(self) -> bool:
        """True when mail stays on this machine and can be read in the browser."""
        return self.mail_transport is MailTransport.CATCHER

    @property
    def has_sending_limits(self) -> bool:
        """True where accounts have daily limits: by default wherever mail leaves this machine."""
        return not self.has_catcher if self.sending_limits is None else self.sending_limits

    @property
    def mail_host_and_port(self) -> tuple[str, int]:
        """The SMTP server that the worker talks to."""
        if self.has_catcher:
            return "127.0.0.1", self.catcher_port
        return self.mail_server, self.mail_port

    @property
    def is_base_url_loopback(self) -> bool:
        """True when links point to this very machine."""
        return is_loopback(urlsplit(self.base_url).hostname or "")

    @property
    def has_practice_dns(self) -> bool:
        """True when made-up `.test` domains are looked up in the practice DNS of a try-out.

        Whoever sets name servers gets exactly those, for made-up names as well.
        """
        return (
            self.has_catcher
            and self.allow_special_use_domains
            and not self.dns_nameservers
            and self.is_base_url_loopback
        )

    @property
    def catcher_path(self) -> Path:
        """The catcher's own file, so that it takes no write lock from the worker."""
        return self._sandbox_path("catcher")

    @property
    def practice_path(self) -> Path:
        """The file of the practice DNS: what was published for made-up domains."""
        return self._sandbox_path("practice")

    def _sandbox_path(self, name: str) -> Path:
        if not self.is_sqlite:
            return INSTANCE / f"{name}.db"
        database = Path(self.database_url.removeprefix("sqlite:///"))
        return database.with_name(f"{database.stem}-{name}.db")


def load_settings(**overrides: Any) -> Settings:
    """The settings of this installation, with secrets filled in where that is allowed.

    `overrides` (attribute names) win over the environment; tests use them.
    Raises ConfigurationError.
    """
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        raise ConfigurationError(_one_line(error)) from None
    _check_outward_mail(settings)
    return settings.model_copy(
        update={
            "secret_key": _secret(settings, "secret_key", make_secret_key),
            "master_keys": _secret(settings, "master_keys", make_master_key),
        }
    )


def _one_line(error: ValidationError) -> str:
    fault = error.errors()[0]
    name = str(fault["loc"][0]) if fault["loc"] else "settings"
    # Addresses of other servers may hold a password before the host.
    shown = re.sub(r"//[^/@]*@", "//(hidden)@", repr(fault["input"]))
    value = "(hidden)" if name in _SECRET_NAMES else shown
    allowed = fault["msg"].removeprefix("Value error, ")
    return f"{name.upper()}={value} is not possible. Allowed: {allowed}."


def _check_outward_mail(settings: Settings) -> None:
    """Mail that leaves the machine needs a name and links that were chosen on purpose."""
    if settings.has_catcher or is_loopback(settings.mail_server):
        return
    if "platform_domain" not in settings.model_fields_set:
        raise ConfigurationError(
            "PLATFORM_DOMAIN is not set. A relay that is not on this machine needs your own domain."
        )
    if not settings.base_url.startswith("https://"):
        raise ConfigurationError(
            f"BASE_URL={settings.base_url!r} is not possible with a relay that is not on this "
            "machine. Allowed: the https:// address at which people reach this installation."
        )


def _secret(settings: Settings, name: str, make: Callable[[], str]) -> SecretStr:
    given: SecretStr = getattr(settings, name)
    if given.get_secret_value():
        if name == "master_keys":
            check_master_keys(given.get_secret_value())
        return given
    if not settings.is_sqlite:
        raise ConfigurationError(
            f"{name.upper()} is not set. With PostgreSQL every machine needs the same one: "
            "set it in the environment."
        )
    return SecretStr(kept_secret(INSTANCE / name, make))
