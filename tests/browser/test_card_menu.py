"""R-CARD, R-TEST: "Send a test" in the card's menu shows what comes of it, where one looks."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitors
from tests.browser.tour import CARD
from tests.support.cast import Actor

WIDE, PHONE = {"width": 1280, "height": 500}, {"width": 390, "height": 600}


def send_by_menu(page: Page) -> None:
    page.locator("details.menu summary").click()
    page.locator("details.menu").get_by_role("button", name="Send a test").click()


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_menu_closes_and_the_answer_comes_into_view(
    alice: Actor, new_page: Visitors, size: dict[str, int]
) -> None:
    page = new_page(alice, viewport=size)
    page.goto(CARD)
    result = page.locator("#trial-result")
    expect(result).not_to_be_in_viewport()
    send_by_menu(page)
    expect(page.locator("details.menu")).not_to_have_attribute("open", "")
    expect(result).to_contain_text("Accepted")
    expect(result).to_be_in_viewport(ratio=1)
    expect(result).to_be_focused()
    assert page.evaluate(
        """() => { const bar = document.querySelector("nav.bar").getBoundingClientRect();
           const result = document.querySelector("#trial-result").getBoundingClientRect();
           return bar.height === 0 || result.bottom <= bar.top; }"""
    )


def test_a_failure_is_shown_there_too(
    alice: Actor, new_page: Visitors, expected_faults: list[str]
) -> None:
    expected_faults += ["Response Status Error Code 401", "with a status of 401"]
    page = new_page(alice, viewport=PHONE)
    page.goto(CARD)
    page.context.clear_cookies()
    send_by_menu(page)
    expect(page.get_by_text("You are signed out")).to_be_in_viewport()
