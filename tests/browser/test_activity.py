"""R-LOG, R-SAFE in a browser: search as one types, a message that is followed, hostile mail."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from kartramail.ids import show_id
from kartramail.outbox.models import Message, MessageState
from tests.browser.conftest import Visitors
from tests.browser.test_keyboard import press_tab_until
from tests.browser.world import World
from tests.support.cast import Actor
from tests.support.outbox import add_messages

SENT = {"state": MessageState.SENT, "due_at": None}
HOSTILE = """<script>top.document.title = "taken"; parent.taken = 1; fetch("/logout")</script>
<img src="https://mail.example/pixel.png" onerror="top.taken = 1">
<form action="/logout" method="post" id="f"><button>Win a prize</button></form>
<meta http-equiv="refresh" content="0; url=/settings/team">
<p>Read me</p><a href="javascript:alert(1)">A link</a>"""


@pytest.fixture
def written(world: World, alice: Actor) -> dict[str, int]:
    """Alice's messages: to three people, one of them refused, one with hostile words."""
    with world.installation.db.transaction() as session:
        ids = {}
        for name, values in {
            "jane": SENT,
            "janet": {"state": MessageState.BOUNCED, "due_at": None},
            "kim": SENT | {"words": ("<b>Hello</b>", "Hello", HOSTILE)},
        }.items():
            address = f"{name}@doeinc.com"
            to = {"to_addr": address, "to_key": address, "to_domain": "doeinc.com"}
            (ids[name],) = add_messages(session, alice.account_id, 1, **(values | to))
    return ids


def recipients(page: Page) -> list[str]:
    return page.locator("#activity-list .row-link").all_text_contents()


def test_the_list_follows_the_typing(alices_page: Page, written: dict[str, int]) -> None:
    alices_page.goto("/activity")
    assert recipients(alices_page) == ["kim@doeinc.com", "janet@doeinc.com", "jane@doeinc.com"]
    search = alices_page.get_by_label("Search")
    search.press_sequentially("jane", delay=20)
    expect(alices_page.locator(".row-link")).to_have_count(2)
    expect(alices_page).to_have_url(re.compile(r"/activity\?q=jane$"))
    expect(alices_page.locator("#activity-found")).to_have_text("2 messages")
    expect(search).to_be_focused()
    expect(search).to_have_value("jane")
    alices_page.get_by_label("State").select_option("Bounced")
    expect(alices_page.locator(".row-link")).to_have_text(["janet@doeinc.com"])
    expect(alices_page).to_have_url(re.compile(r"q=jane&state=bounced$"))
    alices_page.go_back()
    expect(alices_page.locator(".row-link")).to_have_count(2)
    expect(alices_page.get_by_label("State")).to_have_value("")
    expect(alices_page.get_by_label("Search")).to_have_value("jane")


def test_it_works_without_a_script(
    new_page: Visitors, alice: Actor, written: dict[str, int]
) -> None:
    page = new_page(alice, java_script_enabled=False)
    page.goto("/activity")
    page.get_by_label("Search").fill("janet")
    page.get_by_role("button", name="Show").click()
    assert recipients(page) == ["janet@doeinc.com"]
    expect(page.get_by_label("Search")).to_have_value("janet")
    page.get_by_role("link", name="janet@doeinc.com").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello 0")
    page.get_by_role("link", name="Headers").click()
    expect(page.get_by_text("X-KartraMail-Message")).to_be_visible()


def test_by_keyboard_alone_a_message_is_opened(
    alices_page: Page, written: dict[str, int], expected_faults: list[str]
) -> None:
    # Its words are the hostile ones: what Chromium keeps them from doing, it writes down.
    expected_faults += ["Content Security Policy", "sandbox"]
    alices_page.goto("/activity")
    press_tab_until(alices_page, "#activity-list .row-link")
    alices_page.keyboard.press("Enter")
    expect(alices_page.get_by_role("heading", level=1)).to_have_text("<b>Hello</b>")


