"""What the value of a setting may be, by its form alone."""

import re
import socket
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

_MAX_HOST = 253  # RFC 1035 §2.3.4, as text
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
# What Flask-Limiter counts in, by the name of its library `limits`.
_COUNTING_STORES = (
    *("memory", "memcached", "mongodb", "mongodb+srv", "redis", "redis+unix", "redis+cluster"),
    *("redis+sentinel", "rediss", "valkey", "valkey+cluster", "valkey+sentinel", "valkey+unix"),
    "valkeys",
)


def is_host(name: str) -> bool:
    """One label or more, as RFC 1123 §2.1 writes them; a number at the end makes an address."""
    labels = name.split(".")
    return (
        len(name) <= _MAX_HOST and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()
    )


def own_name() -> str:
    """This machine's name, where mail servers would take it."""
    name = socket.getfqdn().rstrip(".").lower()
    return name if is_host(name) else "[127.0.0.1]"


def is_counting_store(address: str) -> bool:
    """Whether rate limits can be counted there."""
    scheme, mark, _ = address.partition("://")
    return bool(mark) and scheme in _COUNTING_STORES


def split(value: object) -> object:
    """The parts between commas; what is no text as it is."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def is_address_literal(text: str) -> bool:
    """`[192.0.2.1]` and `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3)."""
    inside = text.removeprefix("[").removesuffix("]")
    if text != f"[{inside}]":
        return False
    try:
        return ip_address(inside.removeprefix("ipv6:")).version == (6 if ":" in inside else 4)
    except ValueError:
        return False


def is_network(text: str) -> bool:
    """An address, or a network without bits of a host."""
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def is_web_address(address: str) -> bool:
    """http or https, a host, perhaps a port and a path."""
    try:
        parts = urlsplit(address)
        has_port = parts.port != 0  # raises for one that is no number, or too large
    except ValueError:
        return False
    is_whole = bool(parts.hostname) and not parts.query and not re.search(r"\s", address)
    return parts.scheme in ("http", "https") and is_whole and has_port


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine (RFC 6761 §6.3)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
