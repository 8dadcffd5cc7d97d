"""Joining by an invitation: somebody new, known or signed in; once, for one address."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select, update

from kartramail.accounts.joining import join_as_new_person
from kartramail.accounts.models import Account, Membership, OneTimeToken, Role, User
from kartramail.clock import now
from kartramail.installation import Installation
from kartramail.rules.addresses import judge_signup_address
from tests.onboarding.test_sign_up import sign_up
from tests.support.cast import PASSWORD, Actor, cheap_hash, post
from tests.support.mailbox import newest_link

DORA = "dora@doeinc.com"
NEW = {"full_name": "Dora Moe", "password": "a sentence that Dora remembers"}


def invited(
    alice: Actor, installation: Installation, email: str = DORA, role: str = "member"
) -> str:
    answer = alice.post("/settings/team", {"email": email, "role": role})
    assert answer.status_code == 303
    return newest_link(installation, email)


def test_the_page_says_who_invites_to_what_and_looking_changes_nothing(
    alice: Actor, client: FlaskClient, installation: Installation
) -> None:
    link = invited(alice, installation)
    for method in ("GET", "HEAD", "GET"):
        page = client.open(link, method=method)
        assert page.status_code == 200
        assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "Alice Doe invites dora@doeinc.com into the team" in page.text
    assert "Join Doe Inc." in page.text


def test_somebody_new_chooses_name_and_password(
    alice: Actor, client: FlaskClient, installation: Installation
) -> None:
    answer = post(client, invited(alice, installation), NEW)
    assert (answer.status_code, answer.location) == (303, "/")
    assert "Dora Moe" in client.get("/settings/team").text
    assert "Invited" not in client.get("/settings/team").text
    with installation.db.reading() as session:
        user = session.exec(select(User).where(User.email == DORA)).one()
        membership = session.get(Membership, (alice.account_id, user.id))
    assert user.confirmed_at is not None
    assert membership is not None
    assert membership.role is Role.MEMBER


def test_somebody_known_types_their_password(
    alice: Actor, charlie: Actor, client: FlaskClient, installation: Installation
) -> None:
    link = invited(alice, installation, charlie.email, "owner")
    assert 'name="full_name"' not in client.get(link).text
    assert post(client, link, {"password": "wrong"}).status_code == 422
    assert post(client, link, {"password": PASSWORD}).status_code == 303
    assert "Doe Inc." in client.get("/settings/account").text


def test_somebody_signed_in_presses_a_button(
    alice: Actor, charlie: Actor, installation: Installation
) -> None:
    link = invited(alice, installation, charlie.email)
    assert 'name="password"' not in charlie.get(link).text
    assert charlie.post(link).status_code == 303
    assert "alice@doeinc.com" in charlie.get("/settings/team").text


def test_charlie_cannot_take_doras_place(
    alice: Actor, charlie: Actor, installation: Installation
) -> None:
    """Who is signed in as somebody else has to be Dora to join, and joins as Dora."""
    link = invited(alice, installation)
    assert charlie.post(link).status_code == 422
    assert charlie.post(link, {"password": PASSWORD}).status_code == 422
    with installation.db.reading() as session:
        assert session.get(Membership, (alice.account_id, charlie.user_id)) is None


def test_a_link_works_once(alice: Actor, app: Flask, installation: Installation) -> None:
    link = invited(alice, installation)
    assert post(app.test_client(), link, NEW).status_code == 303
    assert post(app.test_client(), link, NEW).status_code == 410


def test_a_link_ends_after_seven_days(
    alice: Actor, client: FlaskClient, installation: Installation
) -> None:
    link = invited(alice, installation)
    with installation.db.transaction() as session:
        session.connection().execute(update(OneTimeToken).values(expires_at=now()))
    assert client.get(link).status_code == 410
    assert post(client, link, NEW).status_code == 410


def test_many_at_once_join_once(alice: Actor, installation: Installation) -> None:
    raw = invited(alice, installation).rpartition("/")[2]
    address = judge_signup_address(DORA, installation.address_policy()).address
    assert address is not None

    def join(_: int) -> bool:
        with installation.db.transaction() as session:
            joined = join_as_new_person(session, raw, address, "Dora Moe", cheap_hash("x"))
        return joined is not None

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(join, range(6))).count(True) == 1


def test_a_sign_up_that_was_never_confirmed_gives_way(
    alice: Actor, client: FlaskClient, app: Flask, installation: Installation
) -> None:
    """Somebody may have signed up with Dora's address before Dora came: nothing of theirs stays."""
    sign_up(app.test_client(), email=DORA, business_name="Not Dora's")
    confirm_link = newest_link(installation, DORA)
    assert post(client, invited(alice, installation), NEW).status_code == 303
    assert client.get(confirm_link).status_code == 410
    form = {"email": DORA, "password": "a sentence that Jane remembers"}
    assert post(app.test_client(), "/login", form).status_code == 422
    with installation.db.reading() as session:
        left = session.exec(select(Account).where(Account.business_name == "Not Dora's")).one()
    assert left.deleted_at is not None


@pytest.mark.parametrize(
    "changes",
    [
        {"full_name": ""},
        {"full_name": "D\r\nBcc: x"},
        {"full_name": "D\u2028"},
        {"full_name": "D\x00"},
        {"full_name": "d" * 10_000},
        {"password": "short"},
        {"password": DORA},
        {"password": "Doe Inc."},
    ],
)
def test_the_rules_of_sign_up_hold(
    alice: Actor, client: FlaskClient, installation: Installation, changes: dict[str, str]
) -> None:
    assert post(client, invited(alice, installation), NEW | changes).status_code == 422


def test_it_needs_a_csrf_token(
    alice: Actor, client: FlaskClient, installation: Installation
) -> None:
    answer = client.post(invited(alice, installation), data=NEW)
    assert answer.status_code == 422
    assert 'value="Dora Moe"' in answer.text
