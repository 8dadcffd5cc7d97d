"""R-SIGNUP: the answer is the same whether or not the address is known; its owner gets a mail."""

import re
from http.cookies import SimpleCookie
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kartramail.accounts import passwords
from kartramail.accounts.models import User
from kartramail.installation import Installation
from tests.onboarding.test_sign_up import FIELDS, sign_up
from tests.support.cast import PASSWORD, Actor, post
from tests.support.mailbox import newest_link, templates_to

KNOWN, UNKNOWN = "alice@doeinc.com", "nobody@doeinc.com"


def shape(answer: TestResponse, address: str) -> Any:
    """Everything about an answer that somebody could compare, without what was typed."""
    text = re.sub(r'(csrf_token"[^>]*value=)"[^"]*"', r"\1", answer.text.replace(address, "X"))
    cookies = [
        (morsel.key, {name: bool(value) for name, value in morsel.items()})
        for header in answer.headers.getlist("Set-Cookie")
        for morsel in SimpleCookie(header).values()
    ]
    headers = sorted(name for name, _ in answer.headers if name != "Content-Length")
    return answer.status_code, answer.headers.get("Location"), text, cookies, headers


def story(app: Flask, address: str) -> list[Any]:
    """What a stranger sees who signs up with that address and tries all that is offered."""
    client = app.test_client()
    return [
        shape(sign_up(client, email=address), address),
        shape(client.get("/signup/sent"), address),
        shape(client.get("/signup/sent?look=3", headers={"HX-Request": "true"}), address),
        shape(client.get("/signup/sent?look=0"), address),
        shape(post(client, "/signup/again"), address),
        shape(client.get("/signup/sent"), address),
        shape(client.get("/signup?change"), address),
    ]


def test_every_answer_is_alike(app: Flask, alice: Actor) -> None:
    assert story(app, KNOWN) == story(app, UNKNOWN)


def test_the_password_is_always_hashed(
    app: Flask, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time must tell nothing: the one slow step is made for known addresses too."""
    hashed: list[str] = []
    monkeypatch.setattr(
        "kartramail.onboarding.views.signing_up.hash_password",
        lambda password: hashed.append(password) or passwords.NO_PASSWORD,
    )
    for address in (KNOWN, UNKNOWN):
        sign_up(app.test_client(), email=address)
    assert hashed == [FIELDS["password"]] * 2


def test_the_owner_of_a_known_address_gets_a_mail_and_keeps_everything(
    client: FlaskClient, alice: Actor, installation: Installation
) -> None:
    sign_up(client, email="Alice@DoeInc.com", business_name="Taken over")
    assert templates_to(installation, KNOWN) == ["already_registered"]
    assert newest_link(installation, KNOWN) == "/login"
    assert "Doe Inc." in alice.get("/settings/account").text
    answer = post(client, "/login", {"email": KNOWN, "password": PASSWORD})
    assert answer.status_code == 303


def test_forgot_and_sign_in_are_alike(app: Flask, alice: Actor) -> None:
    def answers(address: str) -> list[Any]:
        client = app.test_client()
        return [
            shape(post(client, "/forgot", {"email": address}), address),
            shape(client.get("/forgot/sent"), address),
            *(
                shape(post(client, "/login", {"email": address, "password": "wrong"}), address)
                for _ in range(7)
            ),
        ]

    known, unknown = answers(KNOWN), answers(UNKNOWN)
    assert [re.sub(r"\d+ seconds", "", str(each)) for each in known] == [
        re.sub(r"\d+ seconds", "", str(each)) for each in unknown
    ]
    assert "too many wrong passwords" in str(known[-1])


def test_signing_up_never_touches_a_confirmed_person(
    client: FlaskClient, alice: Actor, installation: Installation
) -> None:
    with installation.db.reading() as session:
        before = session.get(User, alice.user_id)
    sign_up(client, email=KNOWN)
    with installation.db.reading() as session:
        after = session.get(User, alice.user_id)
    assert before == after
