"""Pausing and resuming in a browser; what waits shows by itself and disturbs nobody (R-FAIR)."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from kartramail.clock import now
from kartramail.outbox.lanes import find_lane, lane_id_for
from kartramail.outbox.models import LaneState, MessageState
from kartramail.rules.streams import Stream
from tests.browser.asked_first import ask_and_keep, ask_by_hand
from tests.browser.conftest import Visitors
from tests.browser.renewing import renew
from tests.browser.test_keyboard import press_tab_until
from tests.browser.world import World
from tests.support.cast import Actor
from tests.support.outbox import add_messages

PAUSE = "#waiting details[data-confirm] > summary"


def add_later(world: World, actor: Actor, count: int = 1) -> None:
    """Transactional messages that wait for tomorrow."""
    later: dict[str, Any] = {
        "state": MessageState.SCHEDULED,
        "due_at": now() + timedelta(days=1),
    }
    with world.installation.db.transaction() as session:
        add_messages(session, actor.account_id, count, **later)


def lane_state(world: World, actor: Actor) -> LaneState:
    with world.installation.db.transaction() as session:
        lane_id = lane_id_for(session, actor.account_id, Stream.TRANSACTIONAL)
        lane = find_lane(session, actor.account_id, lane_id)
    assert lane is not None
    return lane.state


@pytest.fixture
def waits(world: World, alice: Actor) -> None:
    """A message of Alice's that waits."""
    add_later(world, alice)


def look_again(page: Page) -> None:
    """Ten seconds later: the panel has asked for itself, and was sent another one."""
    renew(page, "/activity/waiting/panel", 10_000)


def words(page: Page) -> Locator:
    return page.locator("#waiting .number")


@pytest.mark.usefixtures("waits")
def test_pausing_receipts_is_asked_first_and_escape_keeps_everything(
    world: World, alice: Actor, alices_page: Page
) -> None:
    page = alices_page
    page.goto("/activity/waiting")
    dialog = page.get_by_role("dialog", name="Pause transactional mail?")
    ask_and_keep(page, PAUSE, dialog, "Receipts, confirmations and reminders will wait, too")
    assert lane_state(world, alice) is LaneState.OPEN
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Pause it").click()
    expect(page.locator("#notices")).to_contain_text("Paused. What is on its way still arrives")
    expect(page.locator("#waiting")).to_contain_text("1 message, paused since")
    assert lane_state(world, alice) is LaneState.HELD
    page.get_by_role("button", name="Resume transactional mail").click()
    expect(page.locator("#notices")).to_have_text("Resumed. What waited leaves now.")
    expect(page.locator("#waiting")).to_contain_text("1 message, the next at")
    assert lane_state(world, alice) is LaneState.OPEN


@pytest.mark.usefixtures("waits")
def test_it_is_paused_and_resumed_without_a_script(
    world: World, alice: Actor, new_page: Visitors
) -> None:
    page = new_page(alice, java_script_enabled=False)
    page.goto("/activity/waiting")
    page.locator(PAUSE).click()
    page.get_by_role("button", name="Pause it").click()
    expect(page.locator("#notices")).to_contain_text("Paused. What is on its way still arrives")
    assert lane_state(world, alice) is LaneState.HELD
    page.get_by_role("button", name="Resume transactional mail").click()
    expect(page.locator("#notices")).to_contain_text("Resumed.")
    assert lane_state(world, alice) is LaneState.OPEN


@pytest.mark.usefixtures("waits")
def test_the_panel_renews_itself_beside_somebody_who_types(
    world: World, alice: Actor, alices_page: Page
) -> None:
    page = alices_page
    page.clock.install()
    page.goto("/activity")
    expect(words(page)).to_have_text("1 message")
    search = page.get_by_label("Search")
    search.press_sequentially("r")
    add_later(world, alice)
    look_again(page)
    expect(words(page)).to_have_text("2 messages")
    expect(search).to_be_focused()
    search.press_sequentially("0@")
    expect(search).to_have_value("r0@")


@pytest.mark.usefixtures("waits")
def test_the_panel_waits_while_somebody_is_in_it(
    world: World, alice: Actor, alices_page: Page
) -> None:
    page = alices_page
    page.clock.install()
    page.goto("/activity")
    press_tab_until(page, "#waiting-all")
    add_later(world, alice)
    look_again(page)
    expect(page.locator("#waiting-all")).to_be_focused()
    expect(words(page)).to_have_text("1 message")
    press_tab_until(page, "#q")
    look_again(page)
    expect(words(page)).to_have_text("2 messages")
    expect(page.locator("#q")).to_be_focused()


@pytest.mark.usefixtures("waits")
def test_the_panel_takes_no_second_look_away(world: World, alice: Actor, alices_page: Page) -> None:
    page = alices_page
    page.clock.install()
    page.goto("/activity/waiting")
    dialog = ask_by_hand(page, PAUSE)
    add_later(world, alice)
    look_again(page)
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(PAUSE)).to_be_focused()
    expect(words(page)).to_have_text("1 message")
    page.locator(PAUSE).blur()
    look_again(page)
    expect(words(page)).to_have_text("2 messages")
