"""One installation: its settings and its ways to the outside world, made once a process."""

from dataclasses import dataclass

from kartramail.adapters.authoritative import Authoritative
from kartramail.adapters.resolver import Resolver
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.rules.addresses import AddressPolicy
from kartramail.rules.name_servers import NameServer


@dataclass(frozen=True)
class Installation:
    """What every door needs. Making one connects to nothing."""

    settings: Settings
    db: Database
    resolver: Resolver

    @classmethod
    def of(cls, settings: Settings) -> "Installation":
        """The parts that these settings ask for."""
        return cls(settings, Database(settings.database_url), _resolver(settings))

    def address_policy(self, own_placeholder: str | None = None) -> AddressPolicy:
        """How addresses are judged here; `own_placeholder` is the asking account's own one."""
        return AddressPolicy(
            platform_domain=self.settings.platform_domain,
            allow_special_use=self.settings.allow_special_use_domains,
            own_placeholder=own_placeholder,
        )

    def is_practice(self, domain: str) -> bool:
        """Whether this is a made-up domain that the practice DNS of this try-out answers for."""
        return self.settings.has_practice_dns and is_made_up(domain)

    def authoritative(self, domain: str) -> Authoritative:
        """The way to the own name servers of the zone that `domain` lies in."""
        settings = self.settings
        port = settings.dns_authoritative_port
        if self.is_practice(domain):
            port = settings.practice_dns_port
        return Authoritative(self.resolver, port, settings.dns_timeout)


def is_made_up(domain: str) -> bool:
    """Whether a name lies under `.test`, which the public DNS never serves (RFC 6761 §6.2)."""
    return domain.lower().rstrip(".").endswith(".test")


def _resolver(settings: Settings) -> Resolver:
    """Made-up names are asked for only where the settings say a name server that has them."""
    practice = NameServer("127.0.0.1", settings.practice_dns_port)
    return Resolver(
        nameservers=settings.dns_nameservers or None,
        timeout=settings.dns_timeout,
        answers_special_use=bool(settings.dns_nameservers)
        or not settings.allow_special_use_domains,
        practice=practice if settings.has_practice_dns else None,
    )
