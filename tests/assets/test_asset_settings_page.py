"""R-ASSET: what one form, calendar or product sends: on and off, its text, its id for programs."""

import html
import json
import re
import shlex

import pytest

from kartramail.accounts.api_keys import make_api_key
from kartramail.accounts.history import list_changes
from kartramail.assets.kinds import KINDS, TYPES, types_for
from kartramail.assets.models import EVERYWHERE
from kartramail.assets.settings import load_setting
from kartramail.db import Database
from kartramail.ids import show_id
from kartramail.installation import Installation
from tests.senders.reading import text_of
from tests.support.cast import Actor, csrf_token
from tests.support.events import add_asset, change, fire, in_hours

PARTS = {"HX-Request": "true"}


@pytest.fixture
def calendar(alice: Actor, db: Database) -> int:
    return add_asset(db, alice.account_id, "calendar", "First consultation")


def page_of(number: int, kind: str = "calendar") -> str:
    return f"/assets/{kind}/{show_id(number)}/notifications"


def enabled(db: Database, actor: Actor, asset_id: int | None, name: str) -> bool:
    with db.reading() as session:
        return load_setting(session, actor.account_id, asset_id, TYPES[name]).enabled


def undo_of(page: str) -> tuple[str, dict[str, str]]:
    """What the button Undo sends, and where to."""
    found = re.search(
        r'<form method="post" action="([^"]*)"[^>]*>((?:(?!</form>).)*name="undo".*?)</form>',
        page,
        re.S,
    )
    assert found is not None, page
    fields = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', found[2]))
    return found[1], fields


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_shows_all_that_it_sends(alice: Actor, db: Database, kind: str) -> None:
    number = add_asset(db, alice.account_id, kind, "Getting started")
    words = text_of(alice.get(page_of(number, kind)))
    for one in types_for(kind):
        assert one.title in words
        assert one.summary in words
    assert "Getting started" in words


def test_each_says_what_is_inherited_and_what_is_fixed_and_why(alice: Actor, calendar: int) -> None:
    answer = alice.get(page_of(calendar))
    words = text_of(answer)
    assert "Comes from Inherited Doe Inc. alice@doeinc.com" in words
    assert TYPES["calendar.cancelled"].why_fixed in words
    assert TYPES["calendar.cancelled"].why_text_fixed in words
    assert TYPES["team.booking"].why_fixed in words
    assert TYPES["affiliate.approved"].why_fixed in words
    assert answer.text.count(">Change sender<") == 2


def test_the_words_of_the_house_are_not_on_the_page(alice: Actor, calendar: int) -> None:
    words = text_of(alice.get(page_of(calendar))).lower()
    for unwanted in (" asset ", "gateway", "stream", "placeholder"):
        assert unwanted not in words


def test_it_shows_the_subject_as_it_will_stand_in_an_inbox(
    alice: Actor, calendar: int, db: Database
) -> None:
    change(
        db,
        alice.account_id,
        "calendar.booked",
        calendar,
        subject="{{ contact.first_name }}, see you",
    )
    answer = alice.get(page_of(calendar))
    assert "Jane, see you" in text_of(answer)
    assert "{{" not in text_of(answer).partition("For programs")[0]
    assert "Own text" in text_of(answer)


def test_a_template_that_fails_on_examples_does_not_break_the_page(
    alice: Actor, calendar: int, db: Database
) -> None:
    endless = "{% for i in (1..100000000) %}{% for j in (1..100000000) %}x{% endfor %}{% endfor %}"
    change(db, alice.account_id, "calendar.booked", calendar, subject=endless, text=endless)
    assert alice.get(page_of(calendar)).status_code == 200


# Switching


def test_one_click_switches_it_off_and_back(
    alice: Actor, calendar: int, db: Database, installation: Installation
) -> None:
    path = f"{page_of(calendar)}/calendar.booked/switch"
    answer = alice.post(path, {"enabled": "off"})
    assert answer.status_code == 303
    assert answer.location == f"{page_of(calendar)}#calendar-booked"
    assert not enabled(db, alice, calendar, "calendar.booked")
    starts = in_hours(48)
    assert fire(installation, alice.account_id, calendar, "calendar.booked", starts_at=starts) == []
    page = alice.get(page_of(calendar)).text
    assert 'aria-checked="false"' in page
    where, fields = undo_of(page)
    assert alice.post(where, fields).status_code == 303
    assert enabled(db, alice, calendar, "calendar.booked")
    assert "Undone." in text_of(alice.get(page_of(calendar)))
    assert "Undone." not in text_of(alice.get(page_of(calendar))), "it is said once"


