"""The address of a sign-up as one types (R-LIVE): gentle while typing, judged on leaving."""

import pytest
from flask.testing import FlaskClient

from tests.support.cast import csrf_token


def check(client: FlaskClient, text: str, moment: str = "left") -> str:
    answer = client.post(
        "/signup/check/email",
        data={"email": text, "csrf_token": csrf_token(client)},
        headers={"HX-Request": "true", "X-Field-Moment": moment},
    )
    assert answer.status_code == 200
    return answer.text


def test_no_error_appears_before_the_address_could_be_right(client: FlaskClient) -> None:
    assert 'data-status="error"' not in check(client, "jane@doe", "typing")
    assert 'data-status="error"' not in check(client, "jane@mailinator.com", "typing")


def test_leaving_the_field_judges_it(client: FlaskClient) -> None:
    assert 'data-status="error"' in check(client, "jane@")
    assert "thrown away" in check(client, "jane@mailinator.com")
    assert 'data-status="ok"' in check(client, "jane@doeinc.com")


def test_an_empty_field_shows_the_help(client: FlaskClient) -> None:
    assert "You sign in with it" in check(client, "")


def test_a_typo_is_one_click(client: FlaskClient) -> None:
    assert 'data-suggest-value="jane@gmail.com"' in check(client, "jane@gmial.com")


@pytest.mark.parametrize("text", ["\x00", "a\r\nb@doeinc.com", "x" * 10_000, "<b>@doeinc.com"])
def test_hostile_text_is_only_text(client: FlaskClient, text: str) -> None:
    fragment = check(client, text)
    assert "<b>@" not in fragment
