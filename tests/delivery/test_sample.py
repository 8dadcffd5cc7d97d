"""The sample says of itself what receivers will find in it (R-SAMPLE)."""

from email import message_from_bytes, policy
from email.message import EmailMessage

from kartramail.installation import Installation
from kartramail.messages.service import send_sample
from kartramail.outbox.models import MessageState
from tests.support.cast import Actor, make_account
from tests.support.dns_server import DnsServer
from tests.support.domains import authenticate
from tests.support.engine import running_engine, wait_until
from tests.support.outbox import messages
from tests.support.smtp_server import SinkServer


def sample(installation: Installation, account_id: int) -> tuple[EmailMessage, dict[str, str]]:
    """Deliver a sample of the account; returns it and what it says of itself, by term."""
    db = installation.db
    with db.transaction() as session:
        send_sample(session, installation, account_id, to="pat@example.net", full_name="Pat")
    with SinkServer() as sink, running_engine(db, installation.settings, sink.port):
        wait_until(lambda: {each.state for each in messages(db)} == {MessageState.SENT})
    (received,) = [each for each in sink.messages if "pat@example.net" in each.rcpt_to]
    mail = message_from_bytes(received.data, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    body = mail.get_body(("plain",))
    assert body is not None
    lines = [line.partition(":") for line in body.get_content().splitlines() if ":  " in line]
    said = {term: words.strip() for term, _, words in lines}
    said["whole"] = body.get_content()
    said["mail_from"] = received.mail_from
    return mail, said


def test_of_an_authenticated_domain_dmarc_passes(
    installation: Installation, alice: Actor, dns: DnsServer
) -> None:
    authenticate(installation, dns, alice.account_id)
    mail, said = sample(installation, alice.account_id)
    assert said["From"] == "Doe Inc. <alice@doeinc.com>"
    assert said["Reply-To"] == "alice@doeinc.com"
    assert said["Signed by"] == "doeinc.com"
    assert said["DKIM"] == "pass and aligned"
    assert said["SPF"] == "unknown and aligned"  # SENDING_IPS is not set
    assert said["DMARC"] == "pass"
    assert "d=doeinc.com" in mail["DKIM-Signature"].replace(" ", "")
    assert said["mail_from"] in said["whole"]


def test_of_a_proven_mailbox_nothing_aligns(
    installation: Installation, alice: Actor, dns: DnsServer
) -> None:
    _, said = sample(installation, alice.account_id)
    assert said["Signed by"] == "kartra.com"
    assert said["DKIM"] == "pass, not aligned"
    assert said["DMARC"] == "fail"
    assert "Authenticate the domain to change that" in said["whole"]


def test_of_a_temporary_address_the_platform_stands_for_it(
    installation: Installation, dns: DnsServer
) -> None:
    account_id, _ = make_account(installation, email="zoe@gmail.com", business_name="Zoe")
    _, said = sample(installation, account_id)
    assert said["From"] == "Zoe <zoe@kartra.com>"
    assert said["Signed by"] == "kartra.com"
    assert said["DKIM"] == "pass and aligned"
    assert said["DMARC"] == "pass"
    assert "nobody" in said["Reply-To"]
