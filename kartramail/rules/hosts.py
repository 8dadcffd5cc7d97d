"""Hosts and networks as they are written: what a text may be, and whether it means this machine."""

import re
from ipaddress import ip_address, ip_network

_MAX_HOST = 253  # RFC 1035 §2.3.4, as text
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


def is_host(name: str) -> bool:
    """One label or more, as RFC 1123 §2.1 writes them, in lower case and without a final dot.

    A number at the end makes an address.
    """
    labels = name.split(".")
    return (
        len(name) <= _MAX_HOST and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()
    )


def is_address_literal(text: str) -> bool:
    """`[192.0.2.1]` and `[ipv6:2001:db8::1]` (RFC 5321 §4.1.3), in lower case."""
    inside = text.removeprefix("[").removesuffix("]")
    if text != f"[{inside}]":
        return False
    address = inside.removeprefix("ipv6:")
    try:
        return ip_address(address).version == (4 if address == inside else 6)
    except ValueError:
        return False


def is_network(text: str) -> bool:
    """An address, or a network without bits of a host."""
    try:
        ip_network(text)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether a host name, in lower case, or an address can only mean this machine.

    RFC 6761 §6.3; an IPv6 address with or without brackets.
    """
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
