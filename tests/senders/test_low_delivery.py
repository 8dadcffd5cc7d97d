"""The one tick for an address on a domain that is not authenticated (R-LOWDELIV)."""

import pytest
from lxml import html
from sqlmodel import update

from kartramail.db import Database
from kartramail.domains.models import DomainState, SendingDomain
from kartramail.domains.rounds import check_due_domains
from kartramail.domains.service import list_domains
from kartramail.installation import Installation
from kartramail.messages.resolution import resolve_sender
from kartramail.senders.service import load_gateway
from kartramail.senders.standing import gateway_standing
from tests.senders.reading import CHECK, EDIT
from tests.support.cast import Actor, make_account, sign_in
from tests.support.dns_server import DnsServer
from tests.support.domains import authenticate

HELLO = {
    "sender_name": "Doe Inc.",
    "send_from": "hello@doeinc.com",
    "reply_to": "hello@doeinc.com",
}
TICK = {"accept_low_delivery": "y"}
LEFT = {"HX-Request": "true", "X-Field-Moment": "left"}


def has_tick(text: str) -> bool:
    return bool(html.fromstring(text).xpath("//input[@name='accept_low_delivery']"))


def send_from(db: Database, actor: Actor) -> str:
    with db.reading() as session:
        return load_gateway(session, actor.account_id).send_from


def test_choosing_another_address_asks_for_it(alice: Actor, db: Database) -> None:
    page = alice.post(EDIT, HELLO)
    assert page.status_code == 422
    assert has_tick(page.text)
    assert "doeinc.com is not authenticated here yet" in page.text
    assert "Tick this to use an address on doeinc.com" in page.text
    assert 'value="hello@doeinc.com"' in page.text
    assert send_from(db, alice) == "alice@doeinc.com"


def test_with_it_the_address_is_saved(alice: Actor, db: Database) -> None:
    assert alice.post(EDIT, HELLO | TICK).status_code == 303
    assert send_from(db, alice) == "hello@doeinc.com"


def test_it_is_not_asked_again_for_the_same_address(alice: Actor) -> None:
    alice.post(EDIT, HELLO | TICK)
    assert not has_tick(alice.get(EDIT).text)
    assert alice.post(EDIT, HELLO | {"sender_name": "Another"}).status_code == 303


def test_the_address_from_sign_up_works_without(alice: Actor, db: Database) -> None:
    assert not has_tick(alice.get(EDIT).text)
    alice.post(EDIT, HELLO | TICK)
    own = {"sender_name": "Alice", "send_from": alice.email, "reply_to": alice.email}
    assert alice.post(EDIT, own).status_code == 303
    assert send_from(db, alice) == alice.email


def test_an_authenticated_domain_needs_none(
    alice: Actor, installation: Installation, dns: DnsServer, db: Database
) -> None:
    authenticate(installation, dns, alice.account_id)
    assert alice.post(EDIT, HELLO).status_code == 303
    assert send_from(db, alice) == "hello@doeinc.com"


def test_a_temporary_address_needs_none(installation: Installation, alice: Actor) -> None:
    account_id, user_id = make_account(installation, email="zoe@gmail.com", business_name="Zoe")
    zoe = Actor(account_id, user_id, "zoe@gmail.com", "Zoe", alice.client.application.test_client())
    sign_in(zoe.client, user_id, account_id)
    own = {"sender_name": "Zoe", "send_from": "zoe@kartra.com", "reply_to": ""}
    assert zoe.post(EDIT, own).status_code == 303


def test_it_comes_when_the_field_is_left_and_goes_again(alice: Actor) -> None:
    left = alice.post(f"{CHECK}/send_from", HELLO, headers=LEFT).text
    assert 'id="low-delivery"' in left
    assert has_tick(left)
    own = HELLO | {"send_from": alice.email}
    left = alice.post(f"{CHECK}/send_from", own, headers=LEFT).text
    assert 'id="low-delivery"' in left
    assert not has_tick(left)


@pytest.mark.parametrize("policy", ["quarantine", "reject"])
def test_a_strict_policy_is_said_before_and_after(alice: Actor, db: Database, policy: str) -> None:
    with db.transaction() as session:
        session.connection().execute(update(SendingDomain).values(dmarc_policy=policy))
    page = alice.post(EDIT, HELLO).text
    assert "asks mail services to refuse mail that is not signed by it" in page
    card = alice.get("/settings/integrations").text
    assert f"DMARC policy is “{policy}”" in card
    assert "doe-inc@kartra.com" in card


def test_the_warning_stays_on_the_card_until_authentication(
    alice: Actor, installation: Installation, dns: DnsServer
) -> None:
    assert "Fewer of your messages arrive" in alice.get("/settings/integrations").text
    authenticate(installation, dns, alice.account_id)
    card = alice.get("/settings/integrations").text
    assert "Fewer of your messages arrive" not in card
    assert "signs your mail" in card


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (DomainState.LOST, "No longer authenticated"),
        (DomainState.CLAIMED, "Proved by another account"),
        (DomainState.PENDING, "Not authenticated yet"),
    ],
)
def test_the_card_says_what_became_of_the_domain(
    alice: Actor, db: Database, state: DomainState, words: str
) -> None:
    with db.transaction() as session:
        session.connection().execute(update(SendingDomain).values(state=state))
    assert words in alice.get("/settings/integrations").text


def test_the_domain_of_a_saved_address_is_added_by_itself(
    alice: Actor, db: Database, installation: Installation, dns: DnsServer
) -> None:
    """R-DOMAIN; not one that an authenticated domain speaks for."""
    other = {"send_from": "a@yourcompany.com", "reply_to": "a@yourcompany.com"}
    assert alice.post(EDIT, HELLO | other | TICK).status_code == 303
    authenticate(installation, dns, alice.account_id)
    dns.add("news.doeinc.com", "MX", "10 mail.doeinc.com")
    news = {"send_from": "a@news.doeinc.com", "reply_to": "a@news.doeinc.com"}
    assert alice.post(EDIT, HELLO | news).status_code == 303
    with db.reading() as session:
        names = [row.domain for row in list_domains(session, alice.account_id)]
    assert names == ["yourcompany.com", "doeinc.com"]


def test_a_name_below_is_noted_for_its_own_dmarc_record(
    alice: Actor, db: Database, installation: Installation, dns: DnsServer
) -> None:
    """It is not among the domains that are shown: there is nothing to do about it."""
    authenticate(installation, dns, alice.account_id)
    dns.add("news.doeinc.com", "MX", "10 mail.doeinc.com")
    dns.add("_dmarc.news.doeinc.com", "TXT", "v=DMARC1; p=reject; adkim=s")
    news = {"send_from": "a@news.doeinc.com", "reply_to": "a@news.doeinc.com"}
    assert alice.post(EDIT, HELLO | news).status_code == 303
    check_due_domains(installation)
    with db.reading() as session:
        standing = gateway_standing(session, alice.account_id, "kartra.com")
    assert not standing.domain.is_authenticated
    assert resolve_sender(standing).send_from == "doe-inc@kartra.com"


def test_what_waits_is_counted_on_the_form(alice: Actor, db: Database) -> None:
    """R-IMPACT."""
    from tests.support.outbox import add_messages

    assert "wait to be sent" not in alice.get(EDIT).text
    with db.transaction() as session:
        add_messages(session, alice.account_id, 14)
    assert "14 messages wait to be sent" in alice.get(EDIT).text
