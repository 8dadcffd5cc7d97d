"""R-SAVE, R-EDIT: another tab, a lost session, another account: nothing typed is lost."""

import random
from urllib.parse import parse_qs, urlsplit

from flask import Flask

from kartramail.db import Database
from kartramail.ids import show_id
from tests.assets.editing import BOOKED, of_one, setting_of, typed, value_of
from tests.senders.reading import text_of
from tests.support.cast import PASSWORD, Actor, post
from tests.support.events import add_asset


def test_another_tab_is_told_and_keeps_what_it_typed(
    alice: Actor, bob: Actor, db: Database
) -> None:
    opened = typed(db, alice, subject="Slow")
    bob.post(BOOKED, typed(db, alice, subject="Fast"))
    answer = alice.post(BOOKED, opened)
    assert answer.status_code == 409
    assert "Not saved: Bob Roe changed this notification" in text_of(answer)
    assert value_of(answer, "subject") == "Slow"
    assert setting_of(db, alice).subject == "Fast"
    again = opened | {"version": value_of(answer, "version")}
    assert alice.post(BOOKED, again).status_code == 303, "the next press is on purpose"
    assert setting_of(db, alice).subject == "Slow"


def test_without_a_version_there_is_no_check(alice: Actor, db: Database) -> None:
    alice.post(BOOKED, typed(db, alice, subject="First"))
    alice.post(BOOKED, typed(db, alice, subject="Second", version=""))
    assert setting_of(db, alice).subject == "Second"


def test_a_lost_session_carries_what_was_typed_through_the_sign_in_page(
    app: Flask, alice: Actor, db: Database
) -> None:
    stranger = app.test_client()
    fields = typed(db, alice, subject="Typed", opened_in=show_id(alice.account_id))
    page = post(stranger, BOOKED, fields)
    assert page.status_code == 401
    assert "What you typed is kept" in text_of(page)
    resume = page.text.partition('name="resume"')[2].partition('value="')[2].partition('"')[0]
    login = {"email": alice.email, "password": PASSWORD, "resume": resume, "next": BOOKED}
    there = post(stranger, "/login", login)
    assert parse_qs(urlsplit(there.location).query)["resume"] == [resume]
    back = stranger.get(there.location)
    assert value_of(back, "subject") == "Typed"
    assert "Not saved yet" in text_of(back)
    assert setting_of(db, alice).version == 0


def test_what_is_too_much_to_carry_waits_on_the_page_that_was_sent(
    app: Flask, alice: Actor, db: Database
) -> None:
    html = "<p>" + "".join(random.Random(1).choices("abcdefghij klmnop", k=20_000)) + "</p>"
    stranger = app.test_client()
    page = post(stranger, BOOKED, typed(db, alice, html=html))
    assert page.status_code == 401
    assert "Sign in in another tab" in text_of(page)
    assert html[3:-4] in page.text
    assert f'action="{BOOKED}"' in page.text
    assert setting_of(db, alice).version == 0


def test_another_site_gets_no_page_that_carries_its_values(app: Flask) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = post(app.test_client(), BOOKED, {"subject": "Planted"}, headers=headers)
    assert answer.status_code == 303
    assert "resume" not in answer.location


def test_a_renewed_session_asks_to_press_once_more(alice: Actor, db: Database) -> None:
    answer = alice.client.post(BOOKED, data=typed(db, alice, subject="Typed"))
    assert answer.status_code == 422
    assert "press Save once more" in text_of(answer)
    assert value_of(answer, "subject") == "Typed"
    assert setting_of(db, alice).version == 0


def test_a_form_of_another_account_is_kept_and_not_saved(
    alice: Actor, charlie: Actor, db: Database
) -> None:
    fields = typed(db, charlie, subject="Typed there", opened_in=show_id(charlie.account_id))
    answer = alice.post(BOOKED, fields | {"sender_id": "0000000000001"})
    assert answer.status_code == 409
    assert "Nothing is saved." in text_of(answer)
    assert value_of(answer, "subject") == "Typed there"
    assert setting_of(db, alice).version == 0


def test_the_form_of_one_calendar_is_saved_by_its_own_version(alice: Actor, db: Database) -> None:
    alice.post(BOOKED, typed(db, alice, subject="Everywhere"))
    calendar = add_asset(db, alice.account_id)
    assert alice.post(of_one(calendar), typed(db, alice, version="0")).status_code == 303
