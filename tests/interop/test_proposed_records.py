"""What we ask people to publish is right in the eyes of others (R-RECORDS, R-DMARC).

The records proposed for fifty domains are served by a real DNS server on loopback and judged by
`opendkim-testkey`, which also compares the key in DNS with the private one, and by checkdmarc.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import checkdmarc.dmarc
import checkdmarc.spf
import dns.nameserver
import idna
import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from kartramail.adapters.keys import KeyPair, generate_key_pair
from kartramail.config import DkimRecords, Settings
from kartramail.domains.keys import SELECTORS
from kartramail.domains.models import DomainKey, SendingDomain
from kartramail.domains.records import key_host, wanted_records
from kartramail.rules.dkim import build_key_record
from kartramail.rules.dns_records import Purpose
from kartramail.rules.spf import build_spf_record
from tests.interop.tools import TESTKEY, find_program, need_tool
from tests.support.dns_server import DnsServer

BOUNCE_HOST = "bounces.kartra.example"

PLAIN = """
doeinc.example a.example 3m.example 0.example x-y.example 123.example news.doeinc.example
a.b.c.d.e.f.example doeinc.co.uk doe-inc.com.au doeinc.test example.org example.net brand.museum
brand.travel b.photography
"""
LONG = [f"{'l' * 63}.example", f"{'a-' * 31}z.{'b' * 63}.example", f"{'x' * 63}.co.uk"]
LONG += [".".join(["m" * 63] * 3 + ["n" * 38, "example"]), ".".join(["n"] * 100 + ["example"])]
IN_SCRIPTS = """
bücher.example straße.example naïve-café.example żółć.example árvíztűrő.example πράσινο.example
пример.example приклад.укр пример.рф օրինակ.example მაგალითი.example דוגמה.example مثال.example
مثال.مصر उदाहरण.example उदाहरण.भारत উদাহরণ.example ਉਦਾਹਰਣ.example உதாரணம்.example ఉదాహరణ.example
ตัวอย่าง.example ឧទាហរណ៍.example ምሳሌ.example 例え.example 例え.テスト 例子.中国 例子.example
예제.example üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü.example
"""
A_LABELS = [idna.encode(name, uts46=True).decode() for name in IN_SCRIPTS.split()]
DOMAINS = [*PLAIN.split(), *LONG, *A_LABELS]


@dataclass(frozen=True, slots=True)
class Zone:
    """A DNS server with all that is proposed, and the key pairs by domain and selector."""

    server: DnsServer
    pairs: dict[tuple[str, str], KeyPair]


@pytest.fixture(scope="module")
def pairs() -> dict[tuple[str, str], KeyPair]:
    """Seven pairs for all: no domain has the same one twice, nor its neighbour's."""
    supply = cycle([generate_key_pair() for _ in range(7)])
    return {(domain, selector): next(supply) for domain in DOMAINS for selector in SELECTORS}


@pytest.fixture(scope="module", params=list(DkimRecords))
def zone(request: pytest.FixtureRequest, pairs: dict[tuple[str, str], KeyPair]) -> Iterator[Zone]:
    settings = Settings(
        _env_file=None,
        bounce_host=BOUNCE_HOST,
        dkim_zone="dkim.kartra.example",
        dkim_records=request.param,
    )
    with DnsServer() as server:
        server.add(BOUNCE_HOST, "TXT", build_spf_record(["192.0.2.1", "2001:db8::/64"]))
        for number, domain in enumerate(DOMAINS, start=1):
            _publish(
                server,
                SendingDomain(id=number, account_id=1, domain=domain, zone=domain),
                pairs,
                settings,
            )
        yield Zone(server, pairs)


def _publish(
    server: DnsServer,
    domain: SendingDomain,
    pairs: dict[tuple[str, str], KeyPair],
    settings: Settings,
) -> None:
    """All that is proposed for `domain`, and what the operator's zone has for it."""
    keys = [
        DomainKey(
            domain_id=domain.id,
            selector=selector,
            public=pairs[domain.domain, selector].public,
            private_sealed="",
        )
        for selector in SELECTORS
    ]
    records = wanted_records(domain, keys, settings)
    assert [record.purpose for record in records] == [
        *(Purpose.DKIM, Purpose.DKIM),
        *(Purpose.RETURN_PATH, Purpose.DMARC),
    ]
    for record in records:
        server.add(record.host, record.type, record.value)
    if settings.dkim_records is DkimRecords.CNAME:
        for key in keys:
            host = key_host(domain.id, key.selector, settings)
            server.add(host, "TXT", build_key_record(key.public))


def test_they_are_fifty_domains_long_and_in_many_scripts() -> None:
    assert len(set(DOMAINS)) == len(DOMAINS) == 50
    assert max(map(len, DOMAINS)) == 238  # with a selector before it, all that a name can hold


@pytest.fixture
def settings_file(zone: Zone, tmp_path: Path) -> Path:
    """Settings of opendkim-testkey whose resolver asks our server and nobody else."""
    need_tool(TESTKEY)
    (tmp_path / "unbound.conf").write_text(
        "server:\n"
        "  do-not-query-localhost: no\n"
        '  module-config: "iterator"\n'
        '  local-zone: "test." nodefault\n'
        "forward-zone:\n"
        '  name: "."\n'
        f"  forward-addr: {zone.server.host}@{zone.server.port}\n"
    )
    settings = tmp_path / "testkey.conf"
    settings.write_text(f"ResolverConfiguration {tmp_path / 'unbound.conf'}\n")
    return settings


def _testkey(settings: Path, domain: str, selector: str, pair: KeyPair) -> tuple[int, str]:
    """What opendkim-testkey says of the key in DNS beside this private one: code and words."""
    private = settings.with_name("private.pem")
    private.touch(mode=0o600)  # it complains of a file that others can read
    key = load_der_private_key(pair.private, None, unsafe_skip_rsa_key_validation=True)
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    command = [str(find_program(TESTKEY)), "-x", str(settings), "-d", domain, "-s", selector]
    answer = subprocess.run(
        [*command, "-k", str(private), "-vvv"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return answer.returncode, answer.stdout + answer.stderr


def test_opendkim_testkey_finds_every_key_in_order(zone: Zone, settings_file: Path) -> None:
    assert len(zone.pairs) == 100
    for (domain, selector), pair in zone.pairs.items():
        code, words = _testkey(settings_file, domain, selector, pair)
        assert code == 0, (domain, words)
        assert "key OK" in words, (domain, words)


def test_opendkim_testkey_would_find_a_wrong_one(zone: Zone, settings_file: Path) -> None:
    other = zone.pairs[DOMAINS[0], SELECTORS[1]]
    code, words = _testkey(settings_file, DOMAINS[0], SELECTORS[0], other)
    assert code != 0
    assert "do not match" in words


def test_checkdmarc_takes_the_policy_and_the_return_path_for_valid(zone: Zone) -> None:
    servers = [dns.nameserver.Do53Nameserver(zone.server.host, port=zone.server.port)]
    for domain in DOMAINS:
        dmarc = checkdmarc.dmarc.check_dmarc(domain, nameservers=servers)
        assert dmarc["valid"], (domain, dmarc)
        assert dmarc["location"] == domain
        spf = checkdmarc.spf.check_spf(f"km.{domain}", nameservers=servers)
        assert spf["valid"], (domain, spf)
        assert spf["warnings"] == []
