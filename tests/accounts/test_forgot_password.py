"""A forgotten password: a link works once, for an hour, and ends every sign-in (R-SAFE)."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select, update

from kartramail.accounts.models import OneTimeToken
from kartramail.clock import now
from kartramail.ids import show_id
from kartramail.installation import Installation
from tests.support.cast import PASSWORD, Actor, post
from tests.support.mailbox import mails_to, newest_link, templates_to
from tests.support.statements import heard

ALICE = "alice@doeinc.com"
NEW = {"password": "another sentence for Alice"}


@pytest.fixture
def link(alice: Actor, client: FlaskClient, installation: Installation) -> str:
    """The path in the mail that Alice asked for."""
    assert post(client, "/forgot", {"email": "Alice@doeinc.com"}).location == "/forgot/sent"
    return newest_link(installation, ALICE)


def log_in(app: Flask, password: str) -> int:
    answer = post(app.test_client(), "/login", {"email": ALICE, "password": password})
    return answer.status_code


def test_it_sets_the_password_and_signs_in(app: Flask, client: FlaskClient, link: str) -> None:
    answer = post(client, link, NEW)
    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get("/settings/account").status_code == 200
    assert (log_in(app, PASSWORD), log_in(app, NEW["password"])) == (422, 303)


def test_every_other_browser_is_signed_out(alice: Actor, client: FlaskClient, link: str) -> None:
    post(client, link, NEW)
    assert alice.get("/settings/account").status_code == 302


def test_the_owner_is_told(client: FlaskClient, link: str, installation: Installation) -> None:
    post(client, link, NEW)
    assert templates_to(installation, ALICE) == ["reset_password", "password_changed"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_scanner_that_only_looks_changes_nothing(
    app: Flask, client: FlaskClient, link: str, method: str
) -> None:
    for _ in range(3):
        answer = client.open(link, method=method)
        assert answer.status_code == 200
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert log_in(app, PASSWORD) == 303
    assert post(client, link, NEW).status_code == 303


def test_a_link_works_once(app: Flask, client: FlaskClient, link: str) -> None:
    post(client, link, NEW)
    assert post(app.test_client(), link, {"password": "a thief's long sentence"}).status_code == 410
    assert log_in(app, NEW["password"]) == 303


def test_a_link_ends_after_an_hour(
    app: Flask, client: FlaskClient, link: str, installation: Installation
) -> None:
    with installation.db.transaction() as session:
        token = session.exec(select(OneTimeToken)).one()
        assert timedelta(minutes=59) < token.expires_at - now() <= timedelta(hours=1)
        session.connection().execute(update(OneTimeToken).values(expires_at=now()))
    assert post(client, link, NEW).status_code == 410
    assert log_in(app, PASSWORD) == 303


def test_a_newer_link_voids_the_older(
    client: FlaskClient, link: str, installation: Installation
) -> None:
    post(client, "/forgot", {"email": ALICE})
    assert client.get(link).status_code == 410
    assert client.get(newest_link(installation, ALICE)).status_code == 200


def test_a_link_for_something_else_does_not_reset(client: FlaskClient, link: str) -> None:
    token = link.rpartition("/")[2]
    assert client.get(f"/confirm/{token}").status_code == 410
    assert client.get(f"/join/{token}").status_code == 410


@pytest.mark.parametrize("password", ["", "too short", ALICE, "x" * 10_000])
def test_the_rules_for_passwords_hold(
    app: Flask, client: FlaskClient, link: str, password: str
) -> None:
    assert post(client, link, {"password": password}).status_code == 422
    assert log_in(app, PASSWORD) == 303


def test_it_ends_the_wait_after_wrong_passwords(app: Flask, client: FlaskClient, link: str) -> None:
    for _ in range(6):
        log_in(app, "wrong")
    post(client, link, NEW)
    assert log_in(app, NEW["password"]) == 303


@pytest.mark.parametrize("email", ["nobody@doeinc.com", "no address", "\x00", "x" * 10_000])
def test_unknown_addresses_get_no_mail_and_the_same_answer(
    client: FlaskClient, installation: Installation, email: str
) -> None:
    assert post(client, "/forgot", {"email": email}).location == "/forgot/sent"
    assert mails_to(installation, email.replace("\x00", "")) == []


def test_without_a_csrf_token_nothing_happens(app: Flask, client: FlaskClient, link: str) -> None:
    assert client.post(link, data=NEW).status_code == 422
    assert client.post("/forgot", data={"email": ALICE}).status_code == 422
    assert log_in(app, PASSWORD) == 303


@pytest.fixture
def homeless(alice: Actor, bob: Actor, client: FlaskClient, installation: Installation) -> str:
    """Bob was in one team only, was taken out of it, and is invited again: his invitation."""
    alice.post(f"/settings/team/{show_id(bob.user_id)}/remove")
    alice.post("/settings/team", {"email": bob.email, "role": "member"})
    return newest_link(installation, bob.email)


def test_who_is_in_no_team_and_invited_gets_a_link(
    homeless: str, client: FlaskClient, installation: Installation
) -> None:
    """The invitation asks for a password that they may have forgotten."""
    bob = "bob@doeinc.com"
    assert 'href="/forgot"' in client.get(homeless).text
    post(client, "/forgot", {"email": bob})
    assert templates_to(installation, bob) == ["join_team", "reset_password"]
    answer = post(client, newest_link(installation, bob), NEW)
    assert (answer.status_code, answer.location) == (303, "/login")
    assert "You are in no team now" in client.get("/login").text
    assert templates_to(installation, bob)[-1] == "password_changed"
    assert post(client, homeless, NEW).location == "/"
    assert "Alice Doe" in client.get("/settings/team").text


def test_who_left_the_team_after_asking_is_told_that_the_password_is_saved(
    alice: Actor, bob: Actor, client: FlaskClient, installation: Installation
) -> None:
    post(client, "/forgot", {"email": bob.email})
    link = newest_link(installation, bob.email)
    alice.post(f"/settings/team/{show_id(bob.user_id)}/remove")
    assert post(client, link, NEW).location == "/login"
    assert "Your new password is saved" in client.get("/login").text


def test_as_much_is_written_for_a_stranger(
    alice: Actor, client: FlaskClient, installation: Installation
) -> None:
    """R-SAFE: but for the mail itself, which stands in the outbox of an account."""

    def written(email: str) -> list[str]:
        with heard(installation.db) as statements:
            post(client, "/forgot", {"email": email})
        words = [statement.split()[:3] for statement, _ in statements]
        writing = [" ".join(each) for each in words if each[0] in ("INSERT", "UPDATE", "DELETE")]
        return [each for each in writing if each != "INSERT INTO message"]

    assert written(ALICE) == written("nobody@doeinc.com")
    assert written(ALICE) == ["UPDATE one_time_token SET", "INSERT INTO one_time_token"]


def test_the_link_of_a_stranger_leads_nowhere(
    client: FlaskClient, installation: Installation
) -> None:
    post(client, "/forgot", {"email": "nobody@doeinc.com"})
    with installation.db.reading() as session:
        (link,) = session.exec(select(OneTimeToken))
    assert (link.user_id, link.account_id, link.address) == (None, None, "")
