"""R-SENDERS, R-A11Y: a sender is added inside a picker, by keyboard, with a script and without."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from kartramail.ids import show_id
from tests.browser.conftest import Visitors
from tests.browser.world import World
from tests.senders.further import SENDERS, add, choose_for_asset
from tests.support.cast import Actor


@pytest.fixture
def path(world: World, alice: Actor) -> str:
    """The page that asks what takes the place of a sender in use: it holds a picker."""
    db = world.installation.db
    sender_id = add(db, alice.account_id)
    choose_for_asset(db, alice.account_id, sender_id)
    return f"{SENDERS}/{show_id(sender_id)}/remove"


@pytest.fixture
def picker(alices_page: Page, path: str) -> Iterator[Page]:
    alices_page.goto(path)
    yield alices_page


def fill(page: Page, name: str = "Doe desk", local: str = "desk") -> None:
    page.get_by_label("Sender name").fill(name)
    page.get_by_label("Send-from address").fill(f"{local}@doeinc.com")
    page.get_by_label("Reply-to address").fill(f"{local}@doeinc.com")
    page.get_by_label("Reply-to address").blur()
    page.get_by_label("I understand that fewer").check()


def test_it_is_added_and_chosen_without_leaving_the_page(picker: Page, path: str) -> None:
    picker.evaluate("() => { window.same = true }")
    picker.get_by_role("button", name="Add a sender").click()
    expect(picker.get_by_role("heading", name="Add a sender")).to_be_focused()
    fill(picker)
    picker.get_by_role("button", name="Add and choose").click()
    added = picker.get_by_role("radio", name="Doe desk")
    expect(added).to_be_checked()
    expect(added).to_be_focused()
    expect(picker.get_by_text("A link was sent to desk@doeinc.com")).to_be_visible()
    expect(picker.get_by_label("Send-from address")).to_have_count(0)
    assert picker.evaluate("() => window.same") is True
    picker.get_by_role("button", name="Remove sender").click()
    expect(picker.get_by_text("comes from Doe desk <desk@doeinc.com> now")).to_be_visible()


def test_the_fields_are_judged_as_one_types(picker: Page) -> None:
    """R-LIVE, under names of their own."""
    picker.get_by_role("button", name="Add a sender").click()
    picker.get_by_label("Send-from address").fill("desk@gmail.com")
    expect(picker.get_by_text("gmail.com is shared by many people")).to_be_visible()
    expect(picker.get_by_label("Send-from address")).to_be_focused()
    picker.get_by_label("Send-from address").fill("desk@doeinc.com")
    picker.get_by_label("Reply-to address").fill("desk@other.com")
    picker.get_by_role("button", name="Use desk@doeinc.com").click()
    expect(picker.get_by_label("Reply-to address")).to_have_value("desk@doeinc.com")
    expect(picker.get_by_text("Replies can arrive at doeinc.com")).to_be_visible()


def test_enter_adds_the_sender_and_does_not_send_the_form_around(picker: Page, path: str) -> None:
    picker.get_by_role("button", name="Add a sender").press("Enter")
    fill(picker)
    picker.get_by_label("Sender name").press("Enter")
    expect(picker.get_by_role("radio", name="Doe desk")).to_be_checked()
    assert picker.url.endswith(path)


def test_a_change_in_there_is_none_of_the_form_around(picker: Page) -> None:
    """A page may save what is chosen as soon as it changes."""
    picker.evaluate(
        """() => { window.changes = [];
             document.querySelector("form.form").addEventListener(
               "change", event => window.changes.push(event.target.name)); }"""
    )
    picker.get_by_role("button", name="Add a sender").click()
    fill(picker)
    assert picker.evaluate("() => window.changes") == []
    picker.get_by_role("button", name="Add and choose").click()
    expect(picker.get_by_role("radio", name="Doe desk")).to_be_checked()
    assert picker.evaluate("() => window.changes") == ["replacement"]


def test_not_now_takes_it_away_again(picker: Page) -> None:
    picker.get_by_role("button", name="Add a sender").click()
    picker.get_by_role("button", name="Not now").click()
    expect(picker.get_by_label("Send-from address")).to_have_count(0)
    expect(picker.get_by_role("button", name="Add a sender")).to_be_visible()


def test_what_is_refused_keeps_what_was_typed(picker: Page) -> None:
    picker.get_by_role("button", name="Add a sender").click()
    picker.get_by_label("Sender name").fill("Doe desk")
    picker.get_by_label("Send-from address").fill("desk@doeinc.com")
    picker.get_by_label("Reply-to address").fill("desk@doeinc.com")
    picker.get_by_role("button", name="Add and choose").click()
    expect(picker.get_by_text("Tick this to use an address on doeinc.com")).to_be_visible()
    expect(picker.get_by_label("Send-from address")).to_have_value("desk@doeinc.com")


def test_without_javascript_the_page_comes_back_with_the_sender_chosen(
    alice: Actor, new_page: Visitors, path: str
) -> None:
    page = new_page(alice, java_script_enabled=False)
    page.goto(path)
    page.get_by_role("button", name="Add a sender").click()
    page.get_by_label("Sender name").fill("Doe desk")
    page.get_by_label("Send-from address").fill("desk@doeinc.com")
    page.get_by_label("Reply-to address").fill("desk@doeinc.com")
    page.get_by_role("button", name="Add and choose").click()
    page.get_by_label("I understand that fewer").check()
    page.get_by_role("button", name="Add and choose").click()
    expect(page.get_by_role("radio", name="Doe desk")).to_be_checked()


def test_the_picker_is_worked_by_keyboard(picker: Page) -> None:
    picker.get_by_role("radio", name=re.compile("Doe Inc")).focus()
    picker.keyboard.press("Space")
    expect(picker.get_by_role("radio", name=re.compile("Doe Inc"))).to_be_checked()
    picker.keyboard.press("Tab")
    expect(picker.get_by_role("button", name="Add a sender")).to_be_focused()
