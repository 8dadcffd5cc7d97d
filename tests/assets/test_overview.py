"""R-ASSET: the list of forms, calendars and products, by kind and by name, fifty at a time."""

import re

import pytest

from kartramail.assets.models import Asset
from kartramail.assets.service import create_asset
from kartramail.clock import now
from kartramail.db import Database
from kartramail.ids import new_id, show_id
from kartramail.senders.choices import choose_sender
from kartramail.senders.models import ChoiceScope
from kartramail.senders.service import load_gateway
from tests.senders.reading import text_of
from tests.support.cast import Actor

PAGE = "/assets"
FRAGMENT = {"HX-Request": "true"}


def add(db: Database, actor: Actor, kind: str, *names: str) -> list[int]:
    """Some of one kind, the last one the newest; their numbers."""
    rows = [Asset(id=new_id(), account_id=actor.account_id, kind=kind, name=n) for n in names]
    numbers = [row.id for row in rows]
    with db.transaction() as session:
        session.add_all(rows)
    return numbers


def names_on(page: str) -> list[str]:
    return re.findall(r'class="row-link" href="[^"]*">([^<]*)<', page)


def test_an_empty_one_says_what_it_is_for_and_has_the_one_button(alice: Actor) -> None:
    answer = alice.get(PAGE)
    assert "There is nothing here yet" in text_of(answer)
    assert len(re.findall(r'class="button[^"]*" href="/assets/new"', answer.text)) == 1


def test_the_words_of_the_house_are_not_on_the_page(alice: Actor, db: Database) -> None:
    add(db, alice, "calendar", "First consultation")
    for path in (PAGE, f"{PAGE}/new", f"{PAGE}?kind=page"):
        words = text_of(alice.get(path)).lower()
        for unwanted in (" asset", "gateway", "stream", "placeholder"):
            assert unwanted not in words, path


def test_each_kind_has_a_tab_with_its_count(alice: Actor, db: Database) -> None:
    add(db, alice, "calendar", "First consultation", "Second consultation")
    add(db, alice, "form", "Newsletter")
    words = text_of(alice.get(PAGE))
    assert "All 3 Forms 1 Calendars 2" in words
    assert "Webinars" not in words.replace("Forms, calendars", "")
    calendars = alice.get(f"{PAGE}?kind=calendar").text
    assert names_on(calendars) == ["Second consultation", "First consultation"]
    assert 'href="/assets/new?kind=calendar"' in calendars


def test_a_kind_that_there_is_none_of_has_its_own_button(alice: Actor, db: Database) -> None:
    add(db, alice, "form", "Newsletter")
    answer = alice.get(f"{PAGE}?kind=webinar")
    assert "There is no webinar yet" in text_of(answer)
    assert "Add a webinar" in text_of(answer)


def test_a_row_leads_to_what_it_sends(alice: Actor, db: Database) -> None:
    (number,) = add(db, alice, "calendar", "First consultation")
    assert f'href="/assets/calendar/{show_id(number)}/notifications"' in alice.get(PAGE).text


def test_it_says_which_have_a_sender_of_their_own(alice: Actor, db: Database) -> None:
    own, _ = add(db, alice, "calendar", "With its own", "Like the others")
    with db.transaction() as session:
        sender = load_gateway(session, alice.account_id)
        place = (alice.account_id, ChoiceScope.ASSET, own, "calendar.booked")
        choose_sender(session, *place, sender.sender_id)
    words = text_of(alice.get(PAGE))
    assert re.search(rf"With its own Calendar (?:· )?{sender.name} {sender.name}", words)
    assert "Like the others Calendar Default sender" in words


def test_fifty_are_on_a_page_and_the_next_ones_one_click_away(alice: Actor, db: Database) -> None:
    add(db, alice, "form", *(f"Form {n:03}" for n in range(120)))
    seen, path = [], f"{PAGE}?kind=form"
    for number in (50, 50, 20):
        page = alice.get(path).text
        assert len(names_on(page)) == number
        seen += names_on(page)
        found = re.search(r'href="([^"]*cursor=[^"]*)"', page)
        path = found[1].replace("&amp;", "&") if found else ""
    assert seen == [f"Form {n:03}" for n in reversed(range(120))]
    assert path == ""


