"""One's own name and password."""

import pytest
from flask import Flask

from kartramail.installation import Installation
from tests.support.cast import PASSWORD, Actor, post, sign_in
from tests.support.mailbox import templates_to

NEW = "another sentence for Alice"


def change(actor: Actor, current: str = PASSWORD, new: str = NEW) -> int:
    form = {"current_password": current, "new_password": new}
    return actor.post("/settings/profile/password", form).status_code


def test_a_new_password_signs_out_every_other_browser_and_keeps_this_one(
    app: Flask, alice: Actor, installation: Installation
) -> None:
    other = app.test_client()
    sign_in(other, alice.user_id, alice.account_id)
    old_cookie = alice.client.get_cookie("kartramail")
    assert old_cookie is not None
    assert change(alice) == 303
    assert alice.get("/settings/profile").status_code == 200
    assert other.get("/settings/profile").status_code == 302
    thief = app.test_client()
    thief.set_cookie("kartramail", old_cookie.value)
    assert thief.get("/settings/profile").status_code == 302
    assert templates_to(installation, alice.email) == ["password_changed"]


def test_the_new_password_signs_in(app: Flask, alice: Actor) -> None:
    change(alice)
    form = {"email": alice.email, "password": NEW}
    assert post(app.test_client(), "/login", form).status_code == 303


def test_it_asks_for_the_current_one(alice: Actor) -> None:
    assert change(alice, current="not mine") == 422
    assert change(alice, current="") == 422


def test_guessing_the_current_one_waits(alice: Actor) -> None:
    for _ in range(5):
        change(alice, current="not mine")
    form = {"current_password": PASSWORD, "new_password": NEW}
    assert "too many wrong passwords" in alice.post("/settings/profile/password", form).text


@pytest.mark.parametrize("new", ["", "short", "alice@doeinc.com", "Doe Inc.", "y" * 300])
def test_the_rules_for_passwords_hold(alice: Actor, new: str) -> None:
    assert change(alice, new=new) == 422


def test_a_name_is_changed_with_a_line_of_history(alice: Actor) -> None:
    assert alice.post("/settings/profile/name", {"full_name": "Alice Q. Doe"}).status_code == 303
    page = alice.get("/settings/account").text
    assert "Alice Q. Doe" in page
    assert "Changed their name: Name from “Alice Doe” to “Alice Q. Doe”" in page


@pytest.mark.parametrize("name", ["", "A\r\nBcc: x", "A\u2028", "A\x85", "A\x00", "z" * 10_000])
def test_a_hostile_name_is_refused(alice: Actor, name: str) -> None:
    assert alice.post("/settings/profile/name", {"full_name": name}).status_code == 422


def test_html_in_a_name_is_only_text(alice: Actor) -> None:
    alice.post("/settings/profile/name", {"full_name": "<script>alert(1)</script>"})
    assert "<script>alert" not in alice.get("/settings/team").text


def test_it_needs_a_csrf_token(alice: Actor) -> None:
    data = {"current_password": PASSWORD, "new_password": NEW, "full_name": "X"}
    assert alice.client.post("/settings/profile/password", data=data).status_code == 422
    answer = alice.client.post("/settings/profile/name", data=data)
    assert answer.status_code == 422
    assert 'value="X"' in answer.text
