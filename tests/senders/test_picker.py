"""R-SENDERS: the picker of every page; a sender is added inside it without losing the page."""

from typing import Any

import pytest
from flask import Flask
from lxml import html

from kartramail.db import Database
from kartramail.ids import show_id
from kartramail.installation import Installation
from kartramail.senders.further import load_senders
from kartramail.senders.low_delivery import accept_low_delivery, require_tick
from kartramail.senders.picker import SenderOption, load_options
from kartramail.senders.service import load_gateway
from tests.senders.further import SENDERS, SUPPORT, add, choose_for_asset, row
from tests.senders.reading import text_of
from tests.support.cast import Actor
from tests.support.dns_server import DnsServer
from tests.support.domains import authenticate

PICKER = f"{SENDERS}/picker"
ASKED_BY_PAGE = {"HX-Request": "true"}
TYPED = {f"new_sender-{name}": value for name, value in SUPPORT.items()}
TICK = {"new_sender-accept_low_delivery": "y"}


def options(db: Database, actor: Actor) -> list[SenderOption]:
    with db.reading() as session:
        return load_options(session, actor.account_id, "kartra.com")


def press(actor: Actor, what: str, **typed: str) -> Any:
    data = TYPED | typed | {"add_sender": f"{what}:sender_id"}
    return actor.post(PICKER, data, headers=ASKED_BY_PAGE)


def added(db: Database, actor: Actor) -> list[str]:
    with db.reading() as session:
        return [one.send_from for one in load_senders(session, actor.account_id)][1:]


def test_the_default_one_stands_first(alice: Actor, db: Database) -> None:
    add(db, alice.account_id, name="A name that comes before")
    first, second = options(db, alice)
    assert (first.is_default, first.send_from) == (True, "alice@doeinc.com")
    assert (second.is_default, second.name) == (False, "A name that comes before")


def test_it_knows_whose_choice_asks_for_the_tick(
    alice: Actor, db: Database, installation: Installation, dns: DnsServer
) -> None:
    """R-LOWDELIV: not for the address from sign-up, nor where somebody has ticked it before."""
    sender_id = add(db, alice.account_id)
    assert [one.needs_tick for one in options(db, alice)] == [False, False]
    with db.transaction() as session:
        row(session, sender_id).low_delivery_accepted_at = None
    assert [one.needs_tick for one in options(db, alice)] == [False, True]
    for one in options(db, alice):
        with db.reading() as session:
            asked = require_tick(session, alice.account_id, one.id, "kartra.com")
        assert (asked is not None) == one.needs_tick
    with db.transaction() as session:
        accept_low_delivery(session, alice.account_id, sender_id, user_id=alice.user_id)
    assert [one.needs_tick for one in options(db, alice)] == [False, False]
    assert "Accepted that fewer messages from support@doeinc.com" in text_of(
        alice.get("/settings/account")
    )
    with db.transaction() as session:
        row(session, sender_id).low_delivery_accepted_at = None
    authenticate(installation, dns, alice.account_id)
    assert [one.needs_tick for one in options(db, alice)] == [False, False]


def render(app: Flask, source: str, **values: Any) -> Any:
    with app.test_request_context("/"):
        template = app.jinja_env.from_string(
            '{% from "senders/_picker.html" import sender_picker with context %}' + source
        )
        return html.fromstring(template.render(**values))


def test_it_is_a_group_of_rows_and_never_free_text(alice: Actor, app: Flask, db: Database) -> None:
    add(db, alice.account_id)
    _, chosen = found = options(db, alice)
    tree = render(
        app,
        "{{ sender_picker('sender_id', options, chosen_id, legend='From') }}",
        options=found,
        chosen_id=chosen.id,
    )
    assert tree.xpath("string(//legend)") == "From"
    radios = tree.xpath("//input[@name='sender_id']")
    assert [radio.get("type") for radio in radios] == ["radio", "radio"]
    assert [radio.get("value") for radio in radios if radio.get("checked") is not None] == [
        show_id(chosen.id)
    ]
    labels = [" ".join(one.text_content().split()) for one in tree.xpath("//label")]
    assert "Doe Inc. alice@doeinc.com Default sender" in labels[0]
    assert "support@doeinc.com" in labels[1]
    assert "Domain not authenticated" in labels[1]
    assert not tree.xpath("//input[@type='text']")


def test_what_is_inherited_is_a_row_of_its_own(alice: Actor, app: Flask, db: Database) -> None:
    from kartramail.messages.candidates import Wanted, resolve_wanted

    with db.reading() as session:
        inherited = resolve_wanted(session, Wanted(alice.account_id), "kartra.com")
    tree = render(
        app,
        "{{ sender_picker('sender_id', options, none, inherited) }}",
        options=options(db, alice),
        inherited=inherited,
    )
    (first, *_) = tree.xpath("//input[@name='sender_id']")
    assert (first.get("value"), first.get("checked")) == ("", "checked")
    assert "As everywhere" in tree.xpath("string(//label)")


