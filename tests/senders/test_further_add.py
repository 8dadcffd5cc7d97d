"""R-SENDERS: a further sender is added under the very rules of the default one."""

import pytest
from flask.testing import FlaskClient

from kartramail.accounts.history import list_changes
from kartramail.accounts.history_words import describe_change
from kartramail.db import Database
from kartramail.domains.service import list_domains
from kartramail.installation import Installation
from kartramail.senders import further
from kartramail.senders.further import load_senders
from kartramail.senders.service import load_gateway
from tests.senders.further import NEW, SENDERS, SUPPORT, TICK
from tests.senders.reading import message_of, text_of, value_of
from tests.support.cast import PASSWORD, Actor, post
from tests.support.dns_server import DnsServer
from tests.support.domains import authenticate
from tests.support.mailbox import templates_to


def addresses(db: Database, actor: Actor) -> list[str]:
    with db.reading() as session:
        return [sender.send_from for sender in load_senders(session, actor.account_id)]


def test_it_is_added_beside_the_default_one(alice: Actor, db: Database) -> None:
    answer = alice.post(NEW, SUPPORT | TICK)
    assert (answer.status_code, answer.location) == (303, SENDERS)
    assert addresses(db, alice) == ["alice@doeinc.com", "support@doeinc.com"]
    with db.reading() as session:
        assert load_gateway(session, alice.account_id).send_from == "alice@doeinc.com"


def test_it_says_what_is_true_now(alice: Actor, installation: Installation) -> None:
    """R-PROOF: a link went to the mailbox, and until then mail leaves from elsewhere."""
    alice.post(NEW, SUPPORT | TICK)
    words = text_of(alice.get(SENDERS))
    assert "Added. A link was sent to support@doeinc.com" in words
    assert "mail leaves from Doe support <doe-inc@kartra.com>" in words
    assert templates_to(installation, "support@doeinc.com") == ["prove_mailbox"]


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"send_from": "doe@gmail.com"}, "send_from", "gmail.com"),
        ({"send_from": "someone@kartra.com"}, "send_from", "kartra.com"),
        ({"reply_to": "support@other.com"}, "reply_to", "is on another domain"),
        ({"reply_to": ""}, "reply_to", "replies"),
        ({"sender_name": ""}, "sender_name", "Type the name"),
        ({"sender_name": "Doe <x@doeinc.com>"}, "sender_name", "address"),
    ],
)
def test_it_refuses_what_the_default_one_refuses(
    alice: Actor, db: Database, typed: dict[str, str], field: str, words: str
) -> None:
    page = alice.post(NEW, SUPPORT | TICK | typed)
    assert page.status_code == 422
    assert words in message_of(page, field)
    for name, value in (SUPPORT | typed).items():
        assert value_of(page, name) == value
    assert addresses(db, alice) == ["alice@doeinc.com"]


def test_it_refuses_a_reply_to_that_takes_no_mail(
    alice: Actor, db: Database, dns: DnsServer
) -> None:
    """R-REPLY"""
    dns.add("nomail.test", "MX", "0 .")
    typed = {"send_from": "a@nomail.test", "reply_to": "a@nomail.test"}
    page = alice.post(NEW, SUPPORT | TICK | typed)
    assert page.status_code == 422
    assert "accepts none" in message_of(page, "reply_to")


def test_it_asks_for_the_tick(alice: Actor, db: Database) -> None:
    """R-LOWDELIV"""
    page = alice.post(NEW, SUPPORT)
    assert page.status_code == 422
    assert "Tick this to use an address on doeinc.com" in page.text
    assert addresses(db, alice) == ["alice@doeinc.com"]


def test_it_asks_for_none_where_the_domain_is_authenticated(
    alice: Actor, installation: Installation, dns: DnsServer
) -> None:
    authenticate(installation, dns, alice.account_id)
    assert alice.post(NEW, SUPPORT).status_code == 303
    assert "Doe support <support@doeinc.com> can be used" in text_of(alice.get(SENDERS))
    assert templates_to(installation, "support@doeinc.com") == []


def test_an_address_that_was_accepted_is_not_asked_about_again(alice: Actor) -> None:
    alice.post(NEW, SUPPORT | TICK)
    assert alice.post(NEW, SUPPORT | {"sender_name": "Doe help"}).status_code == 303


def test_a_doubt_is_asked_about_once(alice: Actor, dns: DnsServer) -> None:
    """R-BUSINESS, with the word on this page's button."""
    dns.add("gmail.con", "MX", "10 mail.doeinc.com")
    doubtful = {"send_from": "doe@gmail.con", "reply_to": "doe@gmail.con"}
    page = alice.post(NEW, SUPPORT | TICK | doubtful)
    assert page.status_code == 422
    assert "press Add sender once more" in message_of(page, "send_from")
    kept = {f"kept_{name}": value for name, value in doubtful.items()}
    assert alice.post(NEW, SUPPORT | TICK | doubtful | kept).status_code == 303


def test_a_second_press_adds_no_second_one(alice: Actor, db: Database) -> None:
    for _ in range(2):
        assert alice.post(NEW, SUPPORT | TICK).status_code == 303
    assert addresses(db, alice).count("support@doeinc.com") == 1
    assert "Nothing was left to save" in text_of(alice.get(SENDERS))


def test_its_domain_is_among_the_domains(alice: Actor, db: Database, dns: DnsServer) -> None:
    """R-DOMAIN: a second brand needs its own authentication."""
    other = {"send_from": "hi@yourcompany.com", "reply_to": "hi@yourcompany.com"}
    alice.post(NEW, SUPPORT | TICK | other)
    with db.reading() as session:
        names = {domain.domain for domain in list_domains(session, alice.account_id)}
    assert names == {"doeinc.com", "yourcompany.com"}


def test_it_is_in_the_history(alice: Actor, db: Database) -> None:
    alice.post(NEW, SUPPORT | TICK)
    with db.reading() as session:
        changes = list_changes(session, alice.account_id)
    (added,) = [change for change in changes if change.what == "sender.added"]
    assert added.who == "Alice Doe"
    assert describe_change(added) == "Added the sender Doe support (support@doeinc.com)"


def test_there_is_an_end(alice: Actor, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(further, "MOST_SENDERS", 2)
    assert alice.post(NEW, SUPPORT | TICK).status_code == 303
    page = alice.post(NEW, SUPPORT | TICK | {"sender_name": "One more"})
    assert page.status_code == 422
    assert "the most it can have" in text_of(page)
    assert value_of(page, "sender_name") == "One more"
    assert len(addresses(db, alice)) == 2


def test_a_suggestion_without_javascript_saves_nothing(alice: Actor, db: Database) -> None:
    typed = SUPPORT | {"reply_to": "support@other.com", "use_reply_to": "support@doeinc.com"}
    page = alice.post(NEW, typed)
    assert page.status_code == 200
    assert value_of(page, "reply_to") == "support@doeinc.com"
    assert addresses(db, alice) == ["alice@doeinc.com"]


def test_what_was_typed_outlives_a_lost_session(client: FlaskClient, alice: Actor) -> None:
    page = post(client, NEW, SUPPORT | TICK)
    assert page.status_code == 401
    resume = page.text.partition('name="resume"')[2].partition('value="')[2].partition('"')[0]
    login = {"email": alice.email, "password": PASSWORD, "resume": resume}
    answer = post(client, "/login", login)
    assert answer.location.startswith(f"{NEW}?resume=")
    page = client.get(answer.location)
    assert value_of(page, "send_from") == "support@doeinc.com"
    assert "Not saved yet: press Add sender" in text_of(page)
