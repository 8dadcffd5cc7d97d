"""The whole first story by browser: from sign-up to a message of one's own in the test inbox."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitors
from tests.browser.tour import CARD, EDIT
from tests.browser.world import World

PASSWORD = "a sentence that Jane remembers"


def sign_up(page: Page, email: str) -> None:
    page.goto("/signup")
    page.get_by_label("Business name").fill("Doe Inc.")
    page.get_by_label("Your name").fill("Jane Doe")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", name="Check your mail")).to_be_visible()


def confirm_by_test_inbox(page: Page) -> Page:
    """Follow the link as a newcomer does; returns the tab that the link opened."""
    page.get_by_role("link", name="Open the test inbox").click()
    page.get_by_role("link", name="Confirm your address").click(timeout=20_000)
    with page.context.expect_page() as opened:
        page.frame_locator("iframe").get_by_role("link", name="Confirm my address").click()
    tab = opened.value
    tab.get_by_label("Password", exact=True).fill(PASSWORD)
    tab.get_by_role("button", name="Confirm and sign in").click()
    expect(tab.get_by_role("heading", name="First steps")).to_be_visible()
    return tab


def press_edit(page: Page) -> None:
    page.locator(".page-actions").get_by_role("button", name="Edit").click()


def make_key(page: Page) -> str:
    page.goto("/settings/api-keys")
    page.get_by_label("Name").fill("Shop")
    page.get_by_role("button", name="Make key").click()
    return page.locator("#new-key-value").inner_text().strip()


def post_message(page: Page, key: str, **message: str) -> dict[str, Any]:
    answer = page.request.post(
        "/api/v1/messages", data=message, headers={"Authorization": f"Bearer {key}"}
    )
    assert answer.status == 202, answer.text()
    taken: dict[str, Any] = answer.json()
    return taken


def test_from_sign_up_to_the_first_message(world: World, page: Page) -> None:
    """R-SIGNUP, R-PREFILL, R-ONBOARD, R-EDIT, R-TEST, R-CARD, R-RESOLVE."""
    sign_up(page, "jane@doeinc.com")
    tab = confirm_by_test_inbox(page)
    expect(tab.locator("[aria-current=step]")).to_contain_text("Authenticate your domain")
    expect(tab.get_by_role("link", name="Send a test")).to_be_visible()

    tab.goto(EDIT)
    expect(tab.get_by_label("Send-from address")).to_have_value("jane@doeinc.com")
    expect(tab.get_by_label("Reply-to address")).to_have_value("jane@doeinc.com")
    tab.get_by_label("Sender name").fill("Jane at Doe Inc.")
    tab.get_by_label("Reply-to address").fill("support@doeinc.com")
    press_edit(tab)
    expect(tab).to_have_url(world.address + CARD)
    expect(tab.get_by_text("Active", exact=True)).to_be_visible()
    expect(tab.locator(".inbox").first).to_contain_text("jane@doeinc.com")
    expect(tab.locator(".inbox").first).to_contain_text("Reply goes to support@doeinc.com")

    tab.get_by_role("button", name="Send a test").last.click()
    result = tab.locator("#trial-result")
    expect(result).to_contain_text("Accepted")
    expect(result).to_contain_text("250 2.0.0")
    assert tab.url == world.address + CARD  # without leaving the page
    tab.reload()
    expect(tab.locator("#last-test")).to_contain_text("Accepted")
    test = world.mail_to("jane@doeinc.com", 2)
    assert test["From"].addresses[0].addr_spec == "notifications@kartra.com"

    taken = post_message(
        tab, make_key(tab), to="ann@example.net", subject="Your order", text="Thank you, Ann.\n"
    )
    assert taken["sender"]["send_from"] == "jane@doeinc.com"
    tab.goto("/catcher")
    tab.get_by_role("link", name="Your order").click(timeout=20_000)
    letter = tab.locator(".facts").first
    expect(letter).to_contain_text("Jane at Doe Inc.")
    expect(letter).to_contain_text("jane@doeinc.com")
    expect(letter).to_contain_text("support@doeinc.com")
    expect(tab.get_by_text("Thank you, Ann.")).to_be_visible()


def test_with_a_free_address_mail_leaves_from_a_temporary_one(world: World, page: Page) -> None:
    """R-PREFILL, R-PLACEHOLDER, R-NO-INBOX."""
    sign_up(page, "jane@gmail.com")
    tab = confirm_by_test_inbox(page)
    tab.goto(CARD)
    row = tab.locator(".inbox").first
    expect(row).to_contain_text("doe-inc@kartra.com")
    expect(tab.get_by_text("temporary address without an inbox")).to_be_visible()
    tab.get_by_role("link", name="Give an address on a domain of your own").click()
    expect(tab).to_have_url(world.address + EDIT)
    expect(tab.get_by_label("Reply-to address")).to_have_value("")
    taken = post_message(tab, make_key(tab), to="ann@example.net", subject="Hello", text="Hello.\n")
    assert taken["sender"]["send_from"] == "doe-inc@kartra.com"
    assert taken["sender"]["reply_to"] is None
    mail = world.mail_to("ann@example.net")
    assert mail["From"].addresses[0].addr_spec == "doe-inc@kartra.com"
    assert mail["Reply-To"] is None


def test_without_javascript_everything_from_sign_up_to_the_test_works(
    world: World, new_page: Visitors
) -> None:
    """R-EDIT: the form works with JavaScript switched off."""
    page = new_page(java_script_enabled=False)
    sign_up(page, "jane@doeinc.com")
    page.goto(world.link_to("jane@doeinc.com"))
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Confirm and sign in").click()
    expect(page.get_by_role("heading", name="First steps")).to_be_visible()

    page.goto(EDIT)
    page.get_by_label("Reply-to address").fill("support@yourcompany.com")
    press_edit(page)
    expect(page.get_by_role("alert")).to_contain_text("reply-to address")
    page.get_by_role("button", name="Use support@doeinc.com").click()
    expect(page.get_by_label("Reply-to address")).to_have_value("support@doeinc.com")
    press_edit(page)
    expect(page).to_have_url(world.address + CARD)
    expect(page.locator(".inbox").first).to_contain_text("Reply goes to support@doeinc.com")

    page.locator("#test").get_by_role("button", name="Send a test").click()
    world.mail_to("jane@doeinc.com", 2)
    expect(page.get_by_role("heading", name="The last test")).to_be_visible()
    page.goto(CARD)
    expect(page.locator("#last-test")).to_contain_text("Accepted")


def test_the_first_tab_notices_what_another_browser_confirmed(
    world: World, page: Page, new_page: Visitors
) -> None:
    """R-SIGNUP: the link works in another browser, and the first tab goes on by itself."""
    sign_up(page, "jane@doeinc.com")
    phone = new_page()
    phone.goto(world.link_to("jane@doeinc.com"))
    phone.get_by_label("Password", exact=True).fill(PASSWORD)
    phone.get_by_role("button", name="Confirm and sign in").click()
    expect(phone.get_by_role("heading", name="First steps")).to_be_visible()
    expect(page.get_by_text("Your address is confirmed")).to_be_visible(timeout=15_000)
    page.get_by_role("link", name="Sign in").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
