"""Settings › Account: owners save, two windows cannot overwrite each other silently (R-SAVE)."""

import pytest
from flask import Flask

from kartramail.accounts.service import AccountDetails, load_account
from kartramail.installation import Installation
from tests.support.cast import Actor

FORM = {
    "business_name": "Doe & Daughters",
    "postal_address": "1 Main Street\r\nDoetown",
    "time_zone": "Europe/Berlin",
    "version": "1",
}
BEFORE = AccountDetails("Doe Inc.", "", "UTC", 1)


def details(installation: Installation, actor: Actor) -> AccountDetails:
    with installation.db.reading() as session:
        return load_account(session, actor.account_id)


def test_an_owner_saves(alice: Actor, installation: Installation) -> None:
    assert alice.post("/settings/account", FORM).status_code == 303
    assert details(installation, alice) == AccountDetails(
        "Doe & Daughters", "1 Main Street\nDoetown", "Europe/Berlin", 2
    )


def test_the_history_says_who_changed_what(alice: Actor) -> None:
    alice.post("/settings/account", FORM)
    page = alice.get("/settings/account").text
    assert "Business name from “Doe Inc.” to “Doe &amp; Daughters”" in page
    assert "Alice Doe" in page


def test_saving_what_is_there_writes_no_history(alice: Actor) -> None:
    form = {"business_name": "Doe Inc.", "postal_address": "", "time_zone": "UTC", "version": "1"}
    assert alice.post("/settings/account", form).status_code == 303
    assert "Changed the account" not in alice.get("/settings/account").text


def test_the_later_of_two_windows_is_told_and_keeps_what_it_typed(
    alice: Actor, installation: Installation
) -> None:
    alice.post("/settings/account", FORM)
    answer = alice.post("/settings/account", FORM | {"business_name": "Doe and Sons"})
    assert answer.status_code == 409
    assert "Somebody else saved this account" in answer.text
    assert 'value="Doe and Sons"' in answer.text
    assert 'name="version" type="hidden" value="2"' in answer.text
    assert details(installation, alice).business_name == "Doe & Daughters"
    again = alice.post(
        "/settings/account", FORM | {"business_name": "Doe and Sons", "version": "2"}
    )
    assert again.status_code == 303
    assert details(installation, alice).business_name == "Doe and Sons"


def test_the_second_of_two_presses_is_no_conflict(alice: Actor, installation: Installation) -> None:
    for _ in range(2):
        assert alice.post("/settings/account", FORM).status_code == 303
    assert details(installation, alice).version == 2


def test_without_a_version_there_is_no_check(alice: Actor) -> None:
    form = {name: value for name, value in FORM.items() if name != "version"}
    assert alice.post("/settings/account", form).status_code == 303


@pytest.mark.parametrize(
    "changes",
    [
        {"business_name": ""},
        {"business_name": "Doe\x0bInc"},
        {"business_name": "Doe\r\nInc"},
        {"business_name": "Doe\x85"},
        {"business_name": "D" * 10_000},
        {"postal_address": "a" * 501},
        {"postal_address": "1 Main\x00Street"},
        {"postal_address": "1 Main\u2028Street"},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
        {"time_zone": ""},
        {"version": "9" * 40},
        {"version": "one"},
    ],
)
def test_hostile_values_are_refused_and_nothing_is_saved(
    alice: Actor, installation: Installation, changes: dict[str, str]
) -> None:
    assert alice.post("/settings/account", FORM | changes).status_code == 422
    assert details(installation, alice) == BEFORE


def test_a_member_sees_and_cannot_save(
    alice: Actor, bob: Actor, installation: Installation
) -> None:
    page = bob.get("/settings/account")
    assert "Doe Inc." in page.text
    assert 'name="business_name"' not in page.text
    assert bob.post("/settings/account", FORM).status_code == 403
    assert details(installation, alice) == BEFORE


def test_charlie_saves_only_his_own(
    alice: Actor, charlie: Actor, installation: Installation
) -> None:
    charlie.post("/settings/account", FORM)
    assert details(installation, alice) == BEFORE


def test_without_a_csrf_token_what_was_typed_is_kept(
    alice: Actor, installation: Installation
) -> None:
    answer = alice.client.post("/settings/account", data=FORM)
    assert answer.status_code == 422
    assert "Doe &amp; Daughters" in answer.text
    assert details(installation, alice) == BEFORE


def test_strangers_sign_in_first(app: Flask) -> None:
    answer = app.test_client().get("/settings/account")
    assert answer.location == "/login?next=/settings/account"
