"""R-GLOBAL, R-SAFE: a notification as it will look, filled in with examples, in a closed frame."""

import pytest
from flask import Flask

from kartramail.assets.kinds import TYPES
from kartramail.db import Database
from tests.assets.editing import ASKED_BY_PAGE, BOOKED, LIST, of_one, typed
from tests.senders.reading import text_of
from tests.support.cast import Actor
from tests.support.events import add_asset

PREVIEW = f"{BOOKED}/preview"
FOLLOWING = f"{PREVIEW}?follow"
WORDS = {"subject": "Booked", "html": "<p>Hello {{ contact.first_name }}</p>", "text": ""}


@pytest.mark.parametrize("name", TYPES)
def test_each_one_is_filled_in_with_examples(alice: Actor, name: str) -> None:
    answer = alice.get(f"{LIST}/{name}/preview")
    assert answer.status_code == 200
    assert "{{" not in answer.text
    assert "{%" not in answer.text
    assert "Doe Inc." in answer.text


def test_the_frame_is_closed(alice: Actor) -> None:
    policy = alice.get(PREVIEW).headers["Content-Security-Policy"].split("; ")
    assert policy[:3] == ["sandbox", "default-src 'none'", "style-src 'unsafe-inline'"]
    assert "img-src https: data:" in policy
    assert "form-action 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    page = alice.get(BOOKED).text
    assert "sandbox" in page.partition("<iframe")[2].partition(">")[0]


def test_it_shows_what_is_typed_and_saves_nothing(alice: Actor) -> None:
    typed_words = WORDS | {"html": "<p>Typed for {{ contact.first_name }}</p>"}
    assert "Typed for Jane" in alice.client.post(FOLLOWING, data=typed_words).text
    assert "Typed for" not in alice.get(PREVIEW).text


def test_hostile_html_is_harmless_in_it(alice: Actor) -> None:
    html = "<p>Hi</p><script>alert(1)</script><img src=x onerror=alert(1)><form action=/x></form>"
    answer = alice.client.post(FOLLOWING, data=WORDS | {"html": html})
    for word in ("<script", "onerror", "<form"):
        assert word not in answer.text


def test_while_one_types_what_cannot_be_shown_leaves_the_old_one(alice: Actor) -> None:
    answer = alice.client.post(FOLLOWING, data=WORDS | {"html": "{{ contact.first"})
    assert (answer.status_code, answer.text) == (204, "")


def test_who_asks_for_it_without_javascript_hears_why_there_is_none(alice: Actor) -> None:
    answer = alice.client.post(PREVIEW, data=WORDS | {"html": "\n{{ contact.first"})
    assert answer.status_code == 200
    assert "There is no preview until this is mended:" in answer.text
    assert "line 2" in answer.text


def test_a_mail_of_text_alone_is_shown_as_text(alice: Actor) -> None:
    words = WORDS | {"html": "", "text": "Hello {{ contact.first_name }} <b>&"}
    assert "Hello Jane &lt;b&gt;&amp;" in alice.client.post(FOLLOWING, data=words).text


def test_the_row_in_an_inbox_follows(alice: Actor) -> None:
    words = {
        "subject": "See you, {{ contact.first_name }}",
        "html": "<style>p { color: red }</style><p>Good &amp; new.</p>",
        "text": "",
    }
    answer = alice.client.post(PREVIEW, data=words, headers=ASKED_BY_PAGE)
    assert "See you, Jane" in text_of(answer)
    assert "Good & new." in text_of(answer)
    assert "color" not in text_of(answer)
    assert 'id="sender-row"' in answer.text, "it stands under the picker as well"


def test_the_row_shows_a_subject_that_is_not_finished_as_it_is(alice: Actor) -> None:
    words = WORDS | {"subject": "Booked {{ contact."}
    answer = alice.client.post(PREVIEW, data=words, headers=ASKED_BY_PAGE)
    assert "Booked {{ contact." in text_of(answer)


def test_a_subject_never_gets_a_line_break(alice: Actor) -> None:
    words = WORDS | {"subject": "One{% capture x %}\r\nBcc: x{% endcapture %}{{ x }}"}
    answer = alice.client.post(PREVIEW, data=words, headers=ASKED_BY_PAGE)
    assert "One Bcc: x" in text_of(answer)


def test_that_of_one_calendar_has_its_name_and_words(alice: Actor, db: Database) -> None:
    calendar = add_asset(db, alice.account_id, "calendar", "A name of its own")
    assert "A name of its own" in alice.get(of_one(calendar) + "/preview").text
    alice.post(of_one(calendar), typed(db, alice, html="<p>Its words</p>"))
    assert "Its words" in alice.get(of_one(calendar) + "/preview").text
    assert "Its words" not in alice.get(PREVIEW).text


def test_a_stranger_sees_nothing_of_it(app: Flask) -> None:
    stranger = app.test_client()
    for answer in (stranger.get(PREVIEW), stranger.post(FOLLOWING, data=WORDS)):
        assert answer.status_code == 401
        assert "You are signed out" in answer.text
        assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_another_site_cannot_have_its_words_shown_here(alice: Actor) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = alice.client.post(PREVIEW, data=WORDS | {"html": "<p>Planted</p>"}, headers=headers)
    assert "Planted" not in answer.text
