"""R-DOMAIN: the account's domains, and adding one."""

import pytest

from kartramail.db import Database
from kartramail.installation import Installation
from tests.senders.reading import text_of
from tests.support.cast import Actor, csrf_token
from tests.support.dns_server import DnsServer
from tests.support.domains import add, authenticate, forget_domains, show

PAGE = "/settings/domains"
CHECK = "/settings/domains/check/domain"


def test_without_a_domain_it_says_what_will_be_asked(alice: Actor, db: Database) -> None:
    forget_domains(db)
    words = text_of(alice.get(PAGE))
    assert "three records" in words
    assert "delivered all the same" in words
    assert "Add domain" in words


def test_adding_one_leads_to_its_checklist(alice: Actor, installation: Installation) -> None:
    assert alice.post(PAGE, {"domain": "doeinc.test"}).location == f"{PAGE}/doeinc.test"
    rows = show(installation, alice.account_id, "doeinc.test").rows
    assert [row.wanted.key for row in rows] == ["km1", "km2", "km", "_dmarc"]


def test_one_that_is_there_leads_to_its_page_and_keeps_its_keys(
    alice: Actor, installation: Installation
) -> None:
    alice.post(PAGE, {"domain": "doeinc.test"})
    before = show(installation, alice.account_id, "doeinc.test").rows
    assert alice.post(PAGE, {"domain": "DOEINC.test."}).location == f"{PAGE}/doeinc.test"
    assert show(installation, alice.account_id, "doeinc.test").rows == before
    assert "doeinc.test is here already" in text_of(alice.get(f"{PAGE}/doeinc.test"))


def test_it_lists_state_what_is_missing_and_the_next_step(
    alice: Actor, dns: DnsServer, installation: Installation
) -> None:
    authenticate(installation, dns, alice.account_id, "doeinc.test")
    add(installation, alice.account_id, "shop.test", 1)
    words = text_of(alice.get(PAGE))
    assert "doeinc.test Authenticated Nothing to do" in words
    assert "3 of 3 records missing. Add the first signature key." in words


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        ("https://www.doeinc.test/shop?x=1", "doeinc.test"),
        ("jane@doeinc.test", "doeinc.test"),
        ("  DoeInc.test. ", "doeinc.test"),
        ("m\u00fcller.test", "xn--mller-kva.test"),
    ],
)
def test_what_stands_around_the_domain_is_left_away(alice: Actor, typed: str, domain: str) -> None:
    assert alice.post(PAGE, {"domain": typed}).location == f"{PAGE}/{domain}"


@pytest.mark.parametrize("typed", ["gmail.com", "co.uk", "kartra.com", "doeinc", "", "127.0.0.1"])
def test_what_cannot_be_proven_is_refused_and_kept(alice: Actor, typed: str) -> None:
    answer = alice.post(PAGE, {"domain": typed})
    assert answer.status_code == 422
    assert f'value="{typed}"' in answer.text
    assert "Nothing is saved yet" in answer.text


def test_a_suggestion_is_taken_without_javascript(alice: Actor) -> None:
    answer = alice.post(PAGE, {"domain": "doeinc", "use_domain": "doeinc.com"})
    assert answer.status_code == 200
    assert 'value="doeinc.com"' in answer.text


def test_a_form_that_lay_open_over_night_keeps_what_was_typed(alice: Actor) -> None:
    answer = alice.client.post(PAGE, data={"domain": "doeinc.test", "csrf_token": "old"})
    assert answer.status_code == 422
    assert 'value="doeinc.test"' in answer.text


def test_it_judges_as_one_types_gently_at_first(alice: Actor) -> None:
    """R-LIVE."""
    data = {"domain": "gmai", "csrf_token": csrf_token(alice.client)}
    typing = alice.client.post(CHECK, data=data, headers={"X-Field-Moment": "typing"})
    assert 'data-status="error"' not in typing.text
    left = alice.client.post(CHECK, data=data, headers={"X-Field-Moment": "left"})
    assert 'data-status="error"' in left.text
    assert "What stands after the @" in alice.client.post(CHECK, data={"domain": ""}).text


def test_a_stranger_is_not_answered_as_one_types(alice: Actor) -> None:
    alice.post("/logout")
    assert alice.client.post(CHECK, data={"domain": "doeinc.test"}).status_code == 401