@pytest.mark.parametrize("typed", ["zo\u00eb", "ZO\u00cb", "  Zoe\u0308  ", "o\u00eb\u2019s b"])
def test_a_name_is_found_by_any_part_of_it_whatever_its_case(
    alice: Actor, db: Database, typed: str
) -> None:
    add(db, alice, "form", "Zo\u00eb\u2019s B\u00e4ckerei", *(f"Form {n}" for n in range(20)))
    assert names_on(alice.get(PAGE, query_string={"q": typed}).text) == [
        "Zo\u00eb\u2019s B\u00e4ckerei"
    ]


@pytest.mark.parametrize("typed", ["%", "_", "\\", "100%_"])
def test_what_means_something_to_a_database_means_nothing_in_a_search(
    alice: Actor, db: Database, typed: str
) -> None:
    add(db, alice, "form", "Plain", f"With {typed} in it")
    assert names_on(alice.get(PAGE, query_string={"q": typed}).text) == [f"With {typed} in it"]


def test_a_search_stays_within_its_kind_and_goes_on_with_its_pages(
    alice: Actor, db: Database
) -> None:
    add(db, alice, "calendar", *(f"Yoga {n}" for n in range(60)))
    add(db, alice, "form", "Yoga form")
    page = alice.get(f"{PAGE}?kind=calendar&q=yoga").text
    assert len(names_on(page)) == 50
    assert "Yoga form" not in page
    found = re.search(r'href="([^"]*cursor=[^"]*)"', page)
    assert found is not None
    older = alice.get(found[1].replace("&amp;", "&")).text
    assert names_on(older) == [f"Yoga {n}" for n in reversed(range(10))]


def test_while_one_types_only_the_list_comes_and_what_was_found_is_said(
    alice: Actor, db: Database
) -> None:
    add(db, alice, "form", *(f"Form {n}" for n in range(20)))
    answer = alice.get(f"{PAGE}?q=form+1", headers=FRAGMENT)
    assert "<html" not in answer.text
    assert "11 are found with “form 1” in the name." in text_of(answer)
    nothing = alice.get(f"{PAGE}?q=none+of+these", headers=FRAGMENT)
    assert "There is none with “none of these” in its name." in text_of(nothing)
    assert "Show all" in nothing.text


@pytest.mark.parametrize(
    "query", ["kind=quiz", "cursor=nothing", "cursor=0000000000000x", "kind=form&cursor=-1"]
)
def test_what_is_not_there_is_not_found(alice: Actor, query: str) -> None:
    assert alice.get(f"{PAGE}?{query}").status_code == 404


@pytest.mark.parametrize("typed", ["\0", "x" * 5000, "<script>", "\u202e", "{{ 7 * 7 }}", "'; --"])
def test_anything_can_be_looked_for(alice: Actor, db: Database, typed: str) -> None:
    add(db, alice, "form", "Newsletter")
    assert alice.get(PAGE, query_string={"q": typed}).status_code == 200


def test_a_stranger_sees_none_of_them(alice: Actor, charlie: Actor, db: Database) -> None:
    (number,) = add(db, alice, "form", "Only for Alice")
    for query in ("", "?q=Alice", f"?cursor={show_id(number + 1)}"):
        assert "Only for Alice" not in charlie.get(f"{PAGE}{query}").text
    assert "nothing here yet" in text_of(charlie.get(PAGE))


def test_ten_thousand_are_listed_and_searched(alice: Actor, db: Database) -> None:
    with db.transaction() as session:
        session.connection().execute(
            Asset.__table__.insert(),  # type: ignore[attr-defined]
            [
                {
                    "id": new_id(),
                    "account_id": alice.account_id,
                    "kind": "form",
                    "name": f"Form {number}",
                    "created_at": now(),
                }
                for number in range(10_000)
            ],
        )
    page = alice.get(PAGE).text
    assert "10,000" in page
    assert len(names_on(page)) == 50
    assert names_on(alice.get(f"{PAGE}?q=form+9876").text) == ["Form 9876"]


def test_the_newest_come_first_whatever_their_kind(alice: Actor, db: Database) -> None:
    with db.transaction() as session:
        for kind, name in (("form", "One"), ("calendar", "Two"), ("form", "Three")):
            create_asset(session, alice.account_id, kind, name)
    assert names_on(alice.get(PAGE).text) == ["Three", "Two", "One"]
