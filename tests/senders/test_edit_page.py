"""R-EDIT and R-SAVE through the page, without JavaScript; nothing that was typed is ever lost."""

from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from lxml import html
from werkzeug.test import TestResponse

from kartramail.accounts.history import list_changes
from kartramail.db import Database
from kartramail.senders.service import load_gateway
from tests.senders.reading import CARD, CHECK, EDIT, message_of, text_of, value_of
from tests.support.cast import PASSWORD, Actor
from tests.support.dns_server import DnsServer

TYPED = {
    "sender_name": "Alice of Doe Inc",
    "send_from": "alice@doeinc.com",
    "reply_to": "support@doeinc.com",
}


def test_it_shows_what_was_filled_in_at_sign_up(alice: Actor) -> None:
    page = alice.get(EDIT)
    assert page.status_code == 200
    assert value_of(page, "sender_name") == "Doe Inc."
    assert value_of(page, "send_from") == value_of(page, "reply_to") == "alice@doeinc.com"
    assert value_of(page, "version") == "1"


def test_the_button_that_saves_is_called_edit_and_stands_in_the_header(alice: Actor) -> None:
    tree = html.fromstring(alice.get(EDIT).get_data(as_text=True))
    (button,) = tree.xpath("//*[contains(@class, 'page-actions')]//button[@form='sender-form']")
    assert button.text_content().strip() == "Edit"
    assert "saves" in tree.xpath("string(//*[contains(@class, 'page-actions')])")


def test_it_saves_and_says_what_is_now_true(alice: Actor, db: Database) -> None:
    answer = alice.post(EDIT, TYPED | {"version": "1"})
    assert (answer.status_code, answer.location) == (303, CARD)
    assert "Your sender is Alice of Doe Inc <alice@doeinc.com>" in text_of(alice.get(CARD))
    with db.reading() as session:
        gateway = load_gateway(session, alice.account_id)
        (change,) = list_changes(session, alice.account_id)[:1]
    assert (gateway.name, gateway.reply_to) == ("Alice of Doe Inc", "support@doeinc.com")
    assert change.what == "gateway.saved"


def test_it_says_what_mail_leaves_from_until_the_link_is_followed(alice: Actor) -> None:
    """R-PROOF: a wanted sender that is not used yet is not called the sender."""
    hello = {
        "accept_low_delivery": "y",
        "send_from": "hello@doeinc.com",
        "reply_to": "help@doeinc.com",
    }
    alice.post(EDIT, TYPED | hello)
    words = text_of(alice.get(CARD))
    assert "Saved. A link was sent to hello@doeinc.com" in words
    assert (
        "mail leaves from Alice of Doe Inc <doe-inc@kartra.com>, and replies go to help@doeinc.com"
        in words
    )
    assert "Your sender is" not in words
    alice.post(EDIT, TYPED | hello | {"sender_name": "Anew"})
    words = text_of(alice.get(CARD))
    assert "hello@doeinc.com is not proven" in words
    assert "mail leaves from Anew <doe-inc@kartra.com>" in words


def test_the_second_of_two_presses_is_no_conflict(alice: Actor, db: Database) -> None:
    """Without JavaScript nothing holds it back, and both carry the version that was read."""
    for _ in range(2):
        assert alice.post(EDIT, TYPED | {"version": "1"}).status_code == 303
    assert "Your sender is Alice of Doe Inc <alice@doeinc.com>" in text_of(alice.get(CARD))
    with db.reading() as session:
        assert load_gateway(session, alice.account_id).version == 2


def test_a_member_may_save_as_well(alice: Actor, bob: Actor, db: Database) -> None:
    assert bob.post(EDIT, TYPED).status_code == 303
    with db.reading() as session:
        assert load_gateway(session, alice.account_id).name == "Alice of Doe Inc"


def test_a_form_without_version_is_saved_unchecked(alice: Actor) -> None:
    alice.post(EDIT, TYPED | {"version": "1"})
    assert alice.post(EDIT, TYPED | {"sender_name": "Anew"}).status_code == 303


@pytest.mark.parametrize(
    ("typed", "field", "words"),
    [
        ({"send_from": "alice@gmail.com"}, "send_from", "gmail.com"),
        ({"reply_to": "support@other.com"}, "reply_to", "support@other.com is on another domain"),
        ({"sender_name": ""}, "sender_name", "Type the name"),
        ({"sender_name": "Mallory\nBcc: x@y.z"}, "sender_name", "line break"),
        ({"send_from": "someone@kartra.com"}, "send_from", "kartra.com"),
        ({"reply_to": ""}, "reply_to", "replies"),
    ],
)
def test_it_refuses_what_breaks_a_rule_and_keeps_what_was_typed(
    alice: Actor, db: Database, typed: dict[str, str], field: str, words: str
) -> None:
    page = alice.post(EDIT, TYPED | typed | {"version": "1"})
    assert page.status_code == 422
    assert words in message_of(page, field)
    assert "Nothing is saved yet" in text_of(page)
    for name, value in (TYPED | typed).items():
        assert value_of(page, name).replace("\n", "") == value.replace("\n", "")
    with db.reading() as session:
        assert load_gateway(session, alice.account_id).version == 1


