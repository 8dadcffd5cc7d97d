"""R-DOMAIN, R-CHECK in a browser: rows turn green by themselves, and nothing else moves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from kartramail.config import Settings
from kartramail.sandbox.practice_zone import PracticeZone
from tests.browser import world as browser_world
from tests.browser.conftest import Visitors
from tests.browser.test_every_page import TOO_WIDE, violations
from tests.browser.test_keyboard import press_tab_until
from tests.browser.world import World, open_world
from tests.conftest import make_settings
from tests.sandbox.practice import practice_dns
from tests.support.cast import Actor
from tests.support.dns_server import DnsServer

SOON = 20_000  # ms: the page looks every five seconds
PHONE = {"width": 390, "height": 844}
UNFOLD = "document.querySelectorAll('.fold').forEach(fold => { fold.open = true; })"


def copied(page: Page, part: str, key: str) -> str:
    """What the copy button of this line puts into the clipboard."""
    button = page.locator(f"#{part}-{key} + [data-copy]")
    return button.get_attribute("data-copy") or ""


def add_as_shown(page: Page, dns: DnsServer, key: str) -> None:
    """Type a record into the DNS as the page shows it."""
    host, kind = copied(page, "host", key), copied(page, "type", key)
    dns.add(f"{host}.doeinc.test", kind, copied(page, "value", key))


def add_domain(page: Page, domain: str = "doeinc.test") -> None:
    page.goto("/settings/domains")
    page.get_by_label("Domain", exact=True).fill(domain)
    page.get_by_role("button", name="Add domain").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(domain)


@pytest.fixture
def checklist(alices_page: Page) -> Page:
    """Alice's fresh checklist."""
    add_domain(alices_page)
    return alices_page


def test_rows_turn_green_by_themselves_and_leave_the_focus_alone(
    checklist: Page, dns: DnsServer
) -> None:
    progress = checklist.locator("#domain-progress")
    expect(progress).to_have_attribute("aria-live", "polite")
    expect(progress).to_contain_text("0 of 3 records found")
    button = checklist.locator("#value-km1 + [data-copy]")
    button.focus()
    add_as_shown(checklist, dns, "km1")
    expect(checklist.locator("#state-km1")).to_contain_text("Found", timeout=SOON)
    expect(progress).to_contain_text("1 of 3 records found")
    expect(button).to_be_focused()
    expect(checklist.locator("#record-km1")).to_have_attribute("open", "")
    for key in ("km2", "km", "_dmarc"):
        add_as_shown(checklist, dns, key)
    expect(progress).to_contain_text("Authenticated since", timeout=SOON)
    expect(checklist.locator("#domain-badge")).to_contain_text("Authenticated")
    expect(checklist.locator("[hx-get]")).to_have_count(0)
    expect(button).to_be_focused()
    checklist.get_by_role("link", name="Fold the records away").click()
    expect(checklist.locator("#record-km1")).not_to_have_attribute("open", "")


def test_a_text_that_is_being_read_keeps_the_focus_when_it_changes(
    checklist: Page, dns: DnsServer
) -> None:
    dns.add("km.doeinc.test", "CNAME", "mail.example.net")
    there = checklist.locator("#found-km-1")
    expect(there).to_contain_text("mail.example.net", timeout=SOON)
    there.focus()
    dns.remove("km.doeinc.test", "CNAME")
    dns.add("km.doeinc.test", "CNAME", "mail.example.org")
    expect(there).to_contain_text("mail.example.org", timeout=SOON)
    expect(there).to_be_focused()


def test_a_page_that_cannot_reach_us_goes_on_asking(
    checklist: Page, dns: DnsServer, expected_faults: list[str]
) -> None:
    expected_faults += ["htmx:sendError", "ERR_FAILED", "ERR_INTERNET_DISCONNECTED"]
    with checklist.expect_event("requestfailed", timeout=SOON):
        checklist.context.set_offline(True)
    add_as_shown(checklist, dns, "km1")
    checklist.context.set_offline(False)
    expect(checklist.locator("#state-km1")).to_contain_text("Found", timeout=SOON)


def test_check_now_answers_without_leaving_the_page(checklist: Page, dns: DnsServer) -> None:
    checklist.evaluate("window.isTheSame = true")
    add_as_shown(checklist, dns, "km2")
    checklist.get_by_role("button", name="Check now").click()
    expect(checklist.locator("#state-km2")).to_contain_text("Found")
    expect(checklist.get_by_role("button", name="Check now")).to_be_focused()
    assert checklist.evaluate("window.isTheSame")


def test_a_key_is_copied_whole(checklist: Page) -> None:
    checklist.context.grant_permissions(["clipboard-read", "clipboard-write"])
    checklist.locator("#value-km1 + [data-copy]").click()
    expect(checklist.get_by_text("Copied")).to_be_visible()
    clipboard = checklist.evaluate("navigator.clipboard.readText()")
    assert clipboard == copied(checklist, "value", "km1")
    assert len(clipboard) > 390


