"""R-TEST: with the mail server down the page says so within 10 seconds, by itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitors
from tests.browser.tour import CARD, EDIT
from tests.browser.world import World, open_world
from tests.support.dns_server import DnsServer


@pytest.fixture
def world(tmp_path: Path, sqlite_template: Path, dns: DnsServer) -> Iterator[World]:
    with open_world(tmp_path, sqlite_template, dns, has_mail_server=False) as opened:
        yield opened


@pytest.mark.parametrize("path", [CARD, EDIT])
def test_the_page_says_what_went_wrong_and_what_to_do(
    world: World, new_page: Visitors, path: str
) -> None:
    page = new_page(world.alice())
    page.goto(path)
    page.locator("#test").get_by_role("button", name="Send a test").click()
    result = page.locator("#trial-result")
    expect(result).to_contain_text("On its way")
    expect(result).to_contain_text("It has not been delivered yet", timeout=10_000)
    expect(result).to_contain_text("tried again by itself")
    assert page.url.endswith(path)
    page.goto(CARD)
    expect(page.locator("#last-test")).to_contain_text("It has not been delivered yet")
    page.goto("/")
    expect(page.get_by_text("Your last test did not arrive")).to_be_visible()
