"""A practice DNS in this process, the records of a domain as its page has them, and questions."""

import asyncio
import base64
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.query
import dns.rcode

from kartramail.rules.dns_answers import RecordType
from kartramail.rules.dns_records import Purpose, WantedRecord
from kartramail.sandbox.practice_answers import Published
from kartramail.sandbox.practice_dns import PracticeDns

DOMAIN = "doeinc.test"
TXT, CNAME = RecordType.TXT, RecordType.CNAME


def public_key(number: int) -> str:
    """As long as the base64 of an RSA-2048 SubjectPublicKeyInfo."""
    return base64.b64encode(bytes((number * 7 + at * 31) % 256 for at in range(294))).decode()


KM1, KM2 = (
    WantedRecord(
        f"km{number}",
        Purpose.DKIM,
        TXT,
        f"km{number}._domainkey.{DOMAIN}",
        DOMAIN,
        f"v=DKIM1; k=rsa; p={public_key(number)}",
    )
    for number in (1, 2)
)
KM1_ALIAS, KM2_ALIAS = (
    WantedRecord(
        f"km{number}",
        Purpose.DKIM,
        CNAME,
        f"km{number}._domainkey.{DOMAIN}",
        DOMAIN,
        f"km{number}.abc.dkim.kartra.com",
    )
    for number in (1, 2)
)
KM = WantedRecord("km", Purpose.RETURN_PATH, CNAME, f"km.{DOMAIN}", DOMAIN, "bounces.kartra.com")
DMARC = WantedRecord("_dmarc", Purpose.DMARC, TXT, f"_dmarc.{DOMAIN}", DOMAIN, "v=DMARC1; p=none")
ALL = (KM1, KM2, KM, DMARC)


@contextmanager
def practice_dns(published: Published) -> Iterator[int]:
    """A running practice DNS; its port."""
    port: Future[int] = Future()
    loop = asyncio.new_event_loop()
    server = PracticeDns(published)

    async def start() -> None:
        for attempt in range(20):
            try:
                port.set_result(await server.start(0))
                return
            except OSError:  # the port that was free by UDP was not by TCP
                if attempt == 19:
                    raise

    def run() -> None:
        loop.run_until_complete(start())
        loop.run_forever()
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield port.result(10)
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


def ask(
    port: int,
    name: str,
    record_type: str,
    *,
    server: str = "127.0.0.1",
    recursion: bool = True,
    over: str = "udp",
) -> dns.message.Message:
    """The reply to one question; truncated ones are not asked again."""
    query = dns.message.make_query(name, record_type, use_edns=0, payload=1232)
    if not recursion:
        query.flags &= ~dns.flags.RD
    send = dns.query.udp if over == "udp" else dns.query.tcp
    return send(query, server, timeout=10, port=port)


def values(reply: dns.message.Message) -> list[str]:
    """The answer's records, TXT strings joined and everything else as in a zone file."""
    return sorted(
        b"".join(rdata.strings).decode() if hasattr(rdata, "strings") else rdata.to_text()
        for rrset in reply.answer
        for rdata in rrset
    )


def code(reply: dns.message.Message) -> str:
    """NOERROR, NXDOMAIN …"""
    return dns.rcode.to_text(reply.rcode())
