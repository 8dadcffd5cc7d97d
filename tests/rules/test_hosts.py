"""Hosts and networks as they are written."""

import pytest

from kartramail.rules.hosts import is_address_literal, is_host, is_loopback, is_network

LABEL = "a" * 63


@pytest.mark.parametrize(
    "host",
    ["localhost", "mail.localhost", "127.0.0.1", "127.8.9.1", "::1", "[::1]", "0:0:0:0:0:0:0:1"],
)
def test_this_machine_is_known_by_its_names_and_addresses(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        *("", "[]", "garbage", "notlocalhost", "localhost.com", "127.0.0.1.nip.io", "localhost."),
        *("0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "[2001:db8::1]", "::ffff:192.0.2.1"),
        *("127.1", "2130706433", "127.0.0.1.", "127.0.0.1:80", "127.0.0.256"),
    ],
)
def test_what_may_mean_another_machine_is_not_taken_for_this_one(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "name",
    [
        *("localhost", "mail.kartra.com", "xn--bcher-kva.example", "3.example", "a-b.example"),
        *(LABEL, ".".join([LABEL] * 3 + ["a" * 61])),
    ],
)
def test_a_host_is_made_of_labels(name: str) -> None:
    assert is_host(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "mail.kartra.com.", ".kartra.com", "mail..com", "-a.example", "a-.example"),
        *("a_b.example", "bücher.example", "a b.example", "a.example\n", "a.example:25"),
        *("192.0.2.1", "1", "a.1", "::1", "[192.0.2.1]"),
        *(LABEL + "a", ".".join([LABEL] * 3 + ["a" * 62])),
    ],
)
def test_anything_else_is_no_host(name: str) -> None:
    assert not is_host(name)


@pytest.mark.parametrize(
    "text", ["[192.0.2.1]", "[ipv6:2001:db8::1]", "[ipv6:::1]", "[ipv6:::ffff:192.0.2.1]"]
)
def test_a_literal_is_an_address_in_brackets(text: str) -> None:
    assert is_address_literal(text)


@pytest.mark.parametrize(
    "text",
    [
        *("[2001:db8::1]",),
        *("", "[", "]", "[]", "[ipv6:]", "[localhost]", "192.0.2.1", "2001:db8::1", "[192.0.2.1"),
        *("192.0.2.1]", "[[192.0.2.1]]", "[192.0.2.1.]", "[192.0.2.256]", "[ipv6:192.0.2.1]"),
    ],
)
def test_anything_else_is_no_literal(text: str) -> None:
    assert not is_address_literal(text)


@pytest.mark.parametrize(
    "text",
    [
        *("192.0.2.1", "192.0.2.0/24", "0.0.0.0/0", "2001:db8::1", "2001:db8::/64"),
        *("::ffff:192.0.2.1", "::ffff:192.0.2.0/120"),
    ],
)
def test_a_network_may_be_a_single_address(text: str) -> None:
    assert is_network(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "garbage", "localhost", "192.0.2.1.", "192.0.2", "192.0.2.0/33", "[2001:db8::1]"),
        *("192.0.2.1/24", "2001:db8::1/64", "2001:db8::/129"),
    ],
)
def test_a_network_has_no_bits_of_a_host(text: str) -> None:
    assert not is_network(text)
