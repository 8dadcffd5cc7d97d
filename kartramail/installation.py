"""One installation: its settings and its ways to the outside world, made once a process."""

from dataclasses import dataclass

from kartramail.adapters.resolver import Resolver
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.rules.addresses import AddressPolicy


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


def _resolver(settings: Settings) -> Resolver:
    """Made-up names of a sandbox are asked for only where a name server was given for them."""
    return Resolver(
        nameservers=settings.dns_nameservers or None,
        timeout=settings.dns_timeout,
        answers_special_use=bool(settings.dns_nameservers)
        or not settings.allow_special_use_domains,
    )
