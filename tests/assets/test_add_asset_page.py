"""R-ASSET: a new form, calendar or product: what it is, and its name; what was typed is kept."""

import re

import pytest

from kartramail.assets.kinds import KINDS
from kartramail.assets.service import MOST_ASSETS, count_assets, list_assets
from kartramail.db import Database
from kartramail.ids import show_id
from tests.senders.reading import text_of
from tests.support.cast import PASSWORD, Actor, post

PATH = "/assets/new"


def names(db: Database, actor: Actor) -> list[tuple[str, str]]:
    with db.reading() as session:
        return [(one.kind, one.name) for one in list_assets(session, actor.account_id, limit=50)]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_can_be_added_and_leads_to_what_it_sends(
    alice: Actor, db: Database, kind: str
) -> None:
    answer = alice.post(PATH, {"kind": kind, "name": "  Getting   started "})
    assert answer.status_code == 303
    with db.reading() as session:
        (asset,) = list_assets(session, alice.account_id, limit=2)
    assert (asset.kind, asset.name) == (kind, "Getting started")
    assert answer.location == f"/assets/{kind}/{show_id(asset.id)}/notifications"
    assert "Added." in text_of(alice.get(answer.location))


def test_it_shows_each_kind_with_a_picture_and_what_it_sends(alice: Actor) -> None:
    page = alice.get(PATH).text
    words = text_of(alice.get(PATH))
    for kind in KINDS.values():
        assert f'type="radio" name="kind" value="{kind.name}"' in page
        assert f"icon-{kind.icon}" in page
        assert kind.title in words
    assert "Receipt, refund, failed payment, subscription cancelled" in words


def test_the_kind_of_the_list_is_chosen_already(alice: Actor) -> None:
    page = alice.get(f"{PATH}?kind=webinar").text
    assert re.findall(r'value="(\w+)" checked', page) == ["webinar"]
    assert alice.get(f"{PATH}?kind=quiz").status_code == 200


@pytest.mark.parametrize(
    ("kind", "name", "says"),
    [
        ("calendar", "", "Type a name"),
        ("calendar", "x" * 201, "there is room for 200"),
        ("calendar", "two\nlines", "line break"),
        ("", "Typed", "Choose what it is"),
        ("quiz", "Typed", "Choose what it is"),
    ],
)
def test_what_does_not_fit_is_refused_with_all_that_was_typed(
    alice: Actor, db: Database, kind: str, name: str, says: str
) -> None:
    answer = alice.post(PATH, {"kind": kind, "name": name})
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert "Nothing is saved yet" in answer.text
    if kind in KINDS:
        assert f'value="{kind}" checked' in answer.text
    assert f'value="{name}"' in answer.text
    assert names(db, alice) == []


def test_a_form_that_lay_open_over_night_keeps_what_was_typed(alice: Actor, db: Database) -> None:
    data = {"kind": "form", "name": "Typed at night", "csrf_token": "old"}
    answer = alice.client.post(PATH, data=data)
    assert answer.status_code == 422
    assert 'value="Typed at night"' in answer.text
    assert 'value="form" checked' in answer.text
    assert names(db, alice) == []


def test_a_lost_session_does_not_lose_what_was_typed(alice: Actor, db: Database) -> None:
    alice.post("/logout")
    asked = post(alice.client, PATH, {"kind": "form", "name": "Before signing in"})
    assert asked.status_code == 401
    resume = re.search(r'name="resume"[^>]*value="([^"]+)"', asked.text)
    assert resume is not None
    login = {"email": alice.email, "password": PASSWORD, "resume": resume[1]}
    back = post(alice.client, "/login", login).location
    page = alice.get(back).text
    assert 'value="Before signing in"' in page
    assert "Not added yet" in page
    assert names(db, alice) == []


def test_no_more_than_an_account_can_have(
    alice: Actor, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_ASSETS >= 10_000
    monkeypatch.setattr("kartramail.assets.service.MOST_ASSETS", 1)
    assert alice.post(PATH, {"kind": "form", "name": "One"}).status_code == 303
    answer = alice.post(PATH, {"kind": "form", "name": "Two"})
    assert answer.status_code == 422
    assert "as many as an account can have" in text_of(answer)
    with db.reading() as session:
        assert count_assets(session, alice.account_id) == {"form": 1}
