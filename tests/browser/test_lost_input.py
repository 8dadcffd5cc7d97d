"""Nothing that was typed is lost: over night, over a lost session, in two tabs (R-EDIT, R-SAVE)."""

from playwright.sync_api import Page, expect

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
    expect(page.get_by_text("You are signed out")).to_be_visible()
    expect(page.get_by_label("Send-from address")).to_have_value("alice@gmail.com")
    assert page.url.endswith(EDIT)


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
