"""Signing in (R-SAFE): the right password, a new session, and only to places of this site."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select

from kartramail.accounts.models import Membership, SignIn, User
from kartramail.installation import Installation
from tests.support.cast import PASSWORD, Actor, csrf_token, make_account, post


@pytest.fixture(autouse=True)
def doe_inc(installation: Installation) -> tuple[int, int]:
    """Alice has an account, and is signed in nowhere."""
    return make_account(installation)


def log_in(client: FlaskClient, **changes: str) -> Any:
    return post(client, "/login", {"email": "alice@doeinc.com", "password": PASSWORD} | changes)


def test_the_right_password_signs_in(client: FlaskClient) -> None:
    answer = log_in(client)
    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get("/settings/account").status_code == 200


@pytest.mark.parametrize("email", [" Alice@DoeInc.com ", "ALICE@doeinc.com"])
def test_the_address_is_compared_without_case(client: FlaskClient, email: str) -> None:
    assert log_in(client, email=email).status_code == 303


def test_the_session_before_is_thrown_away(client: FlaskClient) -> None:
    """Sessions rotate at sign-in: what somebody planted before is worth nothing after."""
    with client.session_transaction() as cookie:
        cookie["planted"] = "x"
    log_in(client)
    with client.session_transaction() as cookie:
        assert "planted" not in cookie
        assert "csrf_token" not in cookie


def test_each_sign_in_is_a_row_of_its_own(
    app: Flask, client: FlaskClient, installation: Installation
) -> None:
    log_in(client)
    log_in(app.test_client())
    with installation.db.reading() as session:
        assert len(session.exec(select(SignIn)).all()) == 2


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("alice@doeinc.com", "wrong"),
        ("nobody@doeinc.com", PASSWORD),
        ("not an address", PASSWORD),
        ("alice@doeinc.com\x00", PASSWORD),
        ("a" * 10_000, PASSWORD),
        ("alice@doeinc.com", "x" * 10_000),
        ("alice@doeinc.com", "\x00\x85\u2028"),
        ("' OR 1=1 --", "' OR 1=1 --"),
    ],
)
def test_everything_else_gets_the_same_sentence(
    client: FlaskClient, email: str, password: str
) -> None:
    answer = log_in(client, email=email, password=password)
    assert answer.status_code == 422
    assert "This address and password do not belong together" in answer.text
    assert PASSWORD not in answer.text
    assert client.get("/settings/account").status_code == 302


def test_a_page_asked_for_comes_after_signing_in(client: FlaskClient) -> None:
    asked = client.get("/settings/team?x=1").location
    assert 'name="next" type="hidden" value="/settings/team?x=1"' in client.get(asked).text
    assert log_in(client, next="/settings/team?x=1").location == "/settings/team?x=1"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\r\nSet-Cookie: x=1",
        "javascript:alert(1)",
        "evil.example",
        " //evil.example",
        "/\x00",
        "/" + "x" * 5000,
    ],
)
def test_next_never_leads_elsewhere(client: FlaskClient, target: str) -> None:
    assert log_in(client, next=target).location == "/"
    assert client.get("/login", query_string={"next": target}).location == "/"


def test_without_a_csrf_token_nobody_is_signed_in_and_the_address_is_kept(
    client: FlaskClient,
) -> None:
    """Also against signing somebody in as somebody else."""
    answer = client.post("/login", data={"email": "alice@doeinc.com", "password": PASSWORD})
    assert answer.status_code == 422
    assert 'value="alice@doeinc.com"' in answer.text
    assert "had lain open too long" in answer.text
    assert client.get("/settings/account").status_code == 302


def test_a_token_of_another_browser_does_not_count(app: Flask, client: FlaskClient) -> None:
    with client.session_transaction() as cookie:
        cookie["csrf_token"] = "a" * 40
    other = app.test_client()
    csrf_token(other)
    data = {"email": "alice@doeinc.com", "password": PASSWORD, "csrf_token": csrf_token(client)}
    assert other.post("/login", data=data).status_code == 422


def test_signing_in_as_somebody_else_ends_the_sign_in_before(
    installation: Installation, charlie: Actor
) -> None:
    assert log_in(charlie.client).status_code == 303
    with installation.db.reading() as session:
        his = session.exec(select(SignIn).where(SignIn.user_id == charlie.user_id)).all()
    assert [each.ended_at is not None for each in his] == [True]


def test_who_is_in_no_account_is_told(client: FlaskClient, installation: Installation) -> None:
    with installation.db.transaction() as session:
        session.delete(session.exec(select(Membership)).one())
    answer = log_in(client)
    assert answer.status_code == 422
    assert "do not belong to any account" in answer.text


def test_a_weaker_hash_is_renewed(
    client: FlaskClient, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R-SAFE: parameters grow, and so do the hashes of those who sign in."""
    from argon2 import PasswordHasher

    stronger = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    monkeypatch.setattr("kartramail.accounts.passwords._hasher", stronger)
    log_in(client)
    with installation.db.reading() as session:
        kept = session.exec(select(User.password_hash)).one()
    assert not stronger.check_needs_rehash(kept)
    assert stronger.verify(kept, PASSWORD)


def test_the_cookie_is_for_this_site_and_not_for_scripts(client: FlaskClient) -> None:
    (header,) = log_in(client).headers.getlist("Set-Cookie")
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
