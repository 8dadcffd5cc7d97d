"""How a name server is written in settings: `address[:port]`, an IPv6 one with a port in [ ]."""

import ipaddress
import re
from dataclasses import dataclass

DNS_PORT = 53
_BRACKETED = re.compile(r"\[(?P<address>[^]]+)](?::(?P<port>\d{1,5}))?", re.ASCII)
_PLAIN = re.compile(r"(?P<address>[^:]+)(?::(?P<port>\d{1,5}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class NameServer:
    """Where to ask: a numeric address (IPv4 or IPv6) and a port."""

    address: str
    port: int = DNS_PORT

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"


def read_name_server(text: str) -> NameServer | None:
    """The name server that `text` names (`192.0.2.1:5353`, `::1`, `[::1]:5353`), or None.

    Host names are none: to look up a name server's name would need a name server.
    """
    text = text.strip()
    parts = _BRACKETED.fullmatch(text) or _PLAIN.fullmatch(text)
    address = parts["address"] if parts else text  # an IPv6 address on its own has no brackets
    port = int(parts["port"] or DNS_PORT) if parts else DNS_PORT
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return None
    return NameServer(address, port) if 0 < port < 1 << 16 else None
