"""R-GLOBAL, R-VARS, R-LIVE in a real browser: the switch, the editor, the preview that follows."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitors
from tests.browser.world import World
from tests.senders.further import add
from tests.support.cast import Actor

LIST = "/settings/notifications"
BOOKED = f"{LIST}/calendar.booked"
PREVIEW = "iframe[name=mail-preview]"


def open_editor(page: Page) -> None:
    page.goto(BOOKED)
    expect(page.frame_locator(PREVIEW).get_by_text("Your booking is confirmed")).to_be_visible()


def test_a_switch_is_saved_at_once_and_is_its_own_way_back(alices_page: Page) -> None:
    page = alices_page
    page.goto(LIST)
    switch = page.get_by_role("switch", name="Booking confirmed")
    expect(switch).to_be_checked()
    switch.press("Space")
    expect(switch).not_to_be_checked()
    expect(switch).to_be_focused()
    expect(page.locator("#switched")).to_have_text("Booking confirmed: off, nobody gets it.")
    page.reload()
    expect(switch).not_to_be_checked()
    switch.click()
    expect(switch).to_be_checked()
    assert page.url.endswith(LIST), "the row around it is a link, and the switch is not"


def test_the_whole_row_leads_to_the_editor(alices_page: Page) -> None:
    alices_page.goto(LIST)
    alices_page.get_by_text("When somebody has booked a time, or moved a booking").click(force=True)
    expect(alices_page).to_have_url(re.compile(r"/calendar\.booked$"))


def test_a_fault_is_told_as_one_types_and_mended_by_one_press(alices_page: Page) -> None:
    page = alices_page
    open_editor(page)
    message = page.get_by_label("Message", exact=True)
    message.fill("<p>Hello</p>\n<p>{{ contact.frist_name }}</p>\n<p>Bye</p>")
    told = page.locator("#html-message")
    expect(told).to_contain_text("“contact.frist_name” (line 2)")
    expect(message).to_have_attribute("aria-invalid", "true")
    told.get_by_role("button", name="Go to line 2").click()
    selected = "field => field.value.slice(field.selectionStart, field.selectionEnd)"
    assert message.evaluate(selected) == "<p>{{ contact.frist_name }}</p>"
    told.get_by_role("button", name="Use contact.first_name").click()
    expect(message).to_have_value("<p>Hello</p>\n<p>{{ contact.first_name }}</p>\n<p>Bye</p>")
    expect(told).to_contain_text("Change the words between the tags")
    expect(message).to_be_focused()


def test_code_that_is_being_typed_is_left_in_peace_until_one_leaves(alices_page: Page) -> None:
    page = alices_page
    open_editor(page)
    subject = page.get_by_label("Subject")
    with page.expect_response("**/check/subject"):
        subject.fill("Hello {{ contact.fi")
    expect(page.locator("#subject-message [data-status=error]")).to_have_count(0)
    page.get_by_label("Message", exact=True).focus()
    expect(page.locator("#subject-message")).to_contain_text("line 1")


def test_a_variable_is_written_where_the_cursor_is(alices_page: Page) -> None:
    page = alices_page
    open_editor(page)
    message = page.get_by_label("Message", exact=True)
    message.fill("<p>Hello !</p>")
    message.evaluate("field => { field.focus(); field.setSelectionRange(9, 9); }")
    page.get_by_text("Variables at hand").click()
    page.get_by_role("button", name="Insert First name").click()
    expect(message).to_have_value('<p>Hello {{ contact.first_name | default: "there" }}!</p>')
    expect(page.locator("#inserted")).to_have_text("Inserted into the message.")
    expect(page.frame_locator(PREVIEW).get_by_text("Hello Jane!")).to_be_visible()


def test_the_preview_and_the_row_follow_the_typing(alices_page: Page) -> None:
    page = alices_page
    open_editor(page)
    page.get_by_label("Subject").fill("See you, {{ contact.first_name }}")
    for place in ("#inbox-row", "#sender-row"):
        expect(page.locator(f"{place} .inbox-subject")).to_have_text("See you, Jane")
    message = page.get_by_label("Message", exact=True)
    message.fill("<p>New words for {{ contact.first_name }}</p>")
    shown = page.frame_locator(PREVIEW)
    expect(shown.get_by_text("New words for Jane")).to_be_visible()
    message.fill("<p>{{ contact.first")
    page.wait_for_timeout(1200)
    expect(shown.get_by_text("New words for Jane")).to_be_visible()
    message.fill("<p>Back again</p>")
    expect(shown.get_by_text("Back again")).to_be_visible()
    page.go_back()
    assert page.url == "about:blank", "no look at the preview is a step of its own"


def test_it_is_shown_as_wide_as_on_a_desktop_and_as_on_a_phone(alices_page: Page) -> None:
    page = alices_page
    open_editor(page)
    inner = "frame => frame.clientWidth"
    frame = page.locator(PREVIEW)
    assert frame.evaluate(inner) >= 680
    page.get_by_role("radio", name="Phone").check()
    assert frame.evaluate(inner) <= 375
    outer = page.locator(".mail-screen").bounding_box()
    box = frame.bounding_box()
    assert outer and box and box["width"] <= outer["width"] + 1


def test_scripts_of_a_mail_do_not_run_in_it(alices_page: Page) -> None:
    """R-SAFE: they are taken out, and the frame would not run them."""
    page = alices_page
    open_editor(page)
    page.get_by_label("Message", exact=True).fill(
        "<p>Hostile</p><script>top.document.title = 'owned'</script>"
        '<img src="data:," onerror="top.document.title=1">'
    )
    expect(page.frame_locator(PREVIEW).get_by_text("Hostile")).to_be_visible()
    expect(page).to_have_title(re.compile("Booking confirmed"))


def test_a_picked_sender_is_shown_with_its_tick_and_why(
    world: World, alice: Actor, alices_page: Page
) -> None:
    add(world.installation.db, alice.account_id)
    page = alices_page
    open_editor(page)
    page.get_by_role("radio", name="Doe support").check()
    expect(page.locator("#inbox-row .inbox-name")).to_have_text("Doe support")
    expect(page.locator("#sender-reason")).to_contain_text("Authenticate doeinc.com")
    page.locator(".page-actions").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. Booking confirmed has our words.")).to_be_visible()
    expect(page.get_by_role("radio", name="Doe support")).to_be_checked()


def test_a_sample_arrives_and_the_page_says_so(
    world: World, alice: Actor, alices_page: Page
) -> None:
    page = alices_page
    open_editor(page)
    page.get_by_label("Subject").fill("A sample for {{ contact.first_name }}")
    page.get_by_role("button", name="Send me a sample").click()
    expect(page.locator("#sample-result")).to_contain_text("took it", timeout=20_000)
    expect(page.get_by_label("Subject")).to_have_value("A sample for {{ contact.first_name }}")
    mail = world.mail_to(alice.email)
    assert mail["Subject"] == "A sample for Jane"
    assert "alice@doeinc.com" in mail["From"]


def test_all_of_it_works_without_javascript(new_page: Visitors, alice: Actor) -> None:
    page = new_page(alice, java_script_enabled=False)
    page.goto(LIST)
    page.get_by_role("switch", name="Booking confirmed").click()
    expect(page.get_by_role("switch", name="Booking confirmed")).not_to_be_checked()
    page.goto(BOOKED)
    page.get_by_text("Variables at hand").click()
    expect(page.get_by_text("Copy one to where it belongs.")).to_be_visible()
    expect(page.get_by_role("button", name="Insert First name")).to_be_hidden()
    page.get_by_label("Message", exact=True).fill("<p>Without a script</p>")
    page.get_by_role("button", name="Update the preview").click()
    expect(page.frame_locator(PREVIEW).get_by_text("Without a script")).to_be_visible()
    page.get_by_role("button", name="Send me a sample").click()
    expect(page.get_by_label("Message", exact=True)).to_have_value("<p>Without a script</p>")
    page.locator(".page-actions").get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. Booking confirmed has your words.")).to_be_visible()


def test_one_hand_and_a_phone_are_enough(new_page: Visitors, alice: Actor) -> None:
    page = new_page(alice, viewport={"width": 390, "height": 844})
    open_editor(page)
    expect(page.get_by_role("radio", name="Phone")).to_be_checked()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_label("Subject").fill("From a phone")
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_text("Saved. Booking confirmed has your words.")).to_be_visible()
