"""The practice DNS on the wire: what stands in every made-up domain, and whoever asks what."""

import random
import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import dns.exception
import dns.flags
import dns.message
import dns.query
import pytest

from kartramail.rules.dns_answers import RecordType
from kartramail.sandbox.practice_answers import BROKEN, GONE, NO_MAIL, SILENT
from kartramail.sandbox.practice_records import PracticeRecord, made_up_domain
from tests.sandbox.practice import ask, code, practice_dns, values

LONG = "x" * 1500
PUBLISHED = [
    PracticeRecord("long.doeinc.test", RecordType.TXT, LONG),
    PracticeRecord("in.doeinc.test", RecordType.CNAME, "mail.doeinc.test"),
    PracticeRecord("across.doeinc.test", RecordType.CNAME, "mail.other.test"),
    PracticeRecord("out.doeinc.test", RecordType.CNAME, "bounces.kartra.com"),
    PracticeRecord("nowhere.doeinc.test", RecordType.CNAME, "no.other.test"),
    PracticeRecord("round.doeinc.test", RecordType.CNAME, "round.doeinc.test"),
    PracticeRecord("*.wild.doeinc.test", RecordType.TXT, "everywhere"),
]


def published(name: str) -> list[PracticeRecord]:
    return [each for each in PUBLISHED if made_up_domain(each.host) == made_up_domain(name)]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with practice_dns(published) as chosen:
        yield chosen


@pytest.mark.parametrize("over", ["udp", "tcp"])
@pytest.mark.parametrize(
    ("name", "record_type", "there"),
    [
        ("doeinc.test", "MX", ["10 mail.doeinc.test."]),
        ("a-domain-nobody-made.test", "MX", ["10 mail.a-domain-nobody-made.test."]),
        ("xn--bcher-kva.test", "MX", ["10 mail.xn--bcher-kva.test."]),
        ("mail.doeinc.test", "A", ["192.0.2.25"]),
        ("DoeInc.TEST", "NS", ["ns1.practice.test.", "ns2.practice.test."]),
        ("ns1.practice.test", "A", ["127.0.0.1"]),
        ("ns2.practice.test", "A", ["127.0.0.2"]),
        ("test", "NS", ["ns1.practice.test.", "ns2.practice.test."]),
    ],
)
def test_every_made_up_domain_exists(
    port: int, over: str, name: str, record_type: str, there: list[str]
) -> None:
    """R-REPLY: replies can arrive there, without anybody doing anything."""
    reply = ask(port, name, record_type, over=over)
    assert (code(reply), values(reply)) == ("NOERROR", there)
    assert all(rrset.ttl <= 5 for rrset in reply.answer)


def test_its_soa_names_the_zone(port: int) -> None:
    reply = ask(port, "doeinc.test", "SOA")
    assert reply.answer[0].name.to_text() == "doeinc.test."
    below = ask(port, "mail.doeinc.test", "SOA")
    assert not below.answer
    assert below.authority[0].name.to_text() == "doeinc.test."


@pytest.mark.parametrize(
    ("name", "record_type", "answer"),
    [
        ("doeinc.test", "TXT", "NOERROR"),
        ("nobody.doeinc.test", "A", "NXDOMAIN"),
        ("_dmarc.test", "TXT", "NXDOMAIN"),  # where the tree walk of RFC 9989 looks as well
        ("-.test", "A", "NXDOMAIN"),
        ("wild.doeinc.test", "TXT", "NOERROR"),
        ("test", "TXT", "NOERROR"),
        (GONE, "MX", "NXDOMAIN"),
        (f"mail.{GONE}", "A", "NXDOMAIN"),
    ],
)
def test_a_no_is_complete_and_forgotten_soon(
    port: int, name: str, record_type: str, answer: str
) -> None:
    """RFC 2308 §3: a SOA beside it says for how long it holds."""
    reply = ask(port, name, record_type)
    assert (code(reply), values(reply)) == (answer, [])
    (soa,) = reply.authority
    assert soa.ttl <= 5
    assert soa[0].minimum <= 5