def preview_of(page: TestResponse) -> tuple[str, str, str]:
    """Name, address and what Reply does, as the row in the inbox shows them."""
    tree = html.fromstring(page.get_data(as_text=True))
    name, address, reply = (
        tree.xpath(f"string(//*[@data-preview='{part}'])") for part in ("name", "address", "reply")
    )
    return name, address, reply


def test_the_preview_shows_what_was_typed_when_it_comes_back(alice: Actor, bob: Actor) -> None:
    """R-PREVIEW: refused, suggested or in conflict, it stands for the form below."""
    typed = TYPED | {
        "accept_low_delivery": "y",
        "send_from": "hi@doeinc.com",
        "reply_to": "hi@other.com",
    }
    shown = ("Alice of Doe Inc", "hi@doeinc.com", "Reply goes to hi@other.com")
    assert preview_of(alice.post(EDIT, typed)) == shown
    empty = preview_of(alice.post(EDIT, typed | {"sender_name": " ", "reply_to": ""}))
    assert empty == ("…", "hi@doeinc.com", "There is no address to reply to")
    suggested = alice.post(EDIT, typed | {"use_reply_to": "hi@doeinc.com"})
    assert preview_of(suggested)[2] == "Reply goes to hi@doeinc.com"
    bob.post(EDIT, TYPED | {"version": "1"})
    late = alice.post(EDIT, TYPED | {"sender_name": "Late", "version": "1"})
    assert late.status_code == 409
    assert preview_of(late)[0] == "Late"


def test_the_preview_of_what_is_saved_is_the_sender_that_is_used(alice: Actor) -> None:
    hello = {
        "accept_low_delivery": "y",
        "send_from": "hello@doeinc.com",
        "reply_to": "hello@doeinc.com",
    }
    alice.post(EDIT, TYPED | hello)
    assert preview_of(alice.get(EDIT))[1] == "doe-inc@kartra.com"
    refused = alice.post(EDIT, TYPED | hello | {"sender_name": ""})
    assert preview_of(refused)[:2] == ("…", "doe-inc@kartra.com")


def test_a_different_domain_is_refused_in_words_that_name_both(alice: Actor) -> None:
    """R-SAME-DOMAIN, with the reply-to on the right domain offered."""
    page = alice.post(EDIT, TYPED | {"reply_to": "support@other.com"})
    message = message_of(page, "reply_to")
    assert "support@other.com" in message
    assert "alice@doeinc.com" in message
    tree = html.fromstring(page.get_data(as_text=True))
    (button,) = tree.xpath("//button[@name='use_reply_to']")
    assert button.get("value") == "support@doeinc.com"


def test_a_suggestion_without_javascript_fills_the_field_and_saves_nothing(
    alice: Actor, db: Database
) -> None:
    typed = TYPED | {"reply_to": "support@other.com", "use_reply_to": "support@doeinc.com"}
    page = alice.post(EDIT, typed | {"version": "1"})
    assert page.status_code == 200
    assert value_of(page, "reply_to") == "support@doeinc.com"
    assert value_of(page, "sender_name") == "Alice of Doe Inc"
    with db.reading() as session:
        assert load_gateway(session, alice.account_id).version == 1


def test_it_refuses_a_reply_to_that_cannot_receive(alice: Actor, dns: DnsServer) -> None:
    """R-REPLY: a null MX is a certain no."""
    dns.add("nomail.test", "MX", "0 .")
    typed = {
        "accept_low_delivery": "y",
        "send_from": "hello@nomail.test",
        "reply_to": "hello@nomail.test",
    }
    page = alice.post(EDIT, TYPED | typed)
    assert page.status_code == 422
    assert "accepts none" in message_of(page, "reply_to")


def test_could_not_check_warns_and_saves(alice: Actor, dns: DnsServer) -> None:
    """R-REPLY: no answer is neither yes nor no."""
    dns.servfail("broken.test")
    typed = {
        "accept_low_delivery": "y",
        "send_from": "hello@broken.test",
        "reply_to": "hello@broken.test",
    }
    assert alice.post(EDIT, TYPED | typed).status_code == 303
    assert "could not be checked" in text_of(alice.get(CARD))


def test_a_domain_in_its_own_script_is_shown_as_it_was_typed(alice: Actor, dns: DnsServer) -> None:
    dns.add("xn--mnchen-3ya.test", "MX", "10 mail.doeinc.com")
    typed = {
        "accept_low_delivery": "y",
        "send_from": "zoe@münchen.test",
        "reply_to": "zoe@münchen.test",
    }
    assert alice.post(EDIT, TYPED | typed).status_code == 303
    page = alice.get(EDIT)
    assert value_of(page, "send_from") == value_of(page, "reply_to") == "zoe@münchen.test"


