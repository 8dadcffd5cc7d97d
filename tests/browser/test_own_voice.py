"""One calendar speaks with its own voice: chosen by browser, fired by API, read where it arrived.

R-ASSET, R-RESOLVE, R-EVENT. The mail server is a real one: the catcher takes what the worker sends.
"""

from email.message import EmailMessage

from playwright.sync_api import Page, expect

from tests.browser.test_story import make_key
from tests.browser.world import World
from tests.support.cast import Actor
from tests.support.domains import authenticate

BRAND = "notifications@anotherbrand.com"


def add_sender(page: Page) -> None:
    page.goto("/settings/senders/new")
    page.get_by_label("Sender name").fill("Another Brand")
    page.get_by_label("Send-from address").fill(BRAND)
    page.get_by_label("Reply-to address").fill("help@anotherbrand.com")
    page.locator(".page-actions").get_by_role("button").click()
    expect(page).to_have_url(page.url.partition("/settings")[0] + "/settings/senders")
    expect(page.get_by_text("Another Brand").first).to_be_visible()


def make_calendar(page: Page, name: str) -> str:
    """A new calendar, made on its page; returns its id for programs."""
    page.goto("/assets/new?kind=calendar")
    page.get_by_label("Calendar").check()
    page.get_by_label("Name").fill(name)
    page.locator("main").get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    page.locator("#programs > summary").click()
    return page.locator("#asset-id").inner_text().strip()


def book(page: Page, key: str, asset_id: str, email: str) -> None:
    answer = page.request.post(
        "/api/v1/events",
        data={"asset_id": asset_id, "event": "calendar.booked", "contact": {"email": email}},
        headers={"Authorization": f"Bearer {key}", "Idempotency-Key": email},
    )
    assert answer.status == 202, answer.text()


def said(mail: EmailMessage) -> tuple[str, str, str]:
    """From, Reply-To and the d= of the signature."""
    tags = dict(
        part.strip().split("=", 1) for part in str(mail["DKIM-Signature"]).split(";") if "=" in part
    )
    return str(mail["From"]), str(mail["Reply-To"]), tags["d"].strip()


def test_an_override_chosen_by_browser_is_what_arrives(
    world: World, alice: Actor, alices_page: Page
) -> None:
    page = alices_page
    world.dns.add("anotherbrand.com", "MX", "10 mail.anotherbrand.com")
    world.dns.add("mail.anotherbrand.com", "A", "192.0.2.26")
    authenticate(world.installation, world.dns, alice.account_id, "anotherbrand.com", 1)
    key = make_key(page)
    add_sender(page)
    plain, own = make_calendar(page, "Plain advice"), make_calendar(page, "Brand advice")

    booked = page.locator("#calendar-booked")
    page.get_by_role("link", name="Change sender of Booking confirmed").click()
    booked.get_by_role("radio", name="Another Brand").check()
    expect(booked).to_contain_text("Own sender")
    expect(booked.locator(".notification-seen .inbox-address")).to_contain_text(BRAND)

    book(page, key, own, "pat@example.net")
    book(page, key, plain, "kim@example.net")
    assert said(world.mail_to("pat@example.net")) == (
        f"Another Brand <{BRAND}>",
        "help@anotherbrand.com",
        "anotherbrand.com",
    )
    assert said(world.mail_to("kim@example.net")) == (
        '"Doe Inc." <alice@doeinc.com>',
        "alice@doeinc.com",
        "kartra.com",
    )

    booked.get_by_role("button", name="Return to inherited sender").click()
    expect(booked).to_contain_text("Inherited")
    page.goto("/activity")
    page.get_by_role("link", name="pat@example.net").click()
    expect(page.locator("main")).to_contain_text("Another Brand")
    expect(page.locator("main")).to_contain_text("Its own sender")