def test_by_keyboard_alone_it_is_sent_to_somebody_else(checklist: Page, world: World) -> None:
    press_tab_until(checklist, ".segments a:not([aria-current])")
    checklist.keyboard.press("Enter")
    expect(checklist.get_by_role("heading", name="Send the records on")).to_be_visible()
    press_tab_until(checklist, "#email")
    checklist.keyboard.type("sam@agency.test")
    checklist.keyboard.press("Tab")
    checklist.keyboard.type("Hello Sam, can you add these?")
    press_tab_until(checklist, "button.button-primary")
    checklist.keyboard.press("Enter")
    expect(checklist.locator("#notices")).to_contain_text("on their way to sam@agency.test")
    assert "km1._domainkey" in world.mail_to("sam@agency.test").as_string()
    press_tab_until(checklist, "#record-km1 > summary")
    checklist.keyboard.press("Enter")
    expect(checklist.locator("#host-km1")).to_be_visible()


def test_without_javascript_all_of_it_works(
    world: World, alice: Actor, new_page: Visitors, dns: DnsServer
) -> None:
    page = new_page(alice, java_script_enabled=False)
    add_domain(page)
    for key in ("km1", "km2", "km"):
        add_as_shown(page, dns, key)
    page.get_by_role("link", name="Someone else").click()
    expect(page.get_by_role("heading", name="Send the records on")).to_be_visible()
    page.get_by_label("Their email address").fill("sam@agency.test")
    page.get_by_role("button", name="Send the records").click()
    stranger = new_page(java_script_enabled=False)
    stranger.goto(world.link_to("sam@agency.test"))
    expect(stranger.get_by_role("heading", level=1)).to_have_text("DNS records for doeinc.test")
    expect(stranger.get_by_text("0 of 3 records found")).to_be_visible()
    stranger.get_by_role("button", name="Check now").click()
    expect(stranger.get_by_text("The three records that are needed are found")).to_be_visible()
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_text("Authenticated since")).to_be_visible()
    page.get_by_text("Remove domain", exact=True).first.click()
    page.get_by_role("button", name="Remove domain").click()
    expect(page.get_by_text("doeinc.test is removed")).to_be_visible()


def test_on_a_phone_the_longest_names_and_keys_do_not_widen_the_page(
    alice: Actor, new_page: Visitors
) -> None:
    page = new_page(alice, viewport=PHONE, has_touch=True, is_mobile=True)
    add_domain(page, f"{'a' * 60}.{'b' * 60}.{'c' * 60}.test")
    address = page.url.partition("?")[0]
    for who in ("me", "other"):
        page.goto(f"{address}?who={who}")
        page.evaluate(UNFOLD)
        assert page.evaluate(TOO_WIDE) == []
    page.goto("/settings/domains")
    assert page.evaluate(TOO_WIDE) == []


# Practice


@pytest.fixture
def practice(
    tmp_path: Path, sqlite_template: Path, dns: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """A whole try-out with its practice DNS, as `make run` has it."""
    zone = PracticeZone(tmp_path / "kartramail-practice.db")
    with practice_dns(zone.records) as port:

        def with_practice(url: str, **values: Any) -> Settings:
            values.pop("dns_nameservers")
            return make_settings(url, practice_dns_port=port, **values)

        monkeypatch.setattr(browser_world, "make_settings", with_practice)
        with open_world(tmp_path, sqlite_template, dns) as opened:
            yield opened
            if "kartramail_practice" in opened.app.extensions:
                opened.app.extensions["kartramail_practice"].close()
    zone.close()


def test_practice_turns_green_breaks_and_heals_on_the_page(
    practice: World, browser: Browser, expected_faults: list[str]
) -> None:
    visitors = Visitors(practice, browser, expected_faults)
    page = visitors(practice.alice())
    add_domain(page)
    expect(page.get_by_role("heading", name="Practice")).to_be_visible()
    desk = page.get_by_role("form", name="Practice: second signature key")
    page.get_by_role("button", name="Publish all records").click()
    expect(page.locator("#domain-progress")).to_contain_text("Authenticated since")
    desk.get_by_label("Mistake in the second signature key").select_option("truncated_key")
    desk.get_by_role("button", name="Make this mistake").click()
    expect(page.locator("#state-km2")).to_contain_text("What to do:")
    expect(page.locator("#domain-badge")).to_contain_text("Records are gone")
    expect(desk.get_by_role("button", name="Make this mistake")).to_be_focused()
    desk.get_by_role("button", name="Publish it").click()
    expect(page.locator("#domain-progress")).to_contain_text("Authenticated since")
    expected_faults.append("Applying inline style")  # axe's own
    assert not violations(page)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert page.evaluate(TOO_WIDE) == []
    visitors.close()
    visitors.check()
