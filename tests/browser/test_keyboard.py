"""R-A11Y: whole by keyboard: skip link, order, menu, dialog, save."""

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitors
from tests.browser.tour import CARD, EDIT
from tests.support.cast import Actor

PHONE = {"width": 390, "height": 844}


def press_tab_until(page: Page, selector: str, most: int = 60) -> None:
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} was not reached by Tab")


def test_the_first_stop_leads_past_the_navigation(alices_page: Page) -> None:
    alices_page.goto(CARD)
    alices_page.keyboard.press("Tab")
    link = alices_page.get_by_role("link", name="Skip to the content")
    expect(link).to_be_focused()
    expect(link).to_be_in_viewport()
    alices_page.keyboard.press("Enter")
    expect(alices_page.locator("main")).to_be_focused()
    alices_page.keyboard.press("Tab")
    assert alices_page.evaluate("document.activeElement.closest('nav.side')") is None


def test_the_sender_form_is_filled_in_and_saved_by_keyboard_alone(alices_page: Page) -> None:
    page = alices_page
    page.goto(EDIT)
    press_tab_until(page, "#sender_name")
    page.keyboard.press("Control+a")
    page.keyboard.type("Alice by keys")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Send-from address")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_label("Reply-to address")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("support@other.com")
    expect(page.get_by_role("button", name="Use support@doeinc.com")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Use support@doeinc.com")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Reply-to address")).to_have_value("support@doeinc.com")
    expect(page.get_by_label("Reply-to address")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Integrations")).to_be_visible()
    expect(page.locator(".inbox").first).to_contain_text("Alice by keys")
    expect(page.locator(".inbox").first).to_contain_text("Reply goes to support@doeinc.com")


def test_enter_saves_and_does_not_press_a_suggestion(alices_page: Page) -> None:
    page = alices_page
    page.goto(EDIT)
    page.get_by_label("Reply-to address").fill("support@other.com")
    expect(page.get_by_role("button", name="Use support@doeinc.com")).to_be_visible()
    page.get_by_label("Sender name").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Nothing is saved yet")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Reply-to address")).to_have_value("support@other.com")


def test_the_menu_opens_and_closes_by_key_and_gives_the_focus_back(alices_page: Page) -> None:
    page = alices_page
    page.goto(CARD)
    press_tab_until(page, "details.menu > summary")
    page.keyboard.press("Enter")
    menu = page.locator("details.menu")
    expect(menu.get_by_role("link", name="Edit")).to_be_visible()
    page.keyboard.press("Tab")
    expect(menu.get_by_role("link", name="Edit")).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu.get_by_role("link", name="Edit")).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()
    page.keyboard.press("Enter")
    page.mouse.click(900, 880)
    expect(menu.get_by_role("link", name="Edit")).to_be_hidden()


def test_a_second_look_holds_the_focus_and_begins_on_the_harmless_button(
    alices_page: Page, alice: Actor
) -> None:
    page = alices_page
    alice.post("/settings/api-keys", {"name": "Shop"})
    page.goto("/settings/api-keys")
    page.get_by_text("Revoke", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Keep it as it is")).to_be_focused()
    for _ in range(6):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator("summary", has_text="Revoke")).to_be_focused()


def test_every_stop_shows_that_it_has_the_focus(alices_page: Page) -> None:
    """WCAG 2.4.7: an outline or a border that is not there without the focus."""
    page = alices_page
    page.goto(EDIT)
    for _ in range(30):
        page.keyboard.press("Tab")
        shown = page.evaluate(
            """() => { const style = getComputedStyle(document.activeElement);
               return document.activeElement === document.body || style.boxShadow !== "none"
                 || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1); }"""
        )
        assert shown, page.evaluate("document.activeElement.outerHTML")


def test_on_a_phone_the_bar_opens_more_places(alice: Actor, new_page: Visitors) -> None:
    page = new_page(alice, viewport=PHONE, has_touch=True)
    page.goto("/")
    page.locator(".more summary").tap()
    expect(page.locator(".more-sheet").get_by_role("link", name="Team")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".more-sheet")).to_be_hidden()
