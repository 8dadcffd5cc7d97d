"""Forms, calendars and products of an account: made, found, listed (R-ASSET, R-SAFE)."""

import pytest
from sqlmodel import insert

from kartramail.accounts.history import list_changes
from kartramail.accounts.history_words import describe_change
from kartramail.assets import service
from kartramail.assets.models import Asset
from kartramail.assets.service import (
    MOST_ASSETS,
    asset_names,
    count_assets,
    create_asset,
    find_asset,
    list_assets,
)
from kartramail.clock import now
from kartramail.db import Database
from kartramail.errors import InvalidInput
from kartramail.ids import new_id
from tests.support.cast import Actor


def make(db: Database, account_id: int, kind: str, name: str) -> Asset:
    with db.transaction() as session:
        return create_asset(session, account_id, kind, name)


def test_it_is_there_and_in_the_history(db: Database, alice: Actor) -> None:
    with db.transaction() as session:
        made = create_asset(session, alice.account_id, "calendar", "Advice", user_id=alice.user_id)
    with db.reading() as session:
        found = find_asset(session, alice.account_id, made.id)
        change = list_changes(session, alice.account_id)[0]
    assert found is not None
    assert (found.kind, found.name) == ("calendar", "Advice")
    assert describe_change(change) == "Made the calendar Advice"
    assert change.who == alice.full_name


@pytest.mark.parametrize("name", ["A", "w" * 200, "Ça va ?", "日本語の講座", "עברית", "🌱 Seeds"])
def test_any_script_is_welcome(db: Database, alice: Actor, name: str) -> None:
    assert make(db, alice.account_id, "product", name).name == name


def test_spaces_are_forgiven(db: Database, alice: Actor) -> None:
    assert make(db, alice.account_id, "product", "  The   course ").name == "The course"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "name_empty"),
        ("   ", "name_empty"),
        ("w" * 201, "name_too_long"),
        ("two\nlines", "name_control"),
        ("nul\x00", "name_control"),
        ("a\u202eb", "name_control"),
        ("half \ud800", "name_control"),
        ("para\u2029graph", "name_control"),
    ],
)
def test_it_refuses_what_is_no_name(db: Database, alice: Actor, name: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        make(db, alice.account_id, "product", name)
    assert refused.value.code == code
    assert set(refused.value.faults) == {"name"}


def test_it_refuses_an_unknown_kind(db: Database, alice: Actor) -> None:
    with pytest.raises(InvalidInput) as refused:
        make(db, alice.account_id, "casino", "Roulette")
    assert refused.value.code == "unknown_kind"
    assert "calendar" in refused.value.faults["kind"]


def test_it_says_when_there_are_too_many(
    db: Database, alice: Actor, charlie: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_ASSETS == 20_000
    monkeypatch.setattr(service, "MOST_ASSETS", 2)
    make(db, alice.account_id, "form", "One")
    make(db, alice.account_id, "survey", "Two")
    with pytest.raises(InvalidInput) as refused:
        make(db, alice.account_id, "form", "Three")
    assert refused.value.code == "too_many"
    make(db, charlie.account_id, "form", "Charlie has room")


def test_lists_go_by_kind_and_page_the_newest_first(db: Database, alice: Actor) -> None:
    forms = [make(db, alice.account_id, "form", f"Form {n}").id for n in range(5)]
    make(db, alice.account_id, "survey", "Survey")
    with db.reading() as session:
        first = list_assets(session, alice.account_id, kind="form", limit=3)
        rest = list_assets(session, alice.account_id, kind="form", cursor=first[-1].id, limit=3)
        everything = list_assets(session, alice.account_id, limit=100)
        counts = count_assets(session, alice.account_id)
    assert [one.id for one in [*first, *rest]] == forms[::-1]
    assert len(everything) == 6
    assert counts == {"form": 5, "survey": 1}


def test_nobody_else_finds_them(db: Database, alice: Actor, charlie: Actor) -> None:
    made = make(db, alice.account_id, "form", "Alice's")
    with db.reading() as session:
        assert find_asset(session, charlie.account_id, made.id) is None
        assert list_assets(session, charlie.account_id, limit=10) == []
        assert asset_names(session, charlie.account_id, [made.id]) == {}
        assert count_assets(session, charlie.account_id) == {}


def test_names_of_thousands_at_once(db: Database, alice: Actor) -> None:
    rows = [
        {
            "id": new_id(),
            "account_id": alice.account_id,
            "kind": "form",
            "name": f"Form {n}",
            "created_at": now(),
        }
        for n in range(1200)
    ]
    with db.transaction() as session:
        session.connection().execute(insert(Asset), rows)
    with db.reading() as session:
        names = asset_names(session, alice.account_id, [*(row["id"] for row in rows), 5])
    assert names == {row["id"]: ("form", row["name"]) for row in rows}
