"""R-SAFE, R-WORDS: who tries too often keeps what they typed, and is told how long to wait."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kartramail import create_app
from kartramail.config import Settings
from kartramail.web.limits import limiter
from tests.onboarding.test_sign_up import FIELDS, sign_up
from tests.support.cast import make_alice, post
from tests.support.mailbox import mails_to

JANE = "jane@doeinc.com"


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The application as it is in earnest, with its rate limits."""
    app = create_app(settings.model_copy(update={"rate_limits": True}))
    yield app
    app.extensions["kartramail"].db.dispose()
    limiter.enabled = False


def told_to_wait(answer: TestResponse) -> int:
    """For how many seconds; the sentence says what the header says, rounded up."""
    assert answer.status_code == 429
    found = re.search(r"Wait (\d+) (second|minute)s?, then try again\.", answer.text)
    assert found is not None, answer.text
    seconds = int(found[1]) * (60 if found[2] == "minute" else 1)
    assert -1 <= seconds - int(answer.headers["Retry-After"]) <= 60
    return seconds


def test_the_eleventh_sign_up_of_an_address_comes_back_with_what_was_typed(
    client: FlaskClient, app: Flask
) -> None:
    for _ in range(10):
        assert sign_up(client).status_code == 303
    answer = sign_up(client, email="Jane@DOEINC.com", business_name="Doe & Daughters")
    assert 3000 < told_to_wait(answer) <= 3600
    assert 'value="Doe &amp; Daughters"' in answer.text
    assert 'value="Jane@DOEINC.com"' in answer.text
    assert FIELDS["password"] not in answer.text
    assert len(mails_to(app.extensions["kartramail"], JANE)) == 10
    assert sign_up(client, email="joe@doeinc.com").status_code == 303


def test_a_sign_up_with_a_fault_is_not_counted(client: FlaskClient) -> None:
    for _ in range(12):
        assert sign_up(client, password="short").status_code == 422
    assert sign_up(client).status_code == 303


def test_known_and_unknown_addresses_are_counted_alike(app: Flask, client: FlaskClient) -> None:
    """R-SIGNUP."""
    make_alice(app)
    for email in ("alice@doeinc.com", "nobody@doeinc.com"):
        statuses = [sign_up(client, email=email).status_code for _ in range(11)]
        assert statuses == [303] * 10 + [429]


def test_many_sign_ups_from_one_place_keep_what_was_typed(client: FlaskClient) -> None:
    for _ in range(60):
        sign_up(client, password="short")
    answer = sign_up(client)
    assert told_to_wait(answer) <= 60
    assert 'value="Doe Inc."' in answer.text


def test_a_forgotten_password_keeps_the_address(client: FlaskClient) -> None:
    for _ in range(6):
        assert post(client, "/forgot", {"email": JANE}).status_code == 303
    answer = post(client, "/forgot", {"email": JANE})
    assert 3000 < told_to_wait(answer) <= 3600
    assert f'value="{JANE}"' in answer.text


def test_signing_in_keeps_the_address_and_the_way_on(client: FlaskClient) -> None:
    form = {"email": JANE, "password": "wrong", "next": "/settings/team"}
    for _ in range(20):
        post(client, "/login", form)
    answer = post(client, "/login", form)
    assert told_to_wait(answer) <= 60
    assert f'value="{JANE}"' in answer.text
    assert 'value="/settings/team"' in answer.text
    assert "wrong" not in answer.text


def test_an_invitation_keeps_the_address(app: Flask) -> None:
    alice = make_alice(app)
    for number in range(30):
        alice.post("/settings/team", {"email": f"no{number}", "role": "owner"})
    answer = alice.post("/settings/team", {"email": JANE, "role": "owner"})
    assert 3000 < told_to_wait(answer) <= 3600
    assert f'value="{JANE}"' in answer.text
    assert '<option selected value="owner">' in answer.text


def test_other_pages_say_the_true_wait(client: FlaskClient) -> None:
    for _ in range(3):
        post(client, "/signup/again")
    answer = post(client, "/signup/again")
    assert told_to_wait(answer) <= 60


def test_limits_that_cannot_be_counted_let_pass(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the other limits: mail goes on while the counter is out of reach."""

    def fail(*_: object) -> bool:
        raise ValueError("out of reach")

    monkeypatch.setattr("limits.strategies.FixedWindowRateLimiter.hit", fail)
    assert sign_up(client).status_code == 303
