"""Who signs what leaves, judged by a verifier that asks a real DNS server (R-DKIM, R-PROOF)."""

import pytest

from kartramail.db import Database
from kartramail.domains.checks import check_domain
from kartramail.domains.models import DomainState
from kartramail.domains.service import remove_domain
from kartramail.installation import Installation
from kartramail.outbox.models import MessageState
from tests.support.cast import Actor
from tests.support.dns_server import DnsServer
from tests.support.domains import authenticate, row_of
from tests.support.engine import running_engine, wait_until
from tests.support.outbox import add_messages, messages
from tests.support.signatures import publish_platform_keys, read, signed_by, verify
from tests.support.smtp_server import Received, SinkServer


@pytest.fixture(autouse=True)
def platform_records(installation: Installation, dns: DnsServer) -> None:
    publish_platform_keys(installation, dns)


def deliver_one(installation: Installation, account_id: int) -> Received:
    """Send one message of the account to a real SMTP server; returns what it received."""
    db = installation.db
    with db.transaction() as session:
        add_messages(session, account_id, 1)
    with SinkServer() as sink, running_engine(db, installation.settings, sink.port):
        wait_until(lambda: {each.state for each in messages(db)} == {MessageState.SENT})
    (received,) = [each for each in sink.messages if "r0@example.net" in each.rcpt_to]
    return received


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