def test_some_domains_go_wrong_on_purpose(port: int) -> None:
    assert values(ask(port, NO_MAIL, "MX")) == ["0 ."]
    assert code(ask(port, BROKEN, "MX")) == "SERVFAIL"
    assert code(ask(port, f"km.{BROKEN}", "CNAME")) == "SERVFAIL"
    query = dns.message.make_query(SILENT, "MX")
    for send in (dns.query.udp, dns.query.tcp):
        with pytest.raises(dns.exception.Timeout):
            send(query, "127.0.0.1", timeout=0.2, port=port)


@pytest.mark.parametrize("name", ["example.com", "kartra.com", ".", "test.com", "nottest", "com"])
def test_it_answers_for_nothing_else(port: int, name: str) -> None:
    for recursion in (True, False):
        reply = ask(port, name, "A", recursion=recursion)
        assert code(reply) == "REFUSED"
        assert not (reply.answer or reply.authority or reply.flags & dns.flags.AA)


def test_it_is_a_resolver_to_one_and_the_zones_own_server_to_the_other(port: int) -> None:
    resolver = ask(port, "doeinc.test", "MX").flags
    own = ask(port, "doeinc.test", "MX", server="127.0.0.2", recursion=False).flags
    assert resolver & dns.flags.RA
    assert not resolver & dns.flags.AA
    assert own & dns.flags.AA
    assert not own & dns.flags.RA


@pytest.mark.parametrize(
    ("name", "recursion", "answer", "there"),
    [
        ("in", True, "NOERROR", ["192.0.2.25", "mail.doeinc.test."]),
        ("in", False, "NOERROR", ["192.0.2.25", "mail.doeinc.test."]),
        ("across", True, "NOERROR", ["192.0.2.25", "mail.other.test."]),
        ("across", False, "NOERROR", ["mail.other.test."]),
        ("out", True, "NOERROR", ["bounces.kartra.com."]),
        ("nowhere", True, "NXDOMAIN", ["no.other.test."]),
    ],
)
def test_aliases_are_followed_within_test(
    port: int, name: str, recursion: bool, answer: str, there: list[str]
) -> None:
    reply = ask(port, f"{name}.doeinc.test", "A", recursion=recursion)
    assert (code(reply), values(reply)) == (answer, there)


def test_an_alias_of_itself_ends(port: int) -> None:
    assert code(ask(port, "round.doeinc.test", "A")) == "NOERROR"


def test_what_does_not_fit_comes_by_tcp(port: int) -> None:
    cut = ask(port, "long.doeinc.test", "TXT")
    assert cut.flags & dns.flags.TC
    assert not cut.answer
    assert values(ask(port, "long.doeinc.test", "TXT", over="tcp")) == [LONG]


def test_without_edns_it_says_no_more_than_512_octets(port: int) -> None:
    reply = dns.query.udp(dns.message.make_query("doeinc.test", "MX"), "127.0.0.1", 10, port)
    assert reply.edns == -1
    assert len(reply.to_wire()) <= 512


@pytest.mark.parametrize(
    "label", [b"a.b", b"caf\xc3\xa9", b"\x00\x01", b'"; DROP TABLE record', b"a" * 63, b"%_"]
)
def test_hostile_names_are_names_like_others(port: int, label: bytes) -> None:
    name = dns.name.Name((label, b"wild", b"doeinc", b"test", b""))
    assert values(ask(port, name, "TXT")) == ["everywhere"]
    assert code(ask(port, dns.name.Name((label, b"doeinc", b"test", b"")), "TXT")) == "NXDOMAIN"
    assert code(ask(port, dns.name.Name((label, b"test", b"")), "AAAA")) in ("NXDOMAIN", "NOERROR")