def test_the_fields_come_inside_the_form_around(alice: Actor, db: Database) -> None:
    fragment = alice.post(PICKER, {"add_sender": "open:sender_id"}, headers=ASKED_BY_PAGE)
    tree = html.fromstring(f"<div>{fragment.text}</div>")
    assert not tree.xpath("//form")
    names = set(tree.xpath("//input/@name"))
    assert names >= set(TYPED)
    assert {button.get("value") for button in tree.xpath("//button[@name='add_sender']")} == {
        "save:sender_id",
        "close:sender_id",
    }


def test_it_is_added_and_chosen(alice: Actor, db: Database) -> None:
    fragment = press(alice, "save", **TICK)
    assert added(db, alice) == ["support@doeinc.com"]
    tree = html.fromstring(f"<div>{fragment.text}</div>")
    (swapped,) = tree.xpath("//*[@hx-swap-oob]")
    assert swapped.get("hx-swap-oob") == "beforeend:#sender_id-options"
    (radio,) = swapped.xpath(".//input")
    with db.reading() as session:
        number = load_senders(session, alice.account_id)[1].sender_id
    assert (radio.get("name"), radio.get("value")) == ("sender_id", show_id(number))
    assert radio.get("checked") is not None
    assert "Added. A link was sent to support@doeinc.com" in text_of(fragment)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"new_sender-send_from": "x@gmail.com"}, "gmail.com is shared"),
        ({"new_sender-reply_to": "x@other.com"}, "is on another domain"),
        ({}, "Tick this to use an address on doeinc.com"),
    ],
)
def test_it_refuses_what_the_form_refuses_and_keeps_what_was_typed(
    alice: Actor, db: Database, typed: dict[str, str], words: str
) -> None:
    fragment = press(alice, "save", **typed)
    assert words in text_of(fragment)
    for name, value in (TYPED | typed).items():
        assert f'name="{name}"' in fragment.text
        assert f'value="{value}"' in fragment.text
    assert added(db, alice) == []


def test_not_now_leaves_nothing(alice: Actor, db: Database) -> None:
    fragment = press(alice, "close")
    assert "Add a sender" in text_of(fragment)
    assert "new_sender-send_from" not in fragment.text.partition("hx-params")[0]
    assert added(db, alice) == []


def test_a_keystroke_there_is_judged_as_in_the_form(alice: Actor, dns: DnsServer) -> None:
    """R-LIVE, under the names that the fields have inside a picker."""
    left = {"HX-Request": "true", "X-Field-Moment": "left"}
    typed = TYPED | {"new_sender-send_from": "support@yourcompany.com"}
    fragment = alice.post(f"{PICKER}/check/send_from", typed, headers=left).text
    assert 'id="new_sender-reply_to-message" hx-swap-oob' in fragment
    assert 'id="new_sender-low-delivery"' in fragment
    assert 'name="new_sender-accept_low_delivery"' in fragment
    fragment = alice.post(f"{PICKER}/check/reply_to", TYPED, headers=left).text
    assert f'hx-post="{PICKER}/check/reply_to/mail-server"' in fragment
    fragment = alice.post(f"{PICKER}/check/reply_to/mail-server", TYPED, headers=left)
    assert "Replies can arrive at doeinc.com" in text_of(fragment)


def test_without_a_token_nothing_is_added(alice: Actor, db: Database) -> None:
    data = TYPED | TICK | {"add_sender": "save:sender_id"}
    assert alice.client.post(PICKER, data=data).status_code == 400
    assert added(db, alice) == []


def test_in_a_form_of_another_account_nothing_is_added(
    alice: Actor, charlie: Actor, db: Database
) -> None:
    data = TYPED | TICK | {"add_sender": "save:sender_id", "opened_in": show_id(charlie.account_id)}
    assert alice.post(PICKER, data, headers=ASKED_BY_PAGE).status_code == 409
    assert added(db, alice) == []


@pytest.mark.parametrize("button", ["", "nonsense", "open:", "save:a b", "open:'\"><b>"])
def test_another_button_does_nothing(alice: Actor, db: Database, button: str) -> None:
    data = TYPED | TICK | {"add_sender": button}
    assert alice.post(PICKER, data, headers=ASKED_BY_PAGE).status_code == 404
    assert added(db, alice) == []


def test_a_suggestion_without_javascript_is_filled_in(alice: Actor, db: Database) -> None:
    sender_id = add(db, alice.account_id)
    choose_for_asset(db, alice.account_id, sender_id)
    typed = TYPED | {
        "new_sender-reply_to": "x@other.com",
        "new_sender-picker": "replacement",
        "use_new_sender-reply_to": "x@doeinc.com",
    }
    page = alice.post(f"{SENDERS}/{show_id(sender_id)}/remove", typed)
    tree = html.fromstring(page.text)
    assert tree.xpath("string(//input[@name='new_sender-reply_to']/@value)") == "x@doeinc.com"
    with db.reading() as session:
        assert load_gateway(session, alice.account_id).version == 1