def test_the_later_of_two_tabs_is_told_and_keeps_what_it_typed(alice: Actor, bob: Actor) -> None:
    bob.post(EDIT, TYPED | {"sender_name": "Bob was first", "version": "1"})
    page = alice.post(EDIT, TYPED | {"sender_name": "Alice typed this", "version": "1"})
    assert page.status_code == 409
    words = text_of(page)
    assert "Bob Roe saved these details" in words
    assert "Bob was first" in words
    assert value_of(page, "sender_name") == "Alice typed this"
    again = alice.post(
        EDIT, TYPED | {"sender_name": "Alice typed this", "version": value_of(page, "version")}
    )
    assert again.status_code == 303
    assert value_of(alice.get(EDIT), "sender_name") == "Alice typed this"


def test_a_lost_token_keeps_what_was_typed_and_saves_at_the_second_press(
    alice: Actor, db: Database
) -> None:
    page = alice.client.post(EDIT, data=TYPED | {"csrf_token": "of-another-session"})
    assert page.status_code == 422
    assert "press Edit once more" in text_of(page)
    assert value_of(page, "sender_name") == "Alice of Doe Inc"
    with db.reading() as session:
        assert load_gateway(session, alice.account_id).version == 1
    fresh = value_of(page, "csrf_token")
    assert alice.client.post(EDIT, data=TYPED | {"csrf_token": fresh}).status_code == 303


def test_a_lost_session_brings_what_was_typed_back_after_signing_in(
    alice: Actor, client: FlaskClient, db: Database, cheap_hashing: None
) -> None:
    page = client.post(EDIT, data=TYPED | {"version": "1", "csrf_token": "of-the-old-session"})
    assert page.status_code == 401
    tree = html.fromstring(page.get_data(as_text=True))
    (form,) = tree.xpath("//form[.//input[@name='password']]")
    typed = {field.get("name"): field.get("value", "") for field in form.xpath(".//input")}
    answer = client.post(
        form.get("action") or "/login",
        data=typed | {"email": alice.email, "password": PASSWORD},
    )
    assert answer.status_code in (302, 303)
    assert urlsplit(answer.location).path == EDIT
    assert "resume" in parse_qs(urlsplit(answer.location).query)
    resumed = client.get(answer.location)
    assert "Not saved yet: press Edit" in text_of(resumed)
    for name, value in TYPED.items():
        assert value_of(resumed, name) == value
    assert value_of(resumed, "version") == "1"
    with db.reading() as session:
        assert load_gateway(session, alice.account_id).version == 1


def test_another_site_can_neither_plant_values_nor_end_a_session(client: FlaskClient) -> None:
    page = client.post(EDIT, data=TYPED, headers={"Sec-Fetch-Site": "cross-site"})
    assert (page.status_code, page.location) == (303, EDIT)
    assert "Set-Cookie" not in page.headers


HOSTILE = [
    "a\r\nBcc: eve@example.net",
    "a\x0bBcc: eve@example.net",
    "a\x0cb",
    "a\x1cb",
    "a\x85b",
    "a\u2028b",
    "a\x00b",
    "a\u202eb",
    "<script>alert(1)</script>@doeinc.com",
    "{{ 7 * 7 }}@doeinc.com",
    '"a b"@doeinc.com',
    "alice@doeinc.com, eve@example.net",
    "alice@[192.0.2.1]",
    "@" * 500,
    "x" * 100_000 + "@doeinc.com",
]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: ascii(value[:24]))
@pytest.mark.parametrize("field", ["send_from", "reply_to"])
def test_a_hostile_address_is_refused_and_shown_as_text(
    alice: Actor, db: Database, field: str, value: str
) -> None:
    page = alice.post(EDIT, TYPED | {field: value})
    assert page.status_code == 422
    assert "<script>alert" not in page.get_data(as_text=True)
    with db.reading() as session:
        assert load_gateway(session, alice.account_id).version == 1


@pytest.mark.parametrize("value", HOSTILE[:8], ids=ascii)
def test_a_hostile_name_is_refused(alice: Actor, db: Database, value: str) -> None:
    """R-NAME."""
    assert alice.post(EDIT, TYPED | {"sender_name": value}).status_code == 422
    with db.reading() as session:
        assert load_gateway(session, alice.account_id).version == 1


def test_a_name_of_any_script_is_saved_and_escaped(alice: Actor) -> None:
    name = "Zoës Bäckerei <b>株式会社</b>"
    assert alice.post(EDIT, TYPED | {"sender_name": name}).status_code == 303
    page = alice.get(CARD)
    assert "<b>株式会社" not in page.get_data(as_text=True)
    assert name in text_of(page)


def test_the_help_below_a_field_is_the_same_on_page_and_keystroke(alice: Actor) -> None:
    page = alice.get(EDIT)
    for name, value in TYPED.items():
        fragment = alice.post(
            f"{CHECK}/{name}",
            {name: value, "accept_low_delivery": "y", "send_from": "a@doeinc.com"},
        )
        assert text_of(fragment) == message_of(page, name)
