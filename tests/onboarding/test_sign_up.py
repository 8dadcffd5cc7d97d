"""Sign-up (R-SIGNUP, R-PREFILL): what it keeps, what it refuses, what it mails."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlmodel import func, select

from kartramail.accounts.models import Account, ApiKey, SignIn, User
from kartramail.installation import Installation
from kartramail.senders.service import load_gateway
from tests.support.cast import post
from tests.support.dns_server import DnsServer
from tests.support.mailbox import mails_to, newest_link, templates_to

FIELDS = {
    "business_name": "Doe Inc.",
    "full_name": "Jane Doe",
    "email": "jane@doeinc.com",
    "password": "a sentence that Jane remembers",
}


def sign_up(client: FlaskClient, **changes: str) -> Any:
    return post(client, "/signup", FIELDS | changes)


def users(installation: Installation) -> list[User]:
    with installation.db.reading() as session:
        return list(session.exec(select(User)))


def the_account(installation: Installation) -> Account:
    with installation.db.reading() as session:
        return session.exec(select(Account)).one()


def test_it_keeps_the_sign_up_and_sends_to_check_your_mail(
    client: FlaskClient, installation: Installation
) -> None:
    answer = sign_up(client)
    assert (answer.status_code, answer.location) == (303, "/signup/sent")
    (user,) = users(installation)
    assert (user.email, user.full_name, user.confirmed_at) == ("jane@doeinc.com", "Jane Doe", None)
    assert the_account(installation).confirmed_at is None
    assert FIELDS["password"] not in user.password_hash
    assert user.password_hash.startswith("$argon2id$")


def test_it_signs_nobody_in(client: FlaskClient, installation: Installation) -> None:
    sign_up(client)
    assert client.get("/settings/account").status_code == 302
    with installation.db.reading() as session:
        assert session.exec(select(func.count()).select_from(SignIn)).one() == 0
        assert session.exec(select(func.count()).select_from(ApiKey)).one() == 0


def test_it_mails_one_link_only_to_that_address(
    client: FlaskClient, installation: Installation
) -> None:
    sign_up(client)
    (mail,) = mails_to(installation, "jane@doeinc.com")
    assert mail.template == "confirm_signup"
    assert newest_link(installation, "jane@doeinc.com").startswith("/confirm/")


def test_a_business_address_becomes_send_from_and_reply_to(
    client: FlaskClient, installation: Installation
) -> None:
    sign_up(client)
    with installation.db.reading() as session:
        gateway = load_gateway(session, the_account(installation).id)
    assert (gateway.name, gateway.send_from, gateway.reply_to) == (
        "Doe Inc.",
        "jane@doeinc.com",
        "jane@doeinc.com",
    )


def test_a_free_address_gets_a_placeholder_and_no_reply_to(
    client: FlaskClient, installation: Installation
) -> None:
    sign_up(client, email="jane@gmail.com")
    with installation.db.reading() as session:
        gateway = load_gateway(session, the_account(installation).id)
    assert gateway.send_from == "doe-inc@kartra.com"
    assert gateway.reply_to is None


def test_a_later_sign_up_replaces_an_unconfirmed_one_and_voids_its_link(
    client: FlaskClient, installation: Installation
) -> None:
    sign_up(client)
    old_link = newest_link(installation, "jane@doeinc.com")
    sign_up(client, business_name="Doe & Daughters", email="Jane@DOEINC.com")
    (user,) = users(installation)
    assert user.email_key == "jane@doeinc.com"
    assert the_account(installation).business_name == "Doe & Daughters"
    assert client.get(old_link).status_code == 410
    assert client.get(newest_link(installation, "Jane@doeinc.com")).status_code == 200


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("business_name", "", "Type your business name"),
        ("business_name", "x" * 201, "there is room for 200"),
        ("business_name", "Doe\x0bInc", "invisible character"),
        ("business_name", "Doe\u2028Inc", "invisible character"),
        ("business_name", "Doe\x85Inc", "invisible character"),
        ("business_name", "Doe\r\nBcc: x@y.com", "invisible character"),
        ("business_name", "Doe\x00Inc", "invisible character"),
        ("business_name", "Doe\u202eInc", "invisible character"),
        ("business_name", "Buy at https://spam.example", "web address"),
        ("business_name", "You won: claim at evil.com/win", "web address"),
        ("full_name", "Jane, evil.com/win", "web address"),
        ("full_name", "  ", "Type your name"),
        ("full_name", "Jane\x1c", "invisible character"),
        ("full_name", "y" * 10_000, "there is room for 200"),
        ("email", "", ""),
        ("email", "jane", ""),
        ("email", "jane@doeinc.com\x00", ""),
        ("email", "jane\r\nBcc: x@doeinc.com", ""),
        ("email", "j" * 10_000 + "@doeinc.com", ""),
        ("email", "jane@mailinator.com", "thrown away"),
        ("email", "jane@kartra.com", "handed out by the platform"),
        ("email", "jane@nowhere.doeinc.com", "no such domain exists"),
        ("password", "", "at least 10 characters"),
        ("password", "too short", "at least 10 characters"),
        ("password", "p" * 201, "room for 200"),
        ("password", "jane@doeinc.com", "your address"),
        ("password", "aaaaaaaaaaaa", "repeats"),
    ],
)
def test_it_refuses_with_a_sentence_and_keeps_what_was_typed(
    client: FlaskClient, installation: Installation, field: str, value: str, words: str
) -> None:
    """R-WORDS: what happened, why, what to do; nothing typed is lost but the password."""
    answer = sign_up(client, **{field: value})
    assert answer.status_code == 422
    assert words in answer.text
    assert "Doe" in answer.text
    assert FIELDS["password"] not in answer.text
    assert users(installation) == []


def test_a_form_without_its_fields_is_refused(client: FlaskClient) -> None:
    for path in ("/signup", "/login", "/forgot"):
        assert post(client, path).status_code == 422


def test_template_syntax_and_html_are_only_text(
    client: FlaskClient, installation: Installation
) -> None:
    name = "{{ 7*7 }} <b>Doe</b> {% raw %}"
    sign_up(client, business_name=name)
    page = client.get(newest_link(installation, "jane@doeinc.com")).text
    assert "{{ 7*7 }} &lt;b&gt;Doe&lt;/b&gt;" in page
    assert "49" not in page.split("Business")[1].split("Address")[0]


def test_a_domain_that_wants_no_mail_is_refused(
    client: FlaskClient, installation: Installation, dns: DnsServer
) -> None:
    """RFC 7505: the null MX is a certain no."""
    dns.add("nomail.test", "MX", "0 .")
    answer = sign_up(client, email="jane@nomail.test")
    assert answer.status_code == 422
    assert "accepts none" in answer.text
    assert users(installation) == []


def test_a_domain_that_cannot_be_checked_is_let_pass(
    client: FlaskClient, installation: Installation, dns: DnsServer
) -> None:
    dns.fail("doeinc.com", "SERVFAIL")
    assert sign_up(client).status_code == 303
    assert templates_to(installation, "jane@doeinc.com") == ["confirm_signup"]


def test_an_address_that_looks_mistyped_is_asked_about_once(
    client: FlaskClient, installation: Installation, dns: DnsServer
) -> None:
    dns.add("outloook.com", "MX", "10 mail.doeinc.com")
    first = sign_up(client, email="jane@outloook.com")
    assert first.status_code == 422
    assert "Use jane@outlook.com" in first.text
    assert users(installation) == []
    assert (
        sign_up(client, email="jane@outloook.com", kept_email="jane@outloook.com").status_code
        == 303
    )


def test_taking_the_suggestion_without_javascript_saves_nothing(
    client: FlaskClient, installation: Installation
) -> None:
    answer = sign_up(client, email="jane@gmial.com", use_email="jane@gmail.com")
    assert answer.status_code == 200
    assert 'value="jane@gmail.com"' in answer.text
    assert users(installation) == []


def test_without_a_csrf_token_nothing_is_saved_and_nothing_typed_is_lost(
    client: FlaskClient, installation: Installation
) -> None:
    answer = client.post("/signup", data=FIELDS)
    assert answer.status_code == 422
    assert "had lain open too long" in answer.text
    assert 'value="jane@doeinc.com"' in answer.text
    assert users(installation) == []
