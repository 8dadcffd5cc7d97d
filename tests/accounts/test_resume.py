"""What was typed over a lost session comes through the sign-in page, and is only shown (R-EDIT)."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kartramail.web.resume import resumed_fields, stash, unstash
from tests.support.cast import PASSWORD, Actor, post

PATH = "/settings/integrations/kartramail/edit"
FIELDS = {"sender_name": "Doe & <Sons>", "reply_to": "ä@doeinc.com"}


def test_it_brings_back_path_and_fields(app: Flask) -> None:
    with app.app_context():
        text = stash(PATH, FIELDS)
        assert unstash(text) == (PATH, FIELDS)
        assert resumed_fields(PATH, text) == FIELDS
        assert resumed_fields("/settings/account", text) == {}


@pytest.mark.parametrize("text", [None, "", "x", "a.b.c", "x" * 10_000, "\x00"])
def test_what_is_not_ours_is_nothing(app: Flask, text: str | None) -> None:
    with app.app_context():
        assert unstash(text) is None


def test_a_changed_text_is_nothing(app: Flask) -> None:
    with app.app_context():
        text = stash(PATH, FIELDS)
        assert unstash(text[:-1] + ("A" if text[-1] != "A" else "B")) is None


def test_too_much_is_not_carried(app: Flask) -> None:
    """It travels in an address, whose line servers cut at about 4,000 characters."""
    import secrets

    with app.app_context():
        assert stash(PATH, {"sender_name": secrets.token_hex(4000)}) == ""


def test_it_ends_after_a_day(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context():
        text = stash(PATH, FIELDS)
        monkeypatch.setattr("kartramail.web.resume.MAX_AGE", -1)
        assert unstash(text) is None


def test_signing_in_leads_back_to_what_lay_open(
    app: Flask, alice: Actor, client: FlaskClient
) -> None:
    with app.app_context():
        text = stash(PATH, FIELDS)
    form = {"email": alice.email, "password": PASSWORD, "resume": text}
    answer = post(client, "/login", form)
    assert answer.location.startswith(f"{PATH}?resume=")


def test_a_forged_one_leads_home(alice: Actor, client: FlaskClient) -> None:
    form = {"email": alice.email, "password": PASSWORD, "resume": "https://evil.example"}
    assert post(client, "/login", form).location == "/"
