"""A domain with its records on a real DNS server, for tests that make one mistake at a time."""

import base64
from dataclasses import replace
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kartramail.adapters.authoritative import Authoritative
from kartramail.adapters.resolver import Resolver
from kartramail.domains.look import DomainLook, look_at_records
from kartramail.rules.dkim import build_key_record
from kartramail.rules.dns_answers import RecordType
from kartramail.rules.dns_records import Finding, Purpose, WantedRecord
from tests.support.dns_server import DnsServer

DOMAIN = "doeinc.com"
BOUNCES = "bounces.kartra.test"
DMARC = "v=DMARC1; p=none"


@lru_cache
def public_key(name: str) -> str:
    """The base64 of an RSA-2048 key; the same for the same name."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    octets = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(octets).decode()


def key_record(name: str) -> str:
    return build_key_record(public_key(name))


class Practice:
    """`domain` on `dns`, with the records that are wanted, put right or put wrong."""

    def __init__(self, dns: DnsServer, domain: str = DOMAIN, *, is_cname: bool = False) -> None:
        self.dns = dns
        self.domain = domain
        self.resolver = Resolver([dns.address], timeout=2)
        self.authoritative: Authoritative | None = None
        self.wanted = {each.key: each for each in _wanted(domain, is_cname)}
        dns.add(BOUNCES, "TXT", "v=spf1 ip4:192.0.2.1 -all")
        dns.add(BOUNCES, "MX", f"10 {BOUNCES}")
        dns.add(BOUNCES, "A", "192.0.2.7")
        if is_cname:
            for key in ("km1", "km2"):
                dns.add(self.wanted[key].value, "TXT", key_record(key))

    def put_right(self, *but: str) -> None:
        """Add every wanted record, but those with the keys `but`."""
        for wanted in self.wanted.values():
            if wanted.key not in but:
                self.add(wanted.host, wanted.type, wanted.value)

    def add(self, host: str, record_type: str, *data: str | bytes, ttl: int = 300) -> None:
        self.dns.add(host, record_type, *data, ttl=ttl)

    def also(self, key: str, *values: str) -> None:
        """Let older values of a record count."""
        self.wanted[key] = replace(self.wanted[key], also=values)

    def host(self, key: str) -> str:
        return self.wanted[key].host

    def look(self, *, is_thorough: bool = True) -> DomainLook:
        return look_at_records(
            self.resolver,
            self.authoritative,
            self.domain,
            tuple(self.wanted.values()),
            is_thorough=is_thorough,
        )

    def finding(self, key: str, *, is_thorough: bool = True) -> Finding:
        return self.look(is_thorough=is_thorough).findings[key]


def _wanted(domain: str, is_cname: bool) -> list[WantedRecord]:
    zone = ".".join(domain.split(".")[-2:])

    def record(key: str, purpose: Purpose, kind: RecordType, value: str) -> WantedRecord:
        below = "._domainkey" if purpose is Purpose.DKIM else ""
        return WantedRecord(key, purpose, kind, f"{key}{below}.{domain}", zone, value)

    dkim = RecordType.CNAME if is_cname else RecordType.TXT
    return [
        record("km1", Purpose.DKIM, dkim, _selector("km1", is_cname)),
        record("km2", Purpose.DKIM, dkim, _selector("km2", is_cname)),
        record("km", Purpose.RETURN_PATH, RecordType.CNAME, BOUNCES),
        record("_dmarc", Purpose.DMARC, RecordType.TXT, DMARC),
    ]


def _selector(key: str, is_cname: bool) -> str:
    return f"{key}.abc.dkim.kartra.test" if is_cname else key_record(key)
