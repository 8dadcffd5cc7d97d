"""R-A11Y: no page has an axe violation or scrolls sideways, in light and dark, wide and narrow."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Visitors, add_domains
from tests.browser.tour import TOUR, Stop, Town
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


def violations(page: Page) -> str:
    found = Axe().run(page)
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
        page.emulate_media(color_scheme=scheme)
        assert not violations(page), f"{size['width']} px, {scheme}"
        if size is PHONE:
            assert page.evaluate(TOO_WIDE) == []


def test_every_page_of_the_navigation_is_on_the_tour(town: Town, visit: Visitors) -> None:
    page = visit(town.jane)
    seen: set[str] = set()
    page.goto("/")
    for link in page.locator("nav.side a").all():
        seen.add(link.get_attribute("href") or "")
    page.on("framenavigated", lambda frame: None)
    toured = set()
    for stop in TOUR:
        if stop.who == "jane":
            stop.visit(page, town)
            toured.add(page.url.removeprefix(town.world.address).partition("?")[0])
    assert seen <= toured
