"""Confirming (R-SIGNUP, R-PREFILL): a POST with the password chosen at sign-up, in any browser."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select, update

from kartramail.accounts.models import Account, OneTimeToken, User
from kartramail.clock import now
from kartramail.installation import Installation
from kartramail.senders.standing import Proof, gateway_standing
from tests.onboarding.test_sign_up import FIELDS, sign_up, the_account
from tests.support.cast import post
from tests.support.mailbox import newest_link, templates_to

JANE = "jane@doeinc.com"
PASSWORD = {"password": FIELDS["password"]}


@pytest.fixture
def link(client: FlaskClient, installation: Installation) -> str:
    """The path in the mail after Jane signed up in `client`."""
    sign_up(client)
    return newest_link(installation, JANE)


@pytest.fixture
def other(app: Flask) -> FlaskClient:
    """Another browser than the one that signed up."""
    return app.test_client()


def is_confirmed(installation: Installation) -> bool:
    with installation.db.reading() as session:
        user, account = session.exec(select(User)).one(), session.exec(select(Account)).one()
    assert (user.confirmed_at is None) == (account.confirmed_at is None)
    return user.confirmed_at is not None


def test_the_page_shows_business_and_address(other: FlaskClient, link: str) -> None:
    page = other.get(link)
    assert page.status_code == 200
    assert "Doe Inc." in page.text
    assert JANE in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_scanner_that_only_looks_changes_nothing(
    other: FlaskClient, link: str, installation: Installation, method: str
) -> None:
    for _ in range(3):
        other.open(link, method=method)
    assert not is_confirmed(installation)
    assert post(other, link, PASSWORD).status_code == 303


def test_it_confirms_proves_the_mailbox_and_signs_that_browser_in(
    other: FlaskClient, link: str, installation: Installation
) -> None:
    answer = post(other, link, PASSWORD)
    assert (answer.status_code, answer.location) == (303, "/onboarding")
    assert is_confirmed(installation)
    assert other.get("/onboarding").status_code == 200
    with installation.db.reading() as session:
        standing = gateway_standing(session, the_account(installation).id, "kartra.com")
    assert standing.proof is Proof.MAILBOX


def test_the_first_browser_is_not_signed_in_by_it(
    client: FlaskClient, other: FlaskClient, link: str
) -> None:
    post(other, link, PASSWORD)
    assert client.get("/settings/account").status_code == 302


def test_a_wrong_password_confirms_nothing_and_the_link_still_works(
    other: FlaskClient, link: str, installation: Installation
) -> None:
    answer = post(other, link, {"password": "not what Jane chose"})
    assert answer.status_code == 422
    assert "not the password chosen at sign-up" in answer.text
    assert not is_confirmed(installation)
    assert post(other, link, PASSWORD).status_code == 303


def test_wrong_passwords_are_counted(other: FlaskClient, link: str) -> None:
    for _ in range(5):
        post(other, link, {"password": "not what Jane chose"})
    answer = post(other, link, PASSWORD)
    assert answer.status_code == 422
    assert "too many wrong passwords" in answer.text


def test_a_link_works_once(other: FlaskClient, link: str) -> None:
    post(other, link, PASSWORD)
    for answer in (other.get(link), post(other, link, PASSWORD)):
        assert answer.status_code == 410
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_a_link_ends_after_24_hours(
    other: FlaskClient, link: str, installation: Installation
) -> None:
    with installation.db.transaction() as session:
        token = session.exec(select(OneTimeToken)).one()
        assert timedelta(hours=23, minutes=59) < token.expires_at - now() <= timedelta(hours=24)
        session.connection().execute(update(OneTimeToken).values(expires_at=now()))
    assert post(other, link, PASSWORD).status_code == 410
    assert not is_confirmed(installation)


def test_only_the_hash_of_a_link_is_kept(link: str, installation: Installation) -> None:
    with installation.db.reading() as session:
        token = session.exec(select(OneTimeToken)).one()
    assert link.rpartition("/")[2] not in repr(token)


def test_send_again_voids_the_link_before(
    client: FlaskClient, link: str, installation: Installation
) -> None:
    assert post(client, "/signup/again").status_code == 303
    assert client.get(link).status_code == 410
    assert client.get(newest_link(installation, JANE)).status_code == 200


def test_who_forgot_the_password_resets_it_which_confirms_as_well(
    other: FlaskClient, link: str, installation: Installation
) -> None:
    assert "Forgot it?" in other.get(link).text
    post(other, "/forgot", {"email": JANE})
    reset = newest_link(installation, JANE)
    answer = post(other, reset, {"password": "an entirely new sentence"})
    assert (answer.status_code, answer.location) == (303, "/onboarding")
    assert is_confirmed(installation)
    assert other.get(link).status_code == 410
    assert "password_changed" not in templates_to(installation, JANE)


def test_a_person_who_is_not_confirmed_cannot_sign_in_and_is_offered_the_mail_again(
    other: FlaskClient, link: str, installation: Installation
) -> None:
    answer = post(other, "/login", {"email": JANE, **PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/signup/sent")
    page = other.get("/signup/sent").text
    assert "Confirm your address first" in page
    assert "Send again" in page
    assert other.get("/settings/account").status_code == 302
    post(other, "/signup/again")
    assert templates_to(installation, JANE) == ["confirm_signup"] * 2


def test_without_a_csrf_token_it_confirms_nothing(
    other: FlaskClient, link: str, installation: Installation
) -> None:
    assert other.post(link, data=PASSWORD).status_code == 422
    assert not is_confirmed(installation)


def test_a_made_up_link_says_so(client: FlaskClient) -> None:
    for token in ("x", "%00", "a" * 5000, "..%2f..", "%0d%0aSet-Cookie:x"):
        answer = client.get(f"/confirm/{token}")
        assert answer.status_code in (404, 410)