HEADER = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0)
POINTERS = b"".join(struct.pack("!H", 0xC000 | at) for at in range(12, 4000, 2))
MALFORMED = [
    b"",
    b"\x00",
    HEADER,
    HEADER + b"\xff" * 40,
    HEADER + b"\xc0\x0c\x00\x01\x00\x01",
    HEADER + b"\x3f" + b"a" * 10,
    HEADER + (b"\x7f" + b"a" * 127) * 3 + b"\x00\x00\x01\x00\x01",
    HEADER + (b"\x3f" + b"a" * 63) * 5 + b"\x00\x00\x01\x00\x01",
    HEADER + b"\x01\xff\x04test\x00\x00\x01\x00\x01",
    struct.pack("!6H", 7, 0x0100, 65535, 65535, 65535, 65535) + b"\x00" * 4000,
    struct.pack("!6H", 7, 0x0100, 1, 0, 0, 65535) + b"\x00\x00\x01\x00\x01" + b"\x00" * 4000,
    struct.pack("!6H", 7, 0x0100, 2, 0, 0, 0) + b"\x04test\x00\x00\x01\x00\x01" * 2,
    struct.pack("!6H", 7, 0x8100, 1, 0, 0, 0) + b"\x04test\x00\x00\x01\x00\x01",
    struct.pack("!6H", 7, 0x2900, 1, 0, 0, 0) + b"\x04test\x00\x00\x06\x00\x01",
    HEADER + POINTERS + b"\x00\x01\x00\x01",
    HEADER + b"\x04test\x00\x00\x01\x00\x01" + b"\x00" * 60_000,
]


def test_malformed_packets_harm_nobody(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        for wire in MALFORMED:
            client.sendto(wire, ("127.0.0.1", port))
            if len(wire) >= 12 and not wire[2] & 0x80:
                reply = client.recv(65535)
                assert reply[:2] == wire[:2]
                assert reply[3] & 0xF in (1, 4, 5), wire  # FORMERR, NOTIMP, REFUSED
    for wire in MALFORMED:
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            client.sendall(struct.pack("!H", len(wire)) + wire)
    assert values(ask(port, "mail.doeinc.test", "A")) == ["192.0.2.25"]


def test_damaged_queries_harm_nobody(port: int) -> None:
    chance = random.Random(1)
    true = dns.message.make_query("km1._domainkey.doeinc.test", "TXT", use_edns=0).to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for _ in range(2_000):
            wire = bytearray(true)
            for _ in range(chance.randint(1, 5)):
                wire[chance.randrange(len(wire))] = chance.randrange(256)
            client.sendto(wire[: chance.choice((None, chance.randrange(len(wire))))],
                          ("127.0.0.1", port))  # fmt: skip
    assert values(ask(port, "mail.doeinc.test", "A", over="tcp")) == ["192.0.2.25"]


def test_many_ask_at_a_time(port: int) -> None:
    def question(number: int) -> bool:
        over = "tcp" if number % 3 == 0 else "udp"
        reply = ask(port, f"n{number}.test", "MX", over=over)
        return values(reply) == [f"10 mail.n{number}.test."]

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(question, range(300)))


def test_idle_clients_keep_nobody_out(port: int) -> None:
    idle = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(150)]
    try:
        idle[0].sendall(b"\x00")  # half a length, and then nothing
        assert values(ask(port, "mail.doeinc.test", "A", over="tcp")) == ["192.0.2.25"]
    finally:
        for each in idle:
            each.close()


def test_several_questions_go_over_one_connection(port: int) -> None:
    """RFC 7766 §6.2.1."""
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        for name in ("one.test", "two.test", "example.com", "three.test"):
            dns.query.send_tcp(client, dns.message.make_query(name, "MX"))
        replies = [dns.query.receive_tcp(client)[0] for _ in range(4)]
    assert [code(each) for each in replies] == ["NOERROR", "NOERROR", "REFUSED", "NOERROR"]


def test_a_zone_that_cannot_be_read_is_no_answer_and_no_end() -> None:
    is_broken = threading.Event()
    is_broken.set()

    def failing(name: str) -> list[PracticeRecord]:
        if is_broken.is_set():
            raise OSError("the disk is gone")
        return published(name)

    with practice_dns(failing) as port:
        assert code(ask(port, "doeinc.test", "MX")) == "SERVFAIL"
        is_broken.clear()
        assert code(ask(port, "doeinc.test", "MX")) == "NOERROR"
