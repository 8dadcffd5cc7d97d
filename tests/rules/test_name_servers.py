"""How DNS_NAMESERVERS is read."""

import pytest

from kartramail.rules.name_servers import NameServer, read_name_server


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.1", NameServer("192.0.2.1", 53)),
        (" 192.0.2.1:5353 ", NameServer("192.0.2.1", 5353)),
        ("::1", NameServer("::1", 53)),
        ("2001:db8::53", NameServer("2001:db8::53", 53)),
        ("[2001:db8::53]", NameServer("2001:db8::53", 53)),
        ("[::1]:5353", NameServer("::1", 5353)),
    ],
)
def test_it_reads_an_address_with_and_without_a_port(text: str, server: NameServer) -> None:
    assert read_name_server(text) == server


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":53",
        "dns.doeinc.test",
        "192.0.2.1:",
        "192.0.2.1:0",
        "192.0.2.1:65536",
        "192.0.2.1:+5",
        "192.0.2.1:५३",
        "192.0.2.256",
        "[192.0.2.1:53",
        "[::1",
        "[::1]5353",
    ],
)
def test_it_refuses_what_names_no_server(text: str) -> None:
    assert read_name_server(text) is None


@pytest.mark.parametrize("text", ["192.0.2.1:53", "[::1]:5353"])
def test_a_server_is_shown_as_it_is_written(text: str) -> None:
    assert str(read_name_server(text)) == text
