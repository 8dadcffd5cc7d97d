"""R-ASSET, R-LOWDELIV in a browser: a calendar gets its own sender with one click, and back."""

import re

import pytest
from playwright.sync_api import Page, expect

from kartramail.rules.addresses import Address
from kartramail.senders.further import add_sender
from kartramail.senders.proofs import prove_mailbox
from kartramail.senders.saving import SenderDetails
from tests.browser.conftest import Visitors
from tests.browser.test_every_page import TOO_WIDE, violations
from tests.browser.test_keyboard import press_tab_until
from tests.browser.world import World
from tests.support.cast import Actor
from tests.support.domains import authenticate

PHONE = {"width": 390, "height": 844}


@pytest.fixture(autouse=True)
def senders(world: World, alice: Actor) -> None:
    """One on a domain that is authenticated, and one on a domain that is not."""
    authenticate(world.installation, world.dns, alice.account_id, "doeinc.com")
    named = {
        "Doe support": Address("support", "doeinc.com"),
        "Another Brand": Address("notifications", "anotherbrand.test"),
    }
    with world.installation.db.transaction() as session:
        for name, address in named.items():
            add_sender(
                session,
                alice.account_id,
                SenderDetails(name, address, address),
                user_id=alice.user_id,
                platform_domain="kartra.com",
                base_url=world.address,
            )
            prove_mailbox(session, alice.account_id, address.key)


def create_calendar(page: Page, name: str = "First consultation") -> None:
    page.goto("/assets")
    page.get_by_role("link", name="Add the first one").click()
    page.get_by_role("radio", name="Calendar").check()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.locator("#notices")).to_contain_text("Added.")


@pytest.fixture
def calendar(alices_page: Page) -> Page:
    """The page of Alice's new calendar."""
    create_calendar(alices_page)
    alices_page.evaluate("window.isTheSame = true")
    return alices_page


def open_picker(page: Page) -> None:
    page.get_by_role("link", name="Change sender of Booking confirmed").click()
    expect(page.get_by_role("group", name="Let it come from")).to_be_visible()


def test_one_click_gives_it_a_sender_of_its_own_and_one_takes_it_back(calendar: Page) -> None:
    row = calendar.locator("#calendar-booked")
    said = calendar.locator("#calendar-booked-said")
    seen = calendar.locator("#calendar-booked-seen .inbox-address")
    expect(seen).to_have_text("alice@doeinc.com")
    open_picker(calendar)
    calendar.get_by_role("radio", name="Doe support").check()
    expect(seen).to_have_text("support@doeinc.com")
    expect(row).to_contain_text("Own sender")
    expect(said).to_contain_text("It has a sender of its own now.")
    expect(calendar.get_by_role("radio", name="Doe support")).to_be_focused()
    calendar.get_by_role("link", name="Done").click()
    expect(calendar.get_by_role("group", name="Let it come from")).to_have_count(0)
    expect(calendar.locator("#calendar-booked-change")).to_be_focused()
    row.get_by_role("button", name="Return to inherited").click()
    expect(seen).to_have_text("alice@doeinc.com")
    expect(said.get_by_role("button", name="Undo")).to_be_focused()
    said.get_by_role("button", name="Undo").click()
    expect(seen).to_have_text("support@doeinc.com")
    expect(said).to_contain_text("Undone.")
    expect(said.get_by_role("button", name="Undo")).to_have_count(0)
    expect(calendar.locator("#calendar-reminder-seen .inbox-address")).to_have_text(
        "alice@doeinc.com"
    )
    assert calendar.evaluate("window.isTheSame")


def test_a_domain_that_is_not_authenticated_asks_for_the_tick_and_shows_the_way(
    calendar: Page,
) -> None:
    seen = calendar.locator("#calendar-booked-seen .inbox-address")
    open_picker(calendar)
    calendar.get_by_role("radio", name="Another Brand").check()
    tick = calendar.get_by_label("I understand that fewer of my messages will arrive")
    expect(tick).to_be_visible()
    expect(calendar.get_by_role("radio", name="Another Brand")).to_be_checked()
    expect(seen).to_have_text("alice@doeinc.com")
    tick.check()
    expect(seen).to_have_text("notifications@anotherbrand.test")
    expect(tick).to_have_count(0)
    calendar.get_by_role("link", name="Done").click()
    warning = calendar.locator("#calendar-booked .banner-warning")
    expect(warning).to_contain_text("anotherbrand.test is not authenticated here yet")
    warning.get_by_role("link", name="Authenticate anotherbrand.test").click()
    expect(calendar.get_by_role("heading", level=1)).to_have_text("anotherbrand.test")


