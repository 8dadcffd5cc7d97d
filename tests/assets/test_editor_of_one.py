"""R-ASSET: the same editor for one calendar: inherited, its own, and back."""

import pytest

from kartramail.db import Database
from kartramail.ids import show_id
from tests.assets.editing import BOOKED, of_one, setting_of, tree_of, typed, value_of
from tests.senders.further import add, choose_everywhere
from tests.senders.reading import text_of
from tests.support.cast import Actor
from tests.support.events import add_asset


@pytest.fixture
def calendar(alice: Actor, db: Database) -> int:
    return add_asset(db, alice.account_id, "calendar", "First consultation")


def test_inherited_words_are_shown_as_inherited(alice: Actor, db: Database, calendar: int) -> None:
    alice.post(BOOKED, typed(db, alice, subject="Everywhere"))
    page = alice.get(of_one(calendar))
    assert value_of(page, "subject") == "Everywhere"
    assert text_of(page).count("Inherited") == 3
    assert "Only First consultation uses what you save here." in text_of(page)


def test_it_gets_words_of_its_own_and_everywhere_stays(
    alice: Actor, db: Database, calendar: int
) -> None:
    answer = alice.post(of_one(calendar), typed(db, alice, subject="Its own"))
    assert (answer.status_code, answer.location) == (303, of_one(calendar))
    assert setting_of(db, alice, asset_id=calendar).subject == "Its own"
    assert setting_of(db, alice).version == 0
    page = alice.get(of_one(calendar))
    assert "Booking confirmed of First consultation has words of its own." in text_of(page)
    assert text_of(page).count("Inherited") == 2


def test_what_it_did_not_change_follows_what_holds_everywhere(
    alice: Actor, db: Database, calendar: int
) -> None:
    alice.post(of_one(calendar), typed(db, alice, subject="Its own"))
    alice.post(BOOKED, typed(db, alice, html="<p>New words everywhere</p>"))
    now = setting_of(db, alice, asset_id=calendar)
    assert (now.subject, now.html) == ("Its own", "<p>New words everywhere</p>")


def test_one_press_returns_to_what_is_inherited(alice: Actor, db: Database, calendar: int) -> None:
    ours = setting_of(db, alice).subject
    alice.post(of_one(calendar), typed(db, alice, subject="Its own"))
    fields = typed(db, alice, subject="Its own", version="1") | {"return": "subject"}
    answer = alice.post(of_one(calendar), fields)
    assert value_of(answer, "subject") == ours
    assert "subject" in setting_of(db, alice, asset_id=calendar).inherited


def test_its_sender_goes_before_the_one_everywhere(
    alice: Actor, db: Database, calendar: int
) -> None:
    everywhere = add(db, alice.account_id)
    own = add(db, alice.account_id, "calls@doeinc.com", "Doe calls")
    choose_everywhere(db, alice.account_id, everywhere, "calendar.booked")
    page = alice.get(of_one(calendar))
    (inherited,) = tree_of(page).xpath("//label[input[@name='sender_id'][@value='']]")
    assert "Doe support" in inherited.text_content()
    alice.post(of_one(calendar), typed(db, alice, sender_id=show_id(own)))
    assert setting_of(db, alice, asset_id=calendar).sender_id == own
    assert setting_of(db, alice).sender_id == everywhere


def test_fixed_words_say_why_and_are_not_taken(alice: Actor, db: Database, calendar: int) -> None:
    path = of_one(calendar, "calendar.cancelled")
    page = alice.get(path)
    assert "All calendars share its text." in text_of(page)
    assert not tree_of(page).xpath("//textarea")
    alice.post(path, typed(db, alice, "calendar.cancelled", subject="Its own"))
    assert setting_of(db, alice, "calendar.cancelled", calendar).version == 0


@pytest.mark.parametrize("part", ["", "/preview"])
def test_nobody_else_finds_it(alice: Actor, charlie: Actor, calendar: int, part: str) -> None:
    assert alice.get(of_one(calendar) + part).status_code == 200
    assert charlie.get(of_one(calendar) + part).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        lambda number: of_one(number, "product.receipt"),
        lambda number: of_one(number, "calendar.booked", "product"),
        lambda number: of_one(number, "nothing.at_all"),
        lambda number: of_one(number + 1),
    ],
)
def test_there_is_no_editor_of_what_it_does_not_send(
    alice: Actor, calendar: int, path: object
) -> None:
    assert alice.get(path(calendar)).status_code == 404  # type: ignore[operator]
