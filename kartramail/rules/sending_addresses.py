"""Whether an SPF record lists the addresses that mail leaves from (R-SPF)."""

from collections.abc import Iterable
from ipaddress import ip_network

from kartramail.rules.spf import parse_spf_record


def allows_addresses(record: str, addresses: Iterable[str]) -> bool:
    """Whether the record itself, without what it includes, allows each address or network.

    Raises ValueError for a text in `addresses` that is neither.
    """
    listed = [
        ip_network(term.value, strict=False)
        for term in parse_spf_record(record)
        if term.name in ("ip4", "ip6") and term.qualifier == "+" and not term.fault
    ]
    wanted = [ip_network(address.strip(), strict=False) for address in addresses]
    return all(
        any(one.version == other.version and one.subnet_of(other) for other in listed)  # type: ignore[arg-type]
        for one in wanted
    )