def test_a_press_too_many_and_an_answer_too_late_leave_the_last_choice(calendar: Page) -> None:
    open_picker(calendar)
    for name in ("Doe support", "Inherited", "Doe support"):
        calendar.get_by_role("radio", name=name).check()
    seen = calendar.locator("#calendar-booked-seen .inbox-address")
    expect(calendar.locator(".htmx-request")).to_have_count(0)  # the first answer says the same
    expect(seen).to_have_text("support@doeinc.com")
    calendar.reload()
    expect(seen).to_have_text("support@doeinc.com")


def test_it_is_switched_off_and_on_by_keyboard_with_the_focus_where_it_was(calendar: Page) -> None:
    press_tab_until(calendar, "#calendar-booked-button")
    switch = calendar.get_by_role("switch", name="Booking confirmed")
    calendar.keyboard.press("Space")
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(switch).to_be_focused()
    expect(calendar.locator("#calendar-booked-said")).to_contain_text("Off: it is not sent.")
    calendar.keyboard.press("Enter")
    expect(switch).to_have_attribute("aria-checked", "true")
    assert calendar.evaluate("window.isTheSame")


def test_by_keyboard_alone_a_sender_is_chosen(calendar: Page) -> None:
    press_tab_until(calendar, "#calendar-booked-change")
    calendar.keyboard.press("Enter")
    expect(calendar.get_by_role("group", name="Let it come from")).to_be_visible()
    press_tab_until(calendar, ".picker-option input")
    for _ in range(3):  # Inherited, Default sender, and the rest by name
        if calendar.get_by_role("radio", name="Doe support").is_checked():
            break
        calendar.keyboard.press("ArrowDown")
    expect(calendar.locator("#calendar-booked-seen .inbox-address")).to_have_text(
        "support@doeinc.com"
    )
    expect(calendar.get_by_role("radio", name="Doe support")).to_be_focused()


def test_a_sample_comes_from_the_sender_that_is_used(calendar: Page, world: World) -> None:
    open_picker(calendar)
    calendar.get_by_role("radio", name="Doe support").check()
    said = calendar.locator("#calendar-booked-said")
    expect(said).to_contain_text("It has a sender of its own now.")
    calendar.get_by_role("button", name="Send me a sample of Booking confirmed").click()
    expect(said).to_contain_text("took it", timeout=20_000)
    message = world.mail_to("alice@doeinc.com")
    assert "support@doeinc.com" in message["From"]


def test_the_search_follows_the_typing(calendar: Page, world: World, alice: Actor) -> None:
    for number in range(12):
        alice.post("/assets/new", {"kind": "form", "name": f"Form {number}"})
    calendar.goto("/assets")
    calendar.get_by_role("searchbox").press_sequentially("consult")
    rows = calendar.locator(".row-link")
    expect(rows).to_have_text(["First consultation"])
    expect(calendar.locator("#asset-found")).to_contain_text("1 is found")
    expect(calendar.get_by_role("searchbox")).to_be_focused()
    assert "q=consult" in calendar.url
    calendar.reload()
    expect(rows).to_have_text(["First consultation"])
    expect(calendar.get_by_role("searchbox")).to_have_value("consult")


def test_without_javascript_all_of_it_works(new_page: Visitors, alice: Actor) -> None:
    page = new_page(alice, java_script_enabled=False)
    create_calendar(page)
    seen = page.locator("#calendar-booked-seen .inbox-address")
    page.get_by_role("link", name="Change sender of Booking confirmed").click()
    page.get_by_role("radio", name="Another Brand").check()
    page.get_by_role("button", name="Use this sender").click()
    page.get_by_label("I understand that fewer of my messages will arrive").check()
    page.get_by_role("button", name="Use this sender").click()
    expect(seen).to_have_text("notifications@anotherbrand.test")
    assert page.url.endswith("#calendar-booked")
    expect(page.locator("#calendar-booked")).to_be_in_viewport()
    page.get_by_role("button", name="Undo").click()
    expect(seen).to_have_text("alice@doeinc.com")
    page.get_by_role("switch", name="Booking confirmed").click()
    expect(page.locator("#calendar-booked-said")).to_contain_text("Off: it is not sent.")
    page.get_by_label("Name", exact=True).fill("Second consultation")
    page.get_by_role("button", name="Save name").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Second consultation")


def test_on_a_phone_the_longest_name_does_not_widen_the_page(
    new_page: Visitors, alice: Actor, expected_faults: list[str]
) -> None:
    page = new_page(alice, viewport=PHONE, has_touch=True, is_mobile=True)
    create_calendar(page, "W" * 200)
    expected_faults.append("Applying inline style")  # axe's own
    for path in (page.url, "/assets"):
        page.goto(path)
        assert page.evaluate(TOO_WIDE) == []
        assert not violations(page)
    page.goto("/assets")
    page.get_by_role("link", name=re.compile("^W+$")).click()
    open_picker(page)
    assert page.evaluate(TOO_WIDE) == []
    assert not violations(page)
