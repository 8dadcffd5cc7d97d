"""R-GLOBAL: all notifications by recipient and category, each with its switch."""

from kartramail.assets.kinds import TYPES
from kartramail.assets.settings import change_setting, words_to_send
from kartramail.db import Database
from tests.assets.editing import ASKED_BY_PAGE, BOOKED, LIST, setting_of, tree_of, typed
from tests.senders.further import add, choose_everywhere
from tests.senders.reading import text_of
from tests.support.cast import Actor


def row_of(actor: Actor, anchor: str = "calendar-booked") -> str:
    (row,) = tree_of(actor.get(LIST)).xpath(f"//tr[@id='{anchor}']")
    return " ".join(row.text_content().split())


def test_all_of_them_stand_under_their_recipient_and_category(alice: Actor) -> None:
    tree = tree_of(alice.get(LIST))
    links = [link.get("href") for link in tree.xpath("//a[@class='row-link']")]
    assert sorted(links) == sorted(f"{LIST}/{name}" for name in TYPES)
    headings = [each.text_content().strip() for each in tree.xpath("//main//h2")]
    assert headings == ["To your contacts", "To your team", "To your affiliates"]
    categories = [each.text_content() for each in tree.xpath("//th[@scope='rowgroup']")]
    assert "Calendars" in categories
    assert "Forms and pages" in categories  # they send the same
    assert categories[0] == "Products"


def test_each_says_when_it_is_sent_and_by_whom(alice: Actor, db: Database) -> None:
    assert row_of(alice) == (
        "Booking confirmed When somebody has booked a time, or moved a booking Default sender On"
    )
    choose_everywhere(db, alice.account_id, add(db, alice.account_id), "calendar.booked")
    assert "Doe support" in row_of(alice)


def test_one_that_was_edited_is_marked(alice: Actor, db: Database) -> None:
    assert "Changed" not in alice.get(LIST).text
    assert alice.post(BOOKED, typed(db, alice, subject="See you soon")).status_code == 303
    assert "Changed" in row_of(alice)


def test_a_switch_alone_is_no_edit(alice: Actor) -> None:
    assert alice.post(f"{BOOKED}/switch", {"enabled": "off"}).status_code == 303
    assert "Changed" not in alice.get(LIST).text


def test_a_press_switches_it_off_and_the_next_one_on_again(alice: Actor, db: Database) -> None:
    answer = alice.post(f"{BOOKED}/switch", {"enabled": "off"})
    assert (answer.status_code, answer.location) == (303, f"{LIST}#calendar-booked")
    assert row_of(alice).endswith("Off")
    with db.reading() as session:
        assert words_to_send(session, alice.account_id, None, TYPES["calendar.booked"]) is None
    assert alice.post(f"{BOOKED}/switch", {"enabled": "on"}).status_code == 303
    assert row_of(alice).endswith("On")
    assert setting_of(db, alice).inherited >= {"enabled"}


def test_the_page_gets_the_row_alone_and_what_is_true_now(alice: Actor) -> None:
    answer = alice.post(f"{BOOKED}/switch", {"enabled": "off"}, headers=ASKED_BY_PAGE)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert 'aria-checked="false"' in answer.text
    assert 'name="enabled" value="on"' in answer.text
    assert "Booking confirmed: off, nobody gets it." in text_of(answer)


def test_a_second_tab_that_still_shows_it_on_switches_nothing_twice(
    alice: Actor, db: Database
) -> None:
    for _ in range(2):
        alice.post(f"{BOOKED}/switch", {"enabled": "off"})
    assert setting_of(db, alice).version == 1


def test_who_switched_it_is_in_the_history(alice: Actor, bob: Actor) -> None:
    bob.post(f"{BOOKED}/switch", {"enabled": "off"})
    assert "Changed the notification “Booking confirmed” everywhere" in text_of(
        alice.get("/settings/account")
    )


def test_nobody_switches_anything_of_another_account(
    alice: Actor, charlie: Actor, db: Database
) -> None:
    charlie.post(f"{BOOKED}/switch", {"enabled": "off"})
    assert setting_of(db, alice).enabled
    assert not setting_of(db, charlie).enabled


def test_there_is_no_switch_of_what_does_not_exist(alice: Actor) -> None:
    assert alice.post(f"{LIST}/calendar.nothing/switch", {"enabled": "off"}).status_code == 404


def test_one_that_was_switched_off_for_one_calendar_only_is_on_here(
    alice: Actor, db: Database
) -> None:
    with db.transaction() as session:
        off = {"enabled": False}
        change_setting(session, alice.account_id, 1, TYPES["team.sale"], off, user_id=None)
    assert row_of(alice, "team-sale").endswith("On")
