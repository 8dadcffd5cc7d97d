"""Who signs what leaves, judged by a verifier that asks a real DNS server (R-DKIM, R-PROOF)."""

from email import message_from_bytes, policy
from email.message import EmailMessage

import dkim
import dns.message
import dns.query
import pytest

from kartramail.db import Database
from kartramail.domains.checks import check_domain
from kartramail.domains.keys import load_keys, newest_of
from kartramail.domains.models import DomainState
from kartramail.domains.platform import ensure_platform_domain
from kartramail.domains.rows import find_row
from kartramail.domains.service import remove_domain
from kartramail.installation import Installation
from kartramail.outbox.models import MessageState
from kartramail.rules.dkim import build_key_record
from tests.support.cast import Actor
from tests.support.dns_server import DnsServer
from tests.support.domains import authenticate, row_of
from tests.support.engine import running_engine, wait_until
from tests.support.outbox import add_messages, messages
from tests.support.smtp_server import Received, SinkServer


@pytest.fixture(autouse=True)
def platform_records(installation: Installation, dns: DnsServer) -> None:
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
        dns.add(host, "TXT", build_key_record(key.public))


def deliver_one(installation: Installation, account_id: int) -> Received:
    """Send one message of the account to a real SMTP server; returns what it received."""
    db = installation.db
    with db.transaction() as session:
        add_messages(session, account_id, 1)
    with SinkServer() as sink, running_engine(db, installation.settings, sink.port):
        wait_until(lambda: {each.state for each in messages(db)} == {MessageState.SENT})
    (received,) = [each for each in sink.messages if "r0@example.net" in each.rcpt_to]
    return received


def verify(data: bytes, server: DnsServer) -> bool:
    """Whether dkimpy finds the one signature good, with the key that DNS holds."""

    def txt(name: bytes, timeout: int = 5) -> bytes:
        query = dns.message.make_query(name.decode(), "TXT")
        reply = dns.query.tcp(query, server.host, port=server.port, timeout=timeout)
        return b"".join(part for rrset in reply.answer for rdata in rrset for part in rdata.strings)

    return bool(dkim.verify(data, dnsfunc=txt))


def read(received: Received) -> EmailMessage:
    mail = message_from_bytes(received.data, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def signed_by(received: Received) -> str:
    tags = dict(
        part.strip().split("=", 1) for part in str(read(received)["DKIM-Signature"]).split(";")
    )
    return tags["d"].strip()


def test_an_authenticated_domain_signs_its_own_mail(
    installation: Installation, alice: Actor, dns: DnsServer
) -> None:
    authenticate(installation, dns, alice.account_id)
    received = deliver_one(installation, alice.account_id)
    assert read(received)["From"].addresses[0].addr_spec == "alice@doeinc.com"
    assert signed_by(received) == "doeinc.com"
    assert received.mail_from.endswith("@km.doeinc.com")
    assert len(read(received).get_all("DKIM-Signature", [])) == 1
    assert verify(received.data, dns)


def test_the_platform_signs_what_no_domain_does(
    installation: Installation, alice: Actor, dns: DnsServer
) -> None:
    received = deliver_one(installation, alice.account_id)
    assert read(received)["From"].addresses[0].addr_spec == "alice@doeinc.com"
    assert signed_by(received) == "kartra.com"
    assert received.mail_from.endswith("@bounces.kartra.com")
    assert verify(received.data, dns)


def test_a_removed_domain_falls_back_at_once(
    installation: Installation, alice: Actor, dns: DnsServer, db: Database
) -> None:
    """R-CLAIM: a removed domain's mail falls back at once."""
    authenticate(installation, dns, alice.account_id)
    with db.transaction() as session:
        remove_domain(session, alice.account_id, "doeinc.com", user_id=alice.user_id)
    assert signed_by(deliver_one(installation, alice.account_id)) == "kartra.com"


@pytest.mark.parametrize("wanted", ["quarantine", "reject"])
def test_a_from_that_could_only_be_lost_is_never_sent(
    installation: Installation, alice: Actor, dns: DnsServer, db: Database, wanted: str
) -> None:
    """R-LOWDELIV: a proven mailbox whose domain asks receivers to refuse what is not signed."""
    authenticate(installation, dns, alice.account_id)
    with db.transaction() as session:
        row = row_of(session, alice.account_id)
        row.state, row.dmarc_policy = DomainState.LOST, wanted
    received = deliver_one(installation, alice.account_id)
    assert read(received)["From"].addresses[0].addr_spec == "doe-inc@kartra.com"
    assert read(received)["Reply-To"] == "alice@doeinc.com"
    assert signed_by(received) == "kartra.com"
    assert verify(received.data, dns)


def test_while_one_selector_is_gone_the_other_signs(
    installation: Installation, alice: Actor, dns: DnsServer
) -> None:
    """No signature that cannot be verified at any moment."""
    domain_id = authenticate(installation, dns, alice.account_id)
    dns.remove("km1._domainkey.doeinc.com", "TXT")
    check_domain(installation, domain_id)
    received = deliver_one(installation, alice.account_id)
    assert signed_by(received) == "doeinc.com"
    assert "s=km2" in str(read(received)["DKIM-Signature"])
    assert verify(received.data, dns)


def test_one_byte_more_is_no_longer_signed(
    installation: Installation, alice: Actor, dns: DnsServer
) -> None:
    authenticate(installation, dns, alice.account_id)
    received = deliver_one(installation, alice.account_id)
    data = received.data.replace(b"Subject: Hello", b"Subject: Hallo")
    assert data != received.data
    assert not verify(data, dns)
