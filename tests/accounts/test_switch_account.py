"""A person in several accounts looks at one at a time, and only at their own."""

from flask import Flask

from kartramail.accounts.models import Membership, Role
from kartramail.ids import show_id
from kartramail.installation import Installation
from tests.support.cast import PASSWORD, Actor, post


def test_it_switches_and_the_next_sign_in_remembers(
    app: Flask, alice: Actor, charlie: Actor, installation: Installation
) -> None:
    with installation.db.transaction() as session:
        session.add(
            Membership(account_id=alice.account_id, user_id=charlie.user_id, role=Role.MEMBER)
        )
    assert "Go to Doe Inc." in charlie.get("/settings/profile").text
    assert charlie.post("/account/switch", {"account": show_id(alice.account_id)}).location == "/"
    assert "alice@doeinc.com" in charlie.get("/settings/team").text
    again = app.test_client()
    post(again, "/login", {"email": charlie.email, "password": PASSWORD})
    assert "alice@doeinc.com" in again.get("/settings/team").text


def test_charlie_cannot_look_at_alices_account(alice: Actor, charlie: Actor) -> None:
    for account in (show_id(alice.account_id), "nonsense", ""):
        assert charlie.post("/account/switch", {"account": account}).status_code == 404
    assert "Your Company" in charlie.get("/settings/account").text


def test_it_needs_a_csrf_token(alice: Actor) -> None:
    data = {"account": show_id(alice.account_id)}
    assert alice.client.post("/account/switch", data=data).status_code == 400
