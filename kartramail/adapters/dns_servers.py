"""Which name servers to ask: those of the settings, or else the system's."""

from collections.abc import Sequence

import dns.exception
import dns.resolver

from kartramail.errors import ConfigurationError
from kartramail.rules.name_servers import NameServer, read_name_server


def configured_name_servers(texts: Sequence[str]) -> tuple[NameServer, ...]:
    """The servers that `texts` name. Raises ConfigurationError for one that names none."""
    servers = []
    for text in texts:
        server = read_name_server(text)
        if server is None:
            raise ConfigurationError(
                f"DNS_NAMESERVERS: {text!r} is no name server; "
                "allowed is address[:port], with an IPv6 address in [ ] before a port"
            )
        servers.append(server)
    return tuple(servers)


def system_name_servers() -> tuple[NameServer, ...]:
    """The system's name servers; none on a machine without a network."""
    try:
        texts = [str(each) for each in dns.resolver.Resolver().nameservers]
    except (dns.exception.DNSException, OSError, ValueError):
        return ()
    return tuple(filter(None, map(read_name_server, texts)))
