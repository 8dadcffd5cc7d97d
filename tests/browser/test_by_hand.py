"""Try again now, and Cancel, in a browser: asked first, kept by Escape, said in words (issue 5)."""

import base64
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from kartramail.clock import now
from kartramail.ids import show_id
from kartramail.outbox.models import Message, MessageState
from tests.browser.activity_world import BOOKED
from tests.browser.asked_first import ask_and_keep, ask_by_hand
from tests.browser.conftest import Visitors
from tests.browser.renewing import renew
from tests.browser.test_keyboard import PHONE, press_tab_until
from tests.browser.world import World
from tests.support.cast import Actor
from tests.support.outbox import add_messages

CANCEL = "#became details[data-confirm] > summary"
CLOCK_IN_FRAME = "Blocked script execution"  # of the test's own clock, in the mail's frame
COLOURS = """async (png) => {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const pixels = new Uint32Array(canvas.getImageData(0, 0, image.width, image.height).data.buffer);
  return [...new Set(pixels)].length; }"""


@pytest.fixture
def message_id(world: World, alice: Actor) -> int:
    """A message of Alice's that was put off for an hour."""
    with world.installation.db.transaction() as session:
        (message_id,) = add_messages(
            session,
            alice.account_id,
            1,
            state=MessageState.DEFERRED,
            due_at=now() + timedelta(hours=1),
            tries=1,
            attempts=1,
            words=BOOKED,
            variables={"contact": {"first_name": "Pat"}, "starts_at": "Tuesday, 10:00"},
        )
    return message_id


def path_of(message_id: int) -> str:
    return f"/activity/{show_id(message_id)}"


def state_of(world: World, message_id: int) -> MessageState:
    with world.installation.db.reading() as session:
        return session.get_one(Message, message_id).state


def becomes(world: World, message_id: int, state: MessageState) -> None:
    """What a worker writes down meanwhile."""
    with world.installation.db.transaction() as session:
        message = session.get_one(Message, message_id)
        message.state, message.due_at, message.worker_id = state, None, None
        session.add(message)


def look_again(page: Page, message_id: int) -> None:
    """Two seconds later: the page has asked what became of it, and was sent news."""
    renew(page, f"{path_of(message_id)}/state", 2_000)


def test_cancel_is_asked_first_and_escape_keeps_everything(
    world: World, alices_page: Page, message_id: int
) -> None:
    page = alices_page
    page.goto(path_of(message_id))
    dialog = page.get_by_role("dialog", name="Cancel this message?")
    ask_and_keep(page, CANCEL, dialog, "To r0@example.net. It does not leave")
    assert state_of(world, message_id) is MessageState.DEFERRED
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Cancel the message").click()
    expect(page.locator("#notices")).to_have_text("Cancelled. It does not leave.")
    expect(page.locator("#became [role=status]")).to_contain_text("Cancelled")
    expect(page.locator(".timeline li").last).to_contain_text("Alice Doe cancelled it.")
    expect(page.locator(CANCEL)).to_have_count(0)
    assert state_of(world, message_id) is MessageState.CANCELLED


def test_what_was_closed_can_be_opened_again_at_once(alices_page: Page, message_id: int) -> None:
    """The browser tells of a dialog's closing only later: until then its words are in it."""
    page = alices_page
    page.goto(path_of(message_id))
    page.locator(CANCEL).evaluate(
        """summary => { summary.click(); document.querySelector("dialog").close(); summary.click();
           return new Promise(resolve => setTimeout(resolve, 100)); }"""
    )
    dialog = page.get_by_role("dialog", name="Cancel this message?")
    expect(dialog.get_by_role("button", name="Keep it as it is")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator(CANCEL)).to_be_focused()


def test_both_work_without_a_script(
    world: World, new_page: Visitors, alice: Actor, message_id: int
) -> None:
    page = new_page(alice, java_script_enabled=False, viewport=PHONE)
    page.goto(path_of(message_id))
    page.locator(CANCEL).click()
    confirmed = page.get_by_role("button", name="Cancel the message")
    expect(confirmed).to_be_in_viewport()
    page.locator(CANCEL).click()
    expect(confirmed).to_be_hidden()
    page.get_by_role("button", name="Try again now").click()
    expect(page.locator("#notices")).to_contain_text("Its next try is due now.")
    becomes(world, message_id, MessageState.QUEUED)  # not due: no worker takes it
    page.goto(path_of(message_id))
    page.locator(CANCEL).click()
    confirmed.click()
    expect(page.locator("#notices")).to_contain_text("It may already be on its way")


def test_a_message_that_leaves_while_one_looks_twice_is_said_to_have_left(
    world: World, alices_page: Page, message_id: int, expected_faults: list[str]
) -> None:
    expected_faults.append(CLOCK_IN_FRAME)
    page = alices_page
    page.clock.install()
    page.goto(path_of(message_id))
    dialog = ask_by_hand(page, CANCEL)
    becomes(world, message_id, MessageState.SENT)
    look_again(page, message_id)
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Cancel the message").click()
    expect(page.locator("#notices")).to_contain_text("Too late to cancel: what became of it is")
    expect(page.locator("#became [role=status]")).to_contain_text("Sent")
    assert state_of(world, message_id) is MessageState.SENT


def test_news_of_a_message_waits_while_a_button_has_the_focus(
    world: World, alices_page: Page, message_id: int, expected_faults: list[str]
) -> None:
    expected_faults.append(CLOCK_IN_FRAME)
    page = alices_page
    page.clock.install()
    page.goto(path_of(message_id))
    press_tab_until(page, "#try-now")
    becomes(world, message_id, MessageState.SENDING)
    look_again(page, message_id)
    expect(page.locator("#try-now")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#notices")).to_have_text("Nothing changed: it is being sent right now.")
    assert state_of(world, message_id) is MessageState.SENDING
    becomes(world, message_id, MessageState.SENT)
    look_again(page, message_id)  # nobody is in it now
    expect(page.locator("#became [role=status]")).to_contain_text("Sent")


def test_the_next_try_is_made_at_once_and_the_page_shows_that_it_arrives(
    world: World, alices_page: Page, message_id: int
) -> None:
    page = alices_page
    page.goto(path_of(message_id))
    expect(page.locator("#became")).to_contain_text("Next try at")
    page.get_by_role("button", name="Try again now").click()
    expect(page.locator("#notices")).to_contain_text("Its next try is due now.")
    expect(page.locator("#became [role=status]")).to_contain_text("Sent", timeout=20_000)
    expect(page.locator("#try-now")).to_have_count(0)
    assert world.mail_to("r0@example.net")["Subject"] == "Pat, your time with us is booked"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_one_sees_the_words_of_a_message_that_was_put_off_below_its_story(
    new_page: Visitors, alice: Actor, message_id: int, scheme: str
) -> None:
    """In the picture of a whole page its frame was blank, since it lies below the window."""
    page = new_page(alice, viewport=PHONE, color_scheme=scheme)
    page.goto(path_of(message_id))
    frame = page.locator("iframe")
    expect(frame).not_to_be_in_viewport()
    frame.scroll_into_view_if_needed()
    words = page.frame_locator("iframe").get_by_role("heading", name="You are booked")
    expect(words).to_be_in_viewport()
    page.wait_for_timeout(200)  # drawn as soon as it is seen
    picture = base64.b64encode(page.screenshot(clip=words.bounding_box())).decode()
    ruler = new_page()
    assert ruler.evaluate(COLOURS, picture) > 5  # black on white, and the edges of letters