def test_a_first_test_is_sent_and_followed_from_the_empty_page(
    world: World, alices_page: Page
) -> None:
    alices_page.goto("/activity")
    alices_page.get_by_role("button", name="Send yourself a test").click()
    expect(alices_page.locator("#trial-result")).to_contain_text("took it", timeout=20_000)
    alices_page.get_by_role("link", name="See it in Activity").click()
    expect(alices_page.locator("#became")).to_contain_text("Accepted into the outbox")
    expect(alices_page.locator(".timeline li")).to_have_count(2)


def test_the_page_shows_by_itself_what_becomes_of_a_message(
    world: World, alice: Actor, alices_page: Page
) -> None:
    db = world.installation.db
    with db.transaction() as session:
        held = {"state": MessageState.SENDING, "due_at": None, "worker_id": None}
        (message_id,) = add_messages(session, alice.account_id, 1, **held)
    alices_page.goto(f"/activity/{show_id(message_id)}")
    expect(alices_page.locator("#became")).to_contain_text("Sending")
    with db.transaction() as session:
        message = session.get(Message, message_id)
        assert message is not None
        message.state, message.due_at = MessageState.QUEUED, message.created_at
        session.add(message)
    expect(alices_page.locator("#became")).to_contain_text("Sent", timeout=20_000)
    expect(alices_page.locator("#activity-state")).not_to_have_attribute("hx-get", re.compile("."))


def test_hostile_mail_does_nothing_but_be_read(
    world: World,
    alices_page: Page,
    written: dict[str, int],
    expected_faults: list[str],
) -> None:
    expected_faults += ["Content Security Policy", "sandbox"]
    asked, refused = set[str](), set[str]()
    alices_page.on("request", lambda request: asked.add(request.url))
    alices_page.on(
        "requestfailed",
        lambda request: refused.add(request.url) if request.failure == "csp" else None,
    )
    path = f"/activity/{show_id(written['kim'])}"
    alices_page.goto(path)
    mail = alices_page.frame_locator("iframe")
    expect(mail.get_by_text("Read me")).to_be_visible()
    mail.get_by_role("button", name="Win a prize").click()
    alices_page.wait_for_timeout(500)
    expect(alices_page.get_by_role("heading", level=1)).to_have_text("<b>Hello</b>")
    assert alices_page.title() == "<b>Hello</b> · KartraMail"
    assert alices_page.evaluate("window.taken") is None
    assert {url for url in asked if not url.startswith(world.address)} <= refused
    assert not [url for url in asked if url.endswith(("/logout", "/team"))]
    alices_page.goto(f"{path}/html")  # the frame alone, as a page: the same policy
    expect(alices_page.get_by_text("Read me")).to_be_visible()
    assert alices_page.title() != "taken"
    alices_page.goto("/activity")
    expect(alices_page.get_by_role("heading", level=1)).to_have_text("Activity")


def test_the_export_is_a_file_of_what_is_chosen(
    alices_page: Page, written: dict[str, int], tmp_path: Path
) -> None:
    page = alices_page
    page.goto("/activity")
    for typed, wanted in (("", ["kim", "janet", "jane"]), ("jane", ["janet", "jane"])):
        page.get_by_label("Search").fill(typed)
        expect(page.locator(".row-link")).to_have_count(len(wanted))
        with page.expect_download() as download:
            page.get_by_role("link", name="Export").click()
        assert re.fullmatch(r"activity-\d{4}-\d\d-\d\d\.csv", download.value.suggested_filename)
        download.value.save_as(tmp_path / "saved.csv")
        with (tmp_path / "saved.csv").open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.DictReader(file))
        assert [line["id"] for line in lines] == [show_id(written[name]) for name in wanted]
        assert [line["to"] for line in lines] == [f"{name}@doeinc.com" for name in wanted]
        assert {line["state"] for line in lines} == {"sent", "bounced"}
    expect(page.get_by_label("Search")).to_have_value("jane")  # the page is still there
