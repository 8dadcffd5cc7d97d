"""R-LIVE: the message of one field while one types; the very rules of the save."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import Select

from kartramail.db import Database
from tests.senders.reading import CHECK, EDIT, message_of, text_of
from tests.support.cast import Actor, post
from tests.support.dns_server import DnsServer
from tests.support.statements import heard

TYPED = {
    "sender_name": "Doe Inc.",
    "send_from": "jane@doeinc.com",
    "reply_to": "support@doeinc.com",
}
TYPING = {"X-Field-Moment": "typing", "HX-Request": "true"}
LEFT = {"X-Field-Moment": "left", "HX-Request": "true"}


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("send_from", "jane@gmail.com", "gmail.com"),
        ("reply_to", "support@other.com", "another domain than jane@doeinc.com"),
        ("sender_name", "Jane <jane@doeinc.com>", "address inside the name"),
    ],
)
def test_the_keystroke_says_what_the_save_says(
    alice: Actor, field: str, typed: str, words: str
) -> None:
    data = TYPED | {field: typed}
    fragment = alice.post(f"{CHECK}/{field}", data, headers=LEFT)
    assert fragment.status_code == 200
    tree = html.fromstring(fragment.get_data(as_text=True))
    (own,) = [
        line for line in tree.xpath("//span[@class='message']") if words in line.text_content()
    ]
    assert own.get("data-status") == "error"
    saved = alice.post(EDIT, data)
    assert " ".join(own.text_content().split()) == message_of(saved, field)


def test_the_answer_holds_messages_and_never_the_input(alice: Actor) -> None:
    for field in TYPED:
        fragment = alice.post(f"{CHECK}/{field}", TYPED, headers=LEFT).get_data(as_text=True)
        assert not any(f'name="{name}"' in fragment for name in TYPED)
        assert "<html" not in fragment


def test_what_may_become_right_is_judged_gently_while_typing(alice: Actor) -> None:
    data = TYPED | {"send_from": "jane@doe"}
    typing = alice.post(f"{CHECK}/send_from", data, headers=TYPING).get_data(as_text=True)
    left = alice.post(f"{CHECK}/send_from", data, headers=LEFT).get_data(as_text=True)
    assert 'data-status="error"' not in typing.partition("reply_to-message")[0]
    assert 'data-status="error"' in left


def test_what_cannot_become_right_is_said_at_once(alice: Actor) -> None:
    data = TYPED | {"send_from": "jane@gmail.com"}
    fragment = alice.post(f"{CHECK}/send_from", data, headers=TYPING)
    assert 'data-status="error"' in fragment.get_data(as_text=True)


def test_a_new_send_from_judges_the_reply_to_again(alice: Actor) -> None:
    """R-LIVE: where a rule joins them. The other message comes along, out of band."""
    data = TYPED | {"send_from": "jane@other.com"}
    fragment = alice.post(f"{CHECK}/send_from", data, headers=LEFT).get_data(as_text=True)
    beside = fragment.partition('id="reply_to-message" hx-swap-oob')[2]
    assert "support@doeinc.com is on another domain" in beside


def test_a_reply_to_that_was_not_typed_yet_is_left_alone(alice: Actor) -> None:
    data = TYPED | {"reply_to": ""}
    fragment = alice.post(f"{CHECK}/send_from", data, headers=LEFT)
    assert "reply_to-message" not in fragment.get_data(as_text=True)


def test_the_keystroke_asks_no_dns(alice: Actor, dns: DnsServer) -> None:
    dns.servfail("slow.test")
    data = TYPED | {"send_from": "jane@slow.test", "reply_to": "jane@slow.test"}
    fragment = alice.post(f"{CHECK}/reply_to", data, headers=TYPING).get_data(as_text=True)
    assert 'data-status="error"' not in fragment
    assert f'hx-post="{CHECK}/reply_to/mail-server"' in fragment
    assert dns.count("slow.test") == 0


def test_the_look_up_arrives_by_itself(alice: Actor, dns: DnsServer) -> None:
    dns.add("nomail.test", "MX", "0 .")
    data = TYPED | {"send_from": "jane@nomail.test", "reply_to": "jane@nomail.test"}
    fragment = alice.post(f"{CHECK}/reply_to/mail-server", data, headers=LEFT)
    assert "accepts none" in text_of(fragment)
    assert "data-follow" not in fragment.get_data(as_text=True)


def test_a_look_up_that_goes_well_says_so(alice: Actor) -> None:
    fragment = alice.post(f"{CHECK}/reply_to/mail-server", TYPED, headers=LEFT)
    assert "Replies can arrive at doeinc.com" in text_of(fragment)
    assert 'data-status="ok"' in fragment.get_data(as_text=True)


def test_a_look_up_that_finds_nothing_out_warns(alice: Actor, dns: DnsServer) -> None:
    dns.servfail("broken.test")
    data = TYPED | {"send_from": "jane@broken.test", "reply_to": "jane@broken.test"}
    fragment = alice.post(f"{CHECK}/reply_to/mail-server", data, headers=LEFT)
    assert 'data-status="unknown"' in fragment.get_data(as_text=True)


def test_what_the_rules_refuse_is_not_looked_up(alice: Actor) -> None:
    data = TYPED | {"reply_to": "support@other.com"}
    for path in (f"{CHECK}/reply_to", f"{CHECK}/reply_to/mail-server"):
        fragment = alice.post(path, data, headers=LEFT).get_data(as_text=True)
        assert "another domain" in fragment
        assert "data-follow" not in fragment


def test_the_own_temporary_address_is_welcome_and_another_is_not(alice: Actor) -> None:
    """R-PLACEHOLDER: only the account's own one, unchanged."""
    own = TYPED | {"send_from": "doe-inc@kartra.com", "reply_to": ""}
    fragment = alice.post(f"{CHECK}/send_from", own, headers=LEFT)
    assert "data-status" not in fragment.get_data(as_text=True)
    other = TYPED | {"send_from": "somebody@kartra.com"}
    fragment = alice.post(f"{CHECK}/send_from", other, headers=LEFT)
    assert 'data-status="error"' in fragment.get_data(as_text=True)


