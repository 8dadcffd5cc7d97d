"""What can be measured of the look: gaps are one, and at most one thing is to be done next."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visitors
from tests.browser.tour import EDIT
from tests.support.cast import Actor

SIZES = [{"width": 1280, "height": 900}, {"width": 390, "height": 844}]

# From the end of a field's help to the label of the next one.
GAPS = """() => [...document.querySelectorAll(".field")].slice(0, -1).map((field, i, fields) => {
  const next = document.querySelectorAll(".field")[i + 1].querySelector("label");
  const help = field.querySelector(".message");
  return Math.round(next.getBoundingClientRect().top - help.getBoundingClientRect().bottom); })"""

PRIMARY = """() => [...document.querySelectorAll(".button-primary")]
  .filter(button => button.checkVisibility()).length"""


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size["width"]))
@pytest.mark.parametrize("path", ["/signup", EDIT, "/settings/account"])
def test_between_fields_there_is_one_gap_everywhere(
    alice: Actor, new_page: Visitors, size: dict[str, int], path: str
) -> None:
    page: Page = new_page(None if path == "/signup" else alice, viewport=size)
    page.goto(path)
    gaps = page.evaluate(GAPS)
    assert len(gaps) >= 2
    assert set(gaps) == {24}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size["width"]))
@pytest.mark.parametrize("path", ["/settings/account", EDIT, "/settings/integrations"])
def test_at_most_one_button_is_the_primary_one(
    alice: Actor, new_page: Visitors, size: dict[str, int], path: str
) -> None:
    page = new_page(alice, viewport=size)
    page.goto(path)
    assert page.evaluate(PRIMARY) <= 1
