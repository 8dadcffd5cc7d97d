"""R-LIVE and R-PREVIEW in the sender form: the answer comes as one types, and nothing moves."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.tour import EDIT
from tests.support.cast import Actor
from tests.support.dns_server import DnsServer

OTHER = "support@other.com"
# Whether the next answer is put into the page, once the page's own script has decided.
WHEN_SWAP_IS_DECIDED = """() => {
  window.decided = new Promise(resolve => addEventListener("htmx:beforeSwap",
    event => resolve(event.detail.shouldSwap), { once: true }));
}"""
CHECK = re.compile(r"/kartramail/check/\w+$")


@pytest.fixture
def form(alices_page: Page) -> Iterator[Page]:
    """Alice's sender form, open."""
    alices_page.goto(EDIT)
    yield alices_page


def _asks(request: Request, value: str) -> bool:
    return value.replace("@", "%40") in (request.post_data or "")


def test_the_answer_comes_300_ms_after_the_last_key_stroke(form: Page) -> None:
    asked: list[str] = []
    form.on(
        "request",
        lambda request: (
            asked.append(request.post_data or "") if CHECK.search(request.url) else None
        ),
    )
    form.clock.install(time=datetime(2026, 3, 9, 8, 0, tzinfo=UTC))
    form.clock.pause_at(datetime(2026, 3, 9, 8, 1, tzinfo=UTC))  # what the test takes is no time
    field = form.get_by_label("Send-from address")
    field.focus()
    for text in ("jane@gmai", "jane@gmail", "jane@gmail.com"):
        field.fill(text)
        form.clock.run_for(250)
    assert asked == []
    with form.expect_response(CHECK):
        form.clock.run_for(60)
    assert len(asked) == 1
    assert "send_from=jane%40gmail.com" in asked[0]
    expect(form.locator("#send_from-message")).to_contain_text("gmail.com is shared")


def test_the_answer_moves_neither_focus_nor_caret_nor_text(form: Page) -> None:
    field = form.get_by_label("Send-from address")
    field.fill("  Jane@GMAIL.com")
    field.evaluate("field => field.setSelectionRange(3, 5)")
    message = form.locator("#send_from-message")
    expect(message.locator("[data-status=error]")).to_be_visible()
    expect(field).to_be_focused()
    expect(field).to_have_value("  Jane@GMAIL.com")
    selection = "field => [field.selectionStart, field.selectionEnd]"
    assert field.evaluate(selection) == [3, 5]
    expect(field).to_have_attribute("aria-invalid", "true")


def test_the_answer_is_announced_where_a_screen_reader_listens(form: Page) -> None:
    region = form.locator("#send_from-message")
    region.evaluate("region => { region.dataset.same = 'yes' }")
    form.get_by_label("Send-from address").fill("jane@gmail.com")
    expect(region).to_contain_text("Error:")
    expect(region).to_have_attribute("role", "status")
    expect(region).to_have_attribute("aria-live", "polite")
    expect(region).to_have_attribute("data-same", "yes")  # filled, not replaced: else it is mute


def test_a_newer_question_hangs_up_on_the_older_one(form: Page) -> None:
    """The older answer is held back until the newer one stands; nobody listens to it any more."""
    ended: list[str] = []
    form.on("requestfailed", lambda request: ended.append(request.post_data or ""))
    form.route(CHECK, lambda route, request: None if _asks(request, OTHER) else route.continue_())
    field = form.get_by_label("Reply-to address")
    with form.expect_request(CHECK):
        field.fill(OTHER)
    field.fill("support@doeinc.com")
    expect(form.locator("#reply_to-message")).to_contain_text("Replies can arrive at doeinc.com")
    assert len(ended) == 1
    assert "other.com" in ended[0]


def test_an_answer_about_another_value_is_dropped(form: Page) -> None:
    """It arrives after the field changed and before the newer question is asked."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    form.route(CHECK, hold)
    field = form.get_by_label("Reply-to address")
    message = form.locator("#reply_to-message")
    with form.expect_request(CHECK):
        field.fill(OTHER)
    before = message.inner_text()
    form.evaluate(WHEN_SWAP_IS_DECIDED)
    field.evaluate("field => { field.value = 'support@doeinc.com' }")  # as if typed just now
    held[0].continue_()
    assert form.evaluate("() => window.decided") is False
    assert message.inner_text() == before


def test_a_late_message_of_another_field_does_not_replace_the_right_one(form: Page) -> None:
    """The send-from's answer brings a message about the reply-to that has changed meanwhile."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    form.route(re.compile(r"/check/send_from$"), hold)
    with form.expect_request(CHECK):
        form.get_by_label("Send-from address").fill("alice@yourcompany.com")
    form.get_by_label("Reply-to address").fill("help@yourcompany.com")
    message = form.locator("#reply_to-message")
    expect(message).to_contain_text("Replies can arrive at yourcompany.com")
    form.evaluate(WHEN_SWAP_IS_DECIDED.replace("htmx:beforeSwap", "htmx:oobBeforeSwap"))
    held[-1].continue_()  # leaving the field has asked once more
    assert form.evaluate("() => window.decided") is False
    expect(message).to_contain_text("Replies can arrive at yourcompany.com")
    expect(form.get_by_label("Reply-to address")).not_to_have_attribute("aria-invalid", "true")