def test_charlie_cannot_type_alices_temporary_address(alice: Actor, charlie: Actor) -> None:
    data = TYPED | {"send_from": "doe-inc@kartra.com"}
    fragment = charlie.post(f"{CHECK}/send_from", data, headers=LEFT)
    assert 'data-status="error"' in fragment.get_data(as_text=True)


def test_a_keystroke_costs_one_query(
    alice: Actor, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The glance at the person: the keystroke must stay as cheap as a bare form."""
    alice.post(f"{CHECK}/send_from", TYPED, headers=TYPING)  # the first one looks at the schema
    database: Database = app.extensions["kartramail"].db
    glances: list[object] = []
    glance = database.glance

    def note(statement: Select[Any], **values: object) -> object:
        glances.append(values)
        return glance(statement, **values)

    monkeypatch.setattr(database, "glance", note)
    with heard(database) as asked:
        alice.post(f"{CHECK}/send_from", TYPED, headers=TYPING)
    assert len(glances) == 1
    assert asked == []


def test_a_message_that_comes_along_says_what_it_is_about(alice: Actor) -> None:
    """So that the page drops it where the field holds another value by now."""
    data = TYPED | {"send_from": "jane@other.com", "reply_to": "  Support@doeinc.com"}
    fragment = alice.post(f"{CHECK}/send_from", data, headers=LEFT)
    tree = html.fromstring(fragment.get_data(as_text=True))
    (judged,) = tree.xpath("//*[@id='reply_to-message']//@data-judged")
    assert judged == "  Support@doeinc.com"


def test_a_stranger_is_not_led_away_from_what_they_typed(client: FlaskClient) -> None:
    fragment = post(client, f"{CHECK}/send_from", TYPED, headers=TYPING)
    assert fragment.status_code == 401
    assert "HX-Redirect" not in fragment.headers


def test_a_page_whose_session_was_renewed_goes_on_being_checked(alice: Actor) -> None:
    """Its token is an old one; the check changes nothing, so there is nothing to protect."""
    stale = alice.client.post(f"{CHECK}/send_from", data=TYPED | {"csrf_token": "old"})
    assert stale.status_code == 200
    assert "message" in stale.text


def test_another_field_does_not_exist(alice: Actor) -> None:
    assert alice.post(f"{CHECK}/password", TYPED).status_code == 404
