"""A network without a way out: its name server denies everything, and is not believed.

A newcomer without a network finishes the whole story: "could not check" never refuses (R-REPLY).
"""

from collections.abc import Iterator

import pytest

from kartramail.adapters import resolver as module
from kartramail.adapters.resolver import Resolver
from kartramail.rules.dns_answers import (
    Absent,
    AbsentReason,
    RecordType,
    Unreachable,
    UnreachableReason,
)
from kartramail.rules.name_servers import read_name_server
from tests.support.dns_server import DnsServer

NXDOMAIN = Absent(AbsentReason.NXDOMAIN)


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[DnsServer]:
    """The system's name server is one that denies every name, the root included."""
    with DnsServer(negative_ttl=None) as server:
        monkeypatch.setattr(
            module, "system_name_servers", lambda: (read_name_server(server.address),)
        )
        yield server


def test_a_server_that_denies_the_root_is_not_believed(closed: DnsServer) -> None:
    answer = Resolver().lookup("gmail.com", RecordType.MX)
    assert isinstance(answer, Unreachable)
    assert answer.why is UnreachableReason.NO_NETWORK


def test_a_server_that_knows_the_root_is_believed(closed: DnsServer) -> None:
    closed.add(".", "NS", "a.root-servers.example.")
    assert Resolver().lookup("nosuch.example.org", RecordType.MX) == NXDOMAIN


def test_a_complete_denial_needs_no_second_question(closed: DnsServer) -> None:
    closed.negative_ttl = 60
    assert Resolver().lookup("nosuch.example.org", RecordType.MX) == NXDOMAIN
    assert closed.count(".", "NS") == 0


def test_a_server_of_the_settings_is_believed(closed: DnsServer) -> None:
    """Whoever names a server, a test network's own for example, means its answers."""
    resolver = Resolver([closed.address])
    assert resolver.lookup("nosuch.example.org", RecordType.MX) == NXDOMAIN
