"""What the value of a setting may be, by its form alone."""

import re
import socket
from urllib.parse import urlsplit

from kartramail.rules.hosts import is_host

# What Flask-Limiter counts in, by the name of its library `limits`.
_COUNTING_STORES = (
    *("memory", "memcached", "mongodb", "mongodb+srv", "redis", "redis+unix", "redis+cluster"),
    *("redis+sentinel", "rediss", "valkey", "valkey+cluster", "valkey+sentinel", "valkey+unix"),
    "valkeys",
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


def is_web_address(address: str) -> bool:
    """http or https, a host, perhaps a port and a path."""
    try:
        parts = urlsplit(address)
        has_port = parts.port != 0  # raises for one that is no number, or too large
    except ValueError:
        return False
    is_whole = bool(parts.hostname) and not parts.query and not re.search(r"\s", address)
    return parts.scheme in ("http", "https") and is_whole and has_port
