"""R-A11Y: no page has an axe violation or scrolls sideways, in light and dark, wide and narrow."""

from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default as email_policy
from itertools import product
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Visitors, add_domains
from tests.browser.tour import MAILS, TOUR, Stop, Town
from tests.browser.world import open_world
from tests.support.dns_server import DnsServer

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
SCHEMES = ("light", "dark")

# What reaches past the right edge and so makes the page scroll, unless a frame around it scrolls.
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll("body *")].filter(element => element.checkVisibility()
    && element.getBoundingClientRect().right > innerWidth + 1
    && !element.closest(".table-frame, pre, .copy-text, .tabs"))
  .map(element => element.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Town]:
    with DnsServer() as dns:
        add_domains(dns)
        with open_world(tmp_path_factory.mktemp("town"), sqlite_template, dns) as world:
            yield Town(world)


@pytest.fixture
def visit(town: Town, browser: Browser, expected_faults: list[str]) -> Iterator[Visitors]:
    visitors = Visitors(town.world, browser, expected_faults)
    yield visitors
    visitors.close()
    visitors.check()


def violations(page: Page, scheme: str = "light") -> str:
    """What axe finds. In the dark only the contrast can be another one."""
    options = {"runOnly": ["color-contrast"]} if scheme == "dark" else None
    found = Axe().run(page, options=options)
    return found.generate_report() if found.violations_count else ""


@pytest.mark.parametrize("stop", TOUR, ids=lambda stop: stop.name)
def test_it_is_accessible_and_fits(
    town: Town, visit: Visitors, stop: Stop, expected_faults: list[str]
) -> None:
    page = visit(None if stop.who == "stranger" else getattr(town, stop.who), viewport=WIDE)
    stop.visit(page, town)
    visit.check()
    expected_faults.append("Applying inline style")  # axe's own
    for size, scheme in product((WIDE, PHONE), SCHEMES):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        # Without motion: half-way from one scheme to the other no colour is the one that is meant.
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        assert not violations(page, scheme), f"{size['width']} px, {scheme}"
    assert page.evaluate(TOO_WIDE) == []


@pytest.mark.parametrize("subject", MAILS)
def test_our_own_mail_is_accessible_and_fits(town: Town, visit: Visitors, subject: str) -> None:
    """Read as a mail program shows it: where the test inbox shows it, no script may look."""
    (entry, *_) = town.world.inbox.entries(search=subject)
    raw = town.world.inbox.source(entry.id)
    assert raw is not None
    body = message_from_bytes(raw, policy=email_policy).get_body(("html",))
    assert body is not None
    page = visit(viewport=PHONE)
    page.set_content(body.get_content())
    for scheme in SCHEMES:
        # Without motion: half-way from one scheme to the other no colour is the one that is meant.
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        assert not violations(page, scheme), scheme
    assert page.evaluate(TOO_WIDE) == []


def test_axe_and_the_ruler_can_find_something(visit: Visitors) -> None:
    page = visit(viewport=PHONE)
    page.set_content("<img src=x><p style='width: 500px; color: #aaa'>Too wide and too pale</p>")
    assert "image-alt" in violations(page)
    assert "color-contrast" in violations(page, "dark")
    assert page.evaluate(TOO_WIDE) != []


def test_every_place_of_the_navigation_is_on_the_tour(town: Town, visit: Visitors) -> None:
    """So that a new page cannot be forgotten here."""
    page = visit(town.jane)
    page.goto("/")
    places = page.locator("nav.side a").evaluate_all("links => links.map(link => link.href)")
    seen = set()
    for stop in TOUR:
        if stop.who == "jane":
            stop.visit(page, town)
            seen.add(page.url)
    assert set(places) <= seen
