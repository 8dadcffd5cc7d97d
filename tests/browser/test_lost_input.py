"""Nothing that was typed is lost: over night, over a lost session, in two tabs (R-EDIT, R-SAVE)."""

import pytest
from playwright.sync_api import Page, expect

from kartramail.accounts.models import Membership, Role
from tests.browser.conftest import Visitors
from tests.browser.tour import CARD, EDIT
from tests.browser.world import World
from tests.support.cast import PASSWORD, Actor

LOST = ["Response Status Error Code 40", "with a status of 40"]
"""What the console says of a check that is refused because nobody is signed in any more."""


def fill_name(page: Page, name: str) -> None:
    page.get_by_label("Sender name").fill(name)


def press_edit(page: Page) -> None:
    page.locator(".page-actions").get_by_role("button", name="Edit").click()


def sign_in(page: Page) -> None:
    page.get_by_label("Email").fill("alice@doeinc.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def sign_in_anew(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Log out").click()
    sign_in(page)
    expect(page.get_by_role("heading", name="Doe Inc.")).to_be_visible()


def test_a_form_still_saves_after_signing_in_anew_in_another_tab(
    world: World, alices_page: Page
) -> None:
    """Its token belongs to the session before: the page says so and the next press saves."""
    page = alices_page
    page.goto(EDIT)
    other = page.context.new_page()
    sign_in_anew(other)
    page.get_by_label("Sender name").evaluate("field => { field.value = 'Typed before' }")
    press_edit(page)
    expect(page.get_by_text("signed in anew")).to_be_visible()
    expect(page.get_by_label("Sender name")).to_have_value("Typed before")
    press_edit(page)
    expect(page).to_have_url(world.address + CARD)
    expect(page.locator(".inbox").first).to_contain_text("Typed before")


def test_typing_goes_on_after_signing_in_anew_in_another_tab(alices_page: Page) -> None:
    """R-LIVE: the checks work on, and nobody is told to be signed out who is not."""
    page = alices_page
    page.goto(EDIT)
    other = page.context.new_page()
    sign_in_anew(other)
    page.get_by_label("Send-from address").fill("alice@gmail.com")
    expect(page.locator("#send_from-message [data-status=error]")).to_be_visible()


def test_what_was_typed_over_a_lost_session_waits_behind_the_sign_in(
    world: World, alices_page: Page, expected_faults: list[str]
) -> None:
    expected_faults += LOST
    page = alices_page
    page.goto(EDIT)
    fill_name(page, "Typed <over> night & day")
    page.context.clear_cookies()
    press_edit(page)
    expect(page.get_by_text("What you typed is kept")).to_be_visible()
    sign_in(page)
    expect(page.get_by_text("Not saved yet")).to_be_visible()
    expect(page.get_by_label("Sender name")).to_have_value("Typed <over> night & day")
    press_edit(page)
    expect(page).to_have_url(world.address + CARD)
    expect(page.locator(".inbox").first).to_contain_text("Typed <over> night & day")


def test_typing_on_over_a_lost_session_says_so_and_keeps_the_text(
    alices_page: Page, expected_faults: list[str]
) -> None:
    expected_faults += LOST
    page = alices_page
    page.goto(EDIT)
    page.context.clear_cookies()
    page.get_by_label("Send-from address").fill("alice@gmail.com")
    told = page.get_by_text("You are signed out")
    expect(told).to_be_in_viewport()
    expect(page.get_by_label("Send-from address")).to_have_value("alice@gmail.com")
    page.get_by_role("button", name="Close").click()
    expect(told).to_have_count(0)
    assert page.url.endswith(EDIT)


def test_what_the_script_has_to_say_moves_nothing(
    alices_page: Page, expected_faults: list[str]
) -> None:
    """Else the button that one is about to press would be gone from under the pointer."""
    expected_faults += LOST
    page = alices_page
    page.goto(EDIT)
    page.context.clear_cookies()
    heading = page.get_by_text("The address your mail comes from").first
    before = heading.bounding_box()
    fill_name(page, "Typed and not saved")
    expect(page.get_by_text("You are signed out")).to_be_in_viewport()
    assert heading.bounding_box() == before


def unsaved(page: Page) -> None:
    """The page is still there with what was typed."""
    assert page.url.endswith(EDIT)
    expect(page.get_by_label("Sender name")).to_have_value("Typed and not saved")


HELLO = {
    "sender_name": "Doe Inc.",
    "accept_low_delivery": "y",
    "send_from": "hello@doeinc.com",
    "reply_to": "hello@doeinc.com",
}


@pytest.mark.parametrize("button", ["Send a test", "See it as your contacts do", "Send again"])
def test_a_button_beside_says_that_one_is_signed_out_and_takes_nothing_away(
    alice: Actor, alices_page: Page, expected_faults: list[str], button: str
) -> None:
    expected_faults += LOST
    alice.post(EDIT, HELLO)
    page = alices_page
    page.goto(EDIT)
    fill_name(page, "Typed and not saved")
    expect(page.locator("#sender_name-message")).to_be_visible()
    page.context.clear_cookies()
    page.get_by_role("button", name=button).click()
    place = page.locator("#link-result" if button == "Send again" else "#trial-result")
    expect(place.get_by_text("You are signed out")).to_be_in_viewport()
    unsaved(page)


