"""The test's own DNS server, where tests of the resolver do not show it already."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import dns.rcode

from tests.support.dns_server import DnsServer

ROOT = Path(__file__).parents[2]


def ask(server: DnsServer, name: str, rdtype: str) -> dns.message.Message:
    return dns.query.udp(
        dns.message.make_query(name, rdtype), server.host, timeout=5, port=server.port
    )


def test_a_wildcard_does_not_reach_past_a_name_that_exists() -> None:
    """RFC 4592 §2.2.1."""
    with DnsServer() as server:
        server.add("*.doeinc.test", "A", "192.0.2.1")
        server.add("there.doeinc.test", "TXT", "x")
        assert ask(server, "a.b.doeinc.test", "A").answer
        assert not ask(server, "there.doeinc.test", "A").answer
        assert ask(server, "x.there.doeinc.test", "A").rcode() == dns.rcode.NXDOMAIN


def test_without_edns_it_truncates_at_512_octets() -> None:
    with DnsServer() as server:
        server.add("long.test", "TXT", "x" * 600)
        reply = ask(server, "long.test", "TXT")
        assert reply.flags & dns.flags.TC
        assert not reply.answer


def test_records_and_faults_can_be_taken_away() -> None:
    with DnsServer() as server:
        server.add("doeinc.test", "A", "192.0.2.1")
        server.add("doeinc.test", "MX", "10 doeinc.test")
        server.remove("DoeInc.test.", "A")
        assert not ask(server, "doeinc.test", "A").answer
        assert ask(server, "doeinc.test", "MX").answer
        server.reset()
        assert server.count() == 0
        assert ask(server, "doeinc.test", "MX").rcode() == dns.rcode.NXDOMAIN


def test_it_survives_what_is_no_query() -> None:
    with DnsServer() as server:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for octets in (b"", b"\x00" * 5, b"\x00" * 12, b"\xff" * 40):
                client.sendto(octets, (server.host, server.port))
        assert ask(server, "doeinc.test", "A").rcode() == dns.rcode.NXDOMAIN


def test_it_can_be_closed_twice_and_frees_its_port() -> None:
    server = DnsServer()
    server.close()
    server.close()
    with DnsServer(server.port) as again:
        assert again.address == server.address


def test_two_can_have_one_port_on_two_addresses() -> None:
    with DnsServer() as one, DnsServer(one.port, host="127.0.0.2") as other:
        other.add("doeinc.test", "A", "192.0.2.1")
        assert not ask(one, "doeinc.test", "A").answer
        assert ask(other, "doeinc.test", "A").answer


def test_it_runs_as_a_program_that_obeys_its_standard_input() -> None:
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.support.dns_server"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdin is not None
    assert program.stdout is not None
    host, port = program.stdout.readline().strip().split(":")
    program.stdin.write(json.dumps(["add", "doeinc.test", "A", "192.0.2.1"]) + "\n")
    program.stdin.flush()
    assert json.loads(program.stdout.readline()) is None
    query = dns.message.make_query("doeinc.test", "A")
    assert dns.query.udp(query, host, timeout=5, port=int(port)).answer
    said, _ = program.communicate(json.dumps(["count", "doeinc.test", "A"]) + "\n", timeout=10)
    assert json.loads(said) == 1
    assert program.returncode == 0