def test_what_holds_everywhere_is_not_written_down_once_more(
    alice: Actor, calendar: int, db: Database
) -> None:
    """So that a later change everywhere still reaches it."""
    path = f"{page_of(calendar)}/calendar.booked/switch"
    alice.post(path, {"enabled": "off"})
    alice.post(path, {"enabled": "on"})
    change(db, alice.account_id, "calendar.booked", EVERYWHERE, enabled=False)
    assert not enabled(db, alice, calendar, "calendar.booked")


def test_it_can_be_on_here_where_it_is_off_everywhere(
    alice: Actor, calendar: int, db: Database
) -> None:
    change(db, alice.account_id, "team.booking", EVERYWHERE, enabled=False)
    other = add_asset(db, alice.account_id)
    alice.post(f"{page_of(calendar)}/team.booking/switch", {"enabled": "on"})
    assert enabled(db, alice, calendar, "team.booking")
    assert not enabled(db, alice, other, "team.booking")


def test_an_open_page_gets_only_what_changed(alice: Actor, calendar: int) -> None:
    path = f"{page_of(calendar)}/calendar.booked/switch"
    answer = alice.post(path, {"enabled": "off"}, headers=PARTS)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert 'id="calendar-booked-switch" hx-swap-oob="innerHTML"' in answer.text
    assert "Off: it is not sent." in text_of(answer)
    assert undo_of(answer.text)[1]["enabled"] == "on"


def test_the_history_says_who_changed_what(alice: Actor, calendar: int, db: Database) -> None:
    alice.post(f"{page_of(calendar)}/calendar.booked/switch", {"enabled": "off"})
    with db.reading() as session:
        (latest, *_) = list_changes(session, alice.account_id)
    assert (latest.who, latest.what) == ("Alice Doe", "notification.changed")


# The text


def test_one_click_returns_to_the_inherited_text_and_undo_brings_it_back(
    alice: Actor, calendar: int, db: Database
) -> None:
    own = {"subject": "My own subject", "html": "<p>My own\nwords &amp; more</p>"}
    change(db, alice.account_id, "calendar.booked", calendar, **own)
    path = f"{page_of(calendar)}/calendar.booked/text"
    page = alice.get(page_of(calendar)).text
    version = re.search(r'action="[^"]*/text#[^>]*>.*?name="version" value="(\d+)"', page, re.S)
    assert version is not None
    answer = alice.post(path, {"version": version[1]}, headers=PARTS)
    assert "It has the inherited text again." in text_of(answer)
    with db.reading() as session:
        one = TYPES["calendar.booked"]
        after = load_setting(session, alice.account_id, calendar, one)
    assert {"subject", "html", "text"} <= after.inherited
    where, fields = undo_of(answer.text)
    back = {
        name: value.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        for name, value in fields.items()
    }
    assert alice.post(where, back, headers=PARTS).status_code == 200
    with db.reading() as session:
        again = load_setting(session, alice.account_id, calendar, one)
    assert (again.subject, again.html) == (own["subject"], own["html"])


def test_a_long_text_can_be_brought_back_without_javascript(
    alice: Actor, calendar: int, db: Database
) -> None:
    """It is too long for a cookie, so the page itself answers."""
    change(db, alice.account_id, "calendar.booked", calendar, html=f"<p>{'words ' * 2000}</p>")
    answer = alice.post(f"{page_of(calendar)}/calendar.booked/text")
    assert answer.status_code == 200
    assert "words words" in undo_of(answer.text)[1]["html"]


def test_of_two_tabs_the_later_one_is_told(alice: Actor, calendar: int, db: Database) -> None:
    """R-SAVE."""
    change(db, alice.account_id, "calendar.booked", calendar, subject="Newer", version=7)
    path = f"{page_of(calendar)}/calendar.booked/text"
    for headers in ({}, PARTS):
        answer = alice.post(path, {"version": "3"}, headers=headers)
        assert answer.status_code == 409
        assert "somebody else changed it" in text_of(answer)
    with db.reading() as session:
        after = load_setting(session, alice.account_id, calendar, TYPES["calendar.booked"])
    assert after.subject == "Newer"


def test_a_faulty_text_is_not_taken_by_that_button(alice: Actor, calendar: int) -> None:
    path = f"{page_of(calendar)}/calendar.booked/text"
    assert alice.post(path, {"subject": "{% if %}"}).status_code == 400


# Strangers, and what is not there


@pytest.mark.parametrize("what", ["switch", "sender", "text"])
def test_a_stranger_finds_nothing(
    alice: Actor, charlie: Actor, calendar: int, db: Database, what: str
) -> None:
    path = f"{page_of(calendar)}/calendar.booked/{what}"
    fields = {"enabled": "off", "sender_id": ""}
    assert charlie.get(page_of(calendar)).status_code == 404
    assert charlie.post(path, fields).status_code == 404
    assert (
        charlie.post(f"/assets/calendar/{show_id(calendar)}/name", {"name": "Mine"}).status_code
        == 404
    )
    assert enabled(db, alice, calendar, "calendar.booked")