def test_send_again_answers_beside_the_button(alice: Actor, alices_page: Page) -> None:
    alice.post(EDIT, HELLO)
    page = alices_page
    page.goto(EDIT)
    fill_name(page, "Typed and not saved")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator("#link-result")).to_contain_text("on its way to hello@doeinc.com")
    unsaved(page)


@pytest.mark.parametrize(
    ("button", "words"),
    [
        ("Send a test", "On its way"),
        ("Send again", "on its way to hello@doeinc.com"),
    ],
)
def test_without_javascript_the_page_comes_back_with_what_was_typed(
    alice: Actor, new_page: Visitors, button: str, words: str
) -> None:
    alice.post(EDIT, HELLO)
    page = new_page(alice, java_script_enabled=False)
    page.goto(EDIT)
    fill_name(page, "Typed and not saved")
    page.get_by_role("button", name=button).click()
    expect(page.get_by_text(words)).to_be_visible()
    unsaved(page)


def test_a_page_that_is_too_old_says_so(alices_page: Page, expected_faults: list[str]) -> None:
    """Its token is of a session before: that is nothing that went wrong on our side."""
    expected_faults += LOST
    page = alices_page
    page.goto(EDIT)
    fill_name(page, "Typed and not saved")
    sign_in_anew(page.context.new_page())
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("This page is too old. Reload it and try again.")).to_be_visible()
    expect(page.get_by_text("on our side")).to_have_count(0)
    unsaved(page)


def test_a_form_of_another_account_is_kept_and_leads_back(
    world: World, alice: Actor, alices_page: Page
) -> None:
    """R-SAVE: Alice opens Edit in Doe Inc. and goes to Your Company in another tab."""
    charlie = world.owner("Your Company", "Charlie Poe", "charlie@yourcompany.com")
    with world.installation.db.transaction() as session:
        session.add(
            Membership(account_id=charlie.account_id, user_id=alice.user_id, role=Role.OWNER)
        )
    page = alices_page
    page.goto(EDIT)
    fill_name(page, "Typed and not saved")
    other = page.context.new_page()
    other.goto("/settings/profile")
    other.get_by_role("button", name="Go to Your Company").click()
    expect(other.get_by_role("heading", name="Your Company")).to_be_visible()
    press_edit(page)
    told = page.get_by_role("alert")
    expect(told).to_contain_text("You are working in Your Company now")
    expect(told).to_contain_text("This form was opened in Doe Inc.")
    unsaved(page)
    page.get_by_role("button", name="Go back to Doe Inc.").click()
    expect(page.get_by_label("Sender name")).to_have_value("Typed and not saved")
    press_edit(page)
    expect(page).to_have_url(world.address + CARD)
    expect(page.locator(".inbox").first).to_contain_text("Typed and not saved")


def test_the_later_of_two_tabs_is_told_and_keeps_what_it_typed(
    world: World, alices_page: Page
) -> None:
    first, second = alices_page, alices_page.context.new_page()
    for tab in (first, second):
        tab.goto(EDIT)
    fill_name(first, "First")
    press_edit(first)
    expect(first).to_have_url(world.address + CARD)
    fill_name(second, "Second")
    press_edit(second)
    expect(second.get_by_text("Not saved: Alice Doe saved these details")).to_be_visible()
    expect(second.get_by_label("Sender name")).to_have_value("Second")
    expect(second.locator(".facts")).to_contain_text("First")
    press_edit(second)
    expect(second).to_have_url(world.address + CARD)
    expect(second.locator(".inbox").first).to_contain_text("Second")


def test_two_people_are_told_who_was_faster(
    world: World, alice: Actor, alices_page: Page, new_page: Visitors
) -> None:
    bobs_page = new_page(world.colleague(alice, "Bob Roe", "bob@doeinc.com"))
    for tab in (alices_page, bobs_page):
        tab.goto(EDIT)
    fill_name(bobs_page, "Bob was here")
    press_edit(bobs_page)
    expect(bobs_page).to_have_url(world.address + CARD)
    press_edit(alices_page)
    expect(alices_page.get_by_text("Bob Roe saved these details")).to_be_visible()


def test_a_second_press_while_the_first_is_on_its_way_sends_nothing(alices_page: Page) -> None:
    page = alices_page
    page.goto("/settings/api-keys")
    # Counts what would be sent, and keeps it from leaving the page.
    page.evaluate(
        """() => { window.sent = 0; addEventListener("submit", event => {
             if (!event.defaultPrevented) window.sent += 1; event.preventDefault(); }); }"""
    )
    page.get_by_label("Name").fill("Shop")
    button = page.get_by_role("button", name="Make key")
    button.click()
    expect(button).to_have_attribute("aria-disabled", "true")
    page.get_by_label("Name").press("Enter")
    button.click(force=True)
    assert page.evaluate("() => window.sent") == 1
