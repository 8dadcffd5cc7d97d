"""Who signed what arrived, judged by a verifier that asks a real DNS server."""

from email import message_from_bytes, policy
from email.message import EmailMessage

import dkim
import dns.message
import dns.query

from kartramail.domains.keys import load_keys, newest_of
from kartramail.domains.platform import ensure_platform_domain
from kartramail.domains.rows import find_row
from kartramail.installation import Installation
from kartramail.rules.dkim import build_key_record
from tests.support.dns_server import DnsServer
from tests.support.smtp_server import Received


def publish_platform_keys(installation: Installation, server: DnsServer) -> None:
    """The platform's own keys stand in DNS."""
    settings = installation.settings
    ensure_platform_domain(installation.db, settings)
    with installation.db.reading() as session:
        row = find_row(session, None, settings.platform_domain)
        assert row is not None
        keys = load_keys(session, row.id)
    for selector in ("km1", "km2"):
        key = newest_of(keys, selector)
        assert key is not None
        host = f"{selector}._domainkey.{settings.platform_domain}"
        server.add(host, "TXT", build_key_record(key.public))


def verify(data: bytes, server: DnsServer) -> bool:
    """Whether dkimpy finds the one signature good, with the key that DNS holds."""

    def txt(name: bytes, timeout: int = 5) -> bytes:
        query = dns.message.make_query(name.decode(), "TXT")
        reply = dns.query.tcp(query, server.host, port=server.port, timeout=timeout)
        return b"".join(part for rrset in reply.answer for rdata in rrset for part in rdata.strings)

    return bool(dkim.verify(data, dnsfunc=txt))


def read(received: Received) -> EmailMessage:
    """The message as a mail program reads it."""
    mail = message_from_bytes(received.data, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def signed_by(received: Received) -> str:
    """The d= of the signature."""
    tags = dict(
        part.strip().split("=", 1) for part in str(read(received)["DKIM-Signature"]).split(";")
    )
    return tags["d"].strip()