@pytest.mark.parametrize("name", ["quiz.done", "form.signed_up", "calendar", "calendar.booked.x"])
def test_what_it_does_not_send_is_not_found(alice: Actor, calendar: int, name: str) -> None:
    for what, fields in (
        ("switch", {"enabled": "off"}),
        ("sender", {"sender_id": ""}),
        ("text", {}),
    ):
        assert alice.post(f"{page_of(calendar)}/{name}/{what}", fields).status_code == 404


def test_under_another_kind_it_is_not_found(alice: Actor, calendar: int) -> None:
    assert alice.get(page_of(calendar, "form")).status_code == 404
    assert alice.get(page_of(calendar, "quiz")).status_code == 404
    assert alice.get("/assets/calendar/none/notifications").status_code == 404


@pytest.mark.parametrize("fields", [{}, {"enabled": ""}, {"enabled": "perhaps"}])
def test_a_switch_knows_on_and_off(alice: Actor, calendar: int, fields: dict[str, str]) -> None:
    path = f"{page_of(calendar)}/calendar.booked/switch"
    assert alice.post(path, fields).status_code == 400


# Its name


def test_it_gets_another_name(alice: Actor, calendar: int, db: Database) -> None:
    path = f"/assets/calendar/{show_id(calendar)}/name"
    wanted = {"name": "  Zo\u00eb\u2019s   hour ", "was": "First consultation"}
    assert alice.post(path, wanted).location == page_of(calendar)
    page = alice.get(page_of(calendar))
    assert "<h1>Zo\u00eb\u2019s hour</h1>" in page.text
    with db.reading() as session:
        (latest, *_) = list_changes(session, alice.account_id)
    assert (latest.what, latest.before, latest.after) == (
        "asset.renamed",
        {"name": "First consultation"},
        {"name": "Zo\u00eb\u2019s hour"},
    )
    history = text_of(alice.get("/settings/account"))
    assert "First consultation" in history


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "one\u2028two", "\u202eback"])
def test_what_is_no_name_is_refused_and_kept(alice: Actor, calendar: int, name: str) -> None:
    answer = alice.post(f"/assets/calendar/{show_id(calendar)}/name", {"name": name})
    assert answer.status_code == 422
    assert "Nothing is saved yet" in answer.text
    assert "<h1>First consultation</h1>" in answer.text


def test_the_later_of_two_names_is_told_of_the_earlier(alice: Actor, calendar: int) -> None:
    path = f"/assets/calendar/{show_id(calendar)}/name"
    alice.post(path, {"name": "From the first tab", "was": "First consultation"})
    answer = alice.post(path, {"name": "From the second", "was": "First consultation"})
    assert answer.status_code == 409
    assert "From the first tab" in text_of(answer)
    assert 'value="From the second"' in answer.text
    was = re.search(r'name="was"[^>]*value="([^"]*)"', answer.text)
    assert was is not None
    again = alice.post(path, {"name": "From the second", "was": was[1]})
    assert again.status_code == 303


def test_a_form_that_lay_open_over_night_keeps_the_name(alice: Actor, calendar: int) -> None:
    path = f"/assets/calendar/{show_id(calendar)}/name"
    answer = alice.client.post(path, data={"name": "Typed at night", "csrf_token": "old"})
    assert answer.status_code == 422
    assert 'value="Typed at night"' in answer.text
    assert csrf_token(alice.client)


# For programs


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_fires_the_event_as_it_stands_there(
    alice: Actor, db: Database, kind: str
) -> None:
    """R-EVENT: copied into a shell, with a key, it works."""
    number = add_asset(db, alice.account_id, kind, 'Alice\u2019s "own" <one>')
    page = alice.get(page_of(number, kind)).text
    found = re.search(r'data-copy="(curl [^"]*)"', page)
    assert found is not None
    words = shlex.split(html.unescape(found[1]).replace("\\\n", " "))
    assert words[1] == "http://127.0.0.1:5000/api/v1/events"
    body = json.loads(words[-1])
    assert body["asset_id"] == show_id(number)
    with db.transaction() as session:
        _, key = make_api_key(session, alice.account_id, "A key", alice.user_id)
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "1042"}
    answer = alice.client.application.test_client().post(
        "/api/v1/events", json=body, headers=headers
    )
    assert answer.status_code == 202, answer.text
    assert len(answer.get_json()["message_ids"]) == 1