def test_an_answer_that_was_asked_before_the_other_address_changed_is_dropped(form: Page) -> None:
    """The reply-to is judged by the send-from: the answer to its change says what holds now."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    form.route(re.compile(r"/check/reply_to$"), hold)
    with form.expect_request(CHECK):
        form.get_by_label("Reply-to address").fill(OTHER)
    form.get_by_label("Send-from address").fill("alice@yourcompany.com")
    message = form.locator("#reply_to-message")
    expect(message).to_contain_text("than alice@yourcompany.com")
    form.evaluate(WHEN_SWAP_IS_DECIDED)
    held[-1].continue_()  # leaving the field has asked once more
    assert form.evaluate("() => window.decided") is False
    expect(message).to_contain_text("than alice@yourcompany.com")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(
    ("label", "typed", "verdict"),
    [
        ("Send-from address", "jane@gmail.com", "is shared by many people"),
        ("Send-from address", "jane@gmial.com", "Did you mean"),
        ("Reply-to address", "support@yourcompany.com", "is on another domain"),
        ("Sender name", "x" * 65, "64"),
    ],
)
def test_nothing_below_moves_when_a_verdict_comes(
    form: Page, width: int, label: str, typed: str, verdict: str
) -> None:
    form.set_viewport_size({"width": width, "height": 900})
    field = form.locator(".field", has=form.get_by_label(label, exact=True))
    height = "field => field.getBoundingClientRect().height"
    before = field.evaluate(height)
    form.get_by_label(label, exact=True).fill(typed)
    form.get_by_label(label, exact=True).blur()
    expect(field).to_contain_text(verdict)
    assert field.evaluate(height) == before


def test_a_change_of_one_address_judges_the_other_again(form: Page) -> None:
    """R-SAME-DOMAIN joins them."""
    form.get_by_label("Send-from address").fill("alice@yourcompany.com")
    reply_to = form.locator("#reply_to-message")
    expect(reply_to).to_contain_text("alice@doeinc.com")
    expect(reply_to).to_contain_text("alice@yourcompany.com")
    expect(form.get_by_label("Reply-to address")).to_have_attribute("aria-invalid", "true")
    form.get_by_label("Send-from address").fill("alice@doeinc.com")
    expect(reply_to.locator("[data-status=error]")).to_have_count(0)
    expect(form.get_by_label("Reply-to address")).not_to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize(
    ("label", "typed", "suggested"),
    [
        ("Reply-to address", "support@other.com", "support@doeinc.com"),
        ("Send-from address", "jane@gmial.com", "jane@gmail.com"),
    ],
)
def test_a_suggestion_is_taken_by_one_click(
    form: Page, label: str, typed: str, suggested: str
) -> None:
    field = form.get_by_label(label)
    field.fill(typed)
    field.blur()
    form.get_by_role("button", name=f"Use {suggested}").click()
    expect(field).to_have_value(suggested)
    expect(field).to_be_focused()
    expect(form.get_by_role("button", name=f"Use {suggested}")).to_have_count(0)
    assert form.url.endswith(EDIT)


def test_checking_shows_up_by_itself_and_gives_way_to_the_answer(
    form: Page, dns: DnsServer
) -> None:
    """R-REPLY: the look-up has a request of its own; no key stroke waits for it."""
    dns.slow("slow.test", 0.6)  # more than "Checking…" waits for, and well within DNS_TIMEOUT
    dns.add("slow.test", "MX", "0 .")
    form.get_by_label("Send-from address").fill("alice@slow.test")
    expect(form.locator("#reply_to-message")).to_contain_text("alice@doeinc.com")
    field = form.get_by_label("Reply-to address")
    field.fill("help@slow.test")
    checking = form.locator(".field", has=field).get_by_text("Checking…")
    expect(checking).to_be_visible()
    expect(form.locator("#reply_to-message")).to_contain_text("slow.test")
    expect(form.locator("#reply_to-message [data-status=error]")).to_be_visible()
    expect(checking).to_be_hidden()
    expect(field).to_be_focused()


def test_the_preview_follows_the_typing(form: Page) -> None:
    row = form.locator(".inbox")
    form.get_by_label("Sender name").fill("Żoë & Co")
    expect(row.locator("[data-preview=name]")).to_have_text("Żoë & Co")
    expect(row.locator("[data-preview=initial]")).to_have_text("Ż")
    form.get_by_label("Send-from address").fill("zoe@doeinc.com")
    expect(row.locator("[data-preview=address]")).to_have_text("zoe@doeinc.com")
    form.get_by_label("Reply-to address").fill("help@doeinc.com")
    expect(row.locator("[data-preview=reply]")).to_have_text("Reply goes to help@doeinc.com")


def test_what_is_typed_is_shown_as_text_and_never_as_html(form: Page) -> None:
    hostile = '<img src=x onerror="document.title=1">'
    form.get_by_label("Sender name").fill(hostile)
    expect(form.locator("[data-preview=name]")).to_have_text(hostile)
    form.get_by_label("Send-from address").fill(f"{hostile}@gmail.com")
    form.get_by_label("Send-from address").blur()
    expect(form.locator("#send_from-message [data-status=error]")).to_be_visible()
    assert form.locator("img[src=x]").count() == 0


def test_half_an_address_is_not_called_wrong_before_one_leaves_it(form: Page) -> None:
    field = form.get_by_label("Send-from address")
    with form.expect_response(CHECK):
        field.fill("jane@doein")
    expect(form.locator("#send_from-message [data-status=error]")).to_have_count(0)
    with form.expect_response(CHECK):
        field.blur()
    expect(form.locator("#send_from-message [data-status=error]")).to_be_visible()


def test_a_server_that_fails_while_one_types_takes_nothing_away(
    form: Page, alice: Actor, expected_faults: list[str]
) -> None:
    expected_faults += ["status of 500", "Response Status Error Code 500"]
    form.route(CHECK, lambda route: route.fulfill(status=500, body="no"))
    field = form.get_by_label("Send-from address")
    field.fill("jane@doeinc.com")
    expect(form.locator("#send_from-message")).to_contain_text("Could not check just now")
    expect(field).to_have_value("jane@doeinc.com")
