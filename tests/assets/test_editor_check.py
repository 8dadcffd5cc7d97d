"""R-LIVE, R-VARS: what is wrong is told as one types, with its line, gently."""

from typing import Any

import pytest
from flask import Flask

from tests.assets.editing import BOOKED
from tests.senders.reading import text_of
from tests.support.cast import Actor

TYPING, LEFT = {"X-Field-Moment": "typing"}, {"X-Field-Moment": "left"}


def check(actor: Actor, field: str, source: str, headers: dict[str, str] | None = None) -> Any:
    sent = {"subject": "Booked", "html": "<p>Hello</p>", "text": ""} | {field: source}
    return actor.client.post(f"{BOOKED}/check/{field}", data=sent, headers=headers or LEFT)


def test_a_sound_field_shows_its_help(alice: Actor) -> None:
    answer = check(alice, "html", "<p>{{ contact.first_name }} {{ event.anything }}</p>")
    assert "Change the words between the tags" in text_of(answer)
    assert "data-status" not in answer.text


def test_a_fault_comes_with_its_line(alice: Actor) -> None:
    answer = check(alice, "html", "<p>\n\n{{ contact.name_first }}</p>")
    assert "line 3" in text_of(answer)
    assert 'data-line="3"' in answer.text
    assert 'data-status="error"' in answer.text


def test_it_says_what_was_meant(alice: Actor) -> None:
    answer = check(alice, "subject", "Hello {{ contact.firstname }}")
    assert "Use contact.first_name" in text_of(answer)


def test_the_first_three_are_told_and_the_rest_counted(alice: Actor) -> None:
    source = "\n".join(f"{{{{ nothing_{number} }}}}" for number in range(5))
    assert "And 2 more." in text_of(check(alice, "text", source))


def test_each_field_hears_only_of_itself(alice: Actor) -> None:
    answer = check(alice, "subject", "{{ nothing }}")
    assert "nothing" in text_of(answer)
    sent = {"subject": "{{ nothing }}", "html": "<p>Hello</p>", "text": ""}
    other = alice.client.post(f"{BOOKED}/check/html", data=sent, headers=LEFT)
    assert "nothing" not in text_of(other)


@pytest.mark.parametrize("source", ["<p>{{ contact.fi", "<p>{% if pla"])
def test_code_that_one_is_still_typing_is_not_called_broken(alice: Actor, source: str) -> None:
    assert "data-status" not in check(alice, "html", source, TYPING).text
    assert "data-status" in check(alice, "html", source, LEFT).text


def test_what_could_become_right_no_more_is_told_while_typing(alice: Actor) -> None:
    assert "data-status" in check(alice, "html", "{{ contact.frist_name }}", TYPING).text


def test_a_stranger_is_not_sent_away_from_what_they_typed(app: Flask) -> None:
    assert app.test_client().post(f"{BOOKED}/check/html", data={"html": "x"}).status_code == 401


def test_there_is_nothing_to_check_of_other_fields(alice: Actor) -> None:
    assert check(alice, "version", "1").status_code == 404


def test_hostile_words_are_shown_and_not_run(alice: Actor) -> None:
    """R-SAFE"""
    answer = check(alice, "subject", '{{ "><script>alert(1)</script> }}')
    assert "<script>" not in answer.text
