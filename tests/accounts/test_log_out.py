"""Signing out (R-SAFE): a POST, and a copy of the cookie is worth nothing afterwards."""

from flask import Flask

from tests.support.cast import Actor


def test_it_signs_out(alice: Actor) -> None:
    assert alice.post("/logout").location == "/login"
    assert alice.get("/settings/account").status_code == 302


def test_the_old_cookie_replayed_is_nobody(app: Flask, alice: Actor) -> None:
    cookie = alice.client.get_cookie("kartramail")
    assert cookie is not None
    alice.post("/logout")
    thief = app.test_client()
    thief.set_cookie("kartramail", cookie.value)
    assert thief.get("/settings/account").status_code == 302


def test_looking_at_it_does_nothing(alice: Actor) -> None:
    assert alice.get("/logout").status_code == 405
    assert alice.get("/settings/account").status_code == 200


def test_another_site_cannot_do_it(alice: Actor) -> None:
    assert alice.client.post("/logout").status_code == 400
    assert alice.get("/settings/account").status_code == 200


def test_other_browsers_stay_signed_in(alice: Actor, bob: Actor) -> None:
    alice.post("/logout")
    assert bob.get("/settings/account").status_code == 200
