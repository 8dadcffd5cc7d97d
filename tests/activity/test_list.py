"""`/activity`: every message of the account, and of no other, newest first (R-LOG)."""

from typing import Any

import pytest
from lxml import html

from kartramail.activity.queries import PAGE
from kartramail.assets.models import Asset
from kartramail.assets.service import create_asset
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.ids import show_id
from kartramail.messages.answers import store_resolution
from kartramail.messages.resolution import Resolution
from kartramail.outbox.models import MessageState, SourceKind
from kartramail.outbox.platform_mail import enqueue_platform_mail
from tests.support.cast import Actor
from tests.support.outbox import add_messages


@pytest.fixture
def calendar(db: Database, alice: Actor) -> Asset:
    with db.transaction() as session:
        return create_asset(session, alice.account_id, "calendar", "Intro call")


def add(db: Database, actor: Actor, count: int = 1, **values: Any) -> list[int]:
    with db.transaction() as session:
        return add_messages(session, actor.account_id, count, **values)


def rows(actor: Actor, query: str = "") -> list[list[str]]:
    """The cells of each row, as they read."""
    page = html.fromstring(actor.get(f"/activity{query}").get_data(as_text=True))
    return [
        [" ".join(cell.text_content().split()) for cell in row.xpath("./td")]
        for row in page.xpath("//table/tbody/tr")
    ]


def recipients(actor: Actor, query: str = "") -> list[str]:
    page = html.fromstring(actor.get(f"/activity{query}").get_data(as_text=True))
    return [link.text for link in page.xpath("//a[@class='row-link']")]


def test_a_row_says_to_whom_what_from_whom_and_what_became_of_it(
    db: Database, alice: Actor, calendar: Asset
) -> None:
    resolution = Resolution("Alice", "alice@doeinc.com", None, None, "proven_mailbox", "So.", True)
    with db.transaction() as session:
        number = store_resolution(session, alice.account_id, resolution)
    add(
        db,
        alice,
        words=("Booked, {{ n }}", None, "<p>Hello</p>"),
        source_kind=SourceKind.NOTIFICATION,
        type="calendar.booked",
        asset_id=calendar.id,
        resolved_id=number,
        state=MessageState.BOUNCED,
    )
    ((to, sender, source, state, at),) = rows(alice)
    assert "r0@example.net" in to
    assert "Booked, 0" in to
    assert sender == "Alice alice@doeinc.com"
    assert source == "Calendar · Intro call Booking confirmed"
    assert state == "Bounced"
    assert at == "just now"


def test_a_message_from_the_temporary_address_is_marked(
    db: Database, alice: Actor, settings: Settings
) -> None:
    address = f"doe-inc@{settings.platform_domain}"
    resolution = Resolution("Doe Inc.", address, "a@doeinc.com", None, "unproven", "So.", False)
    with db.transaction() as session:
        number = store_resolution(session, alice.account_id, resolution)
    add(db, alice, resolved_id=number)
    assert f"Temporary: {address}" in rows(alice)[0][1]


def test_a_test_is_not_from_the_temporary_address(alice: Actor, settings: Settings) -> None:
    alice.post("/settings/integrations/kartramail/test")
    alice.post("/settings/integrations/kartramail/sample")
    sample, test = rows(alice)
    assert test[1] == f"KartraMail notifications@{settings.platform_domain}"
    assert test[2] == "Test"
    assert "Test of the mail service" in test[0]
    assert sample[1] == "Decided as it leaves"
    assert sample[2] == "Sample"


def test_a_subject_that_breaks_shows_its_source(db: Database, alice: Actor) -> None:
    add(db, alice, words=("{{ n | divided_by: 0 }}", "text", None))
    add(db, alice, words=("{% if %}", "text", None))
    first, second = rows(alice)
    assert "{% if %}" in first[0]
    assert "{{ n | divided_by: 0 }}" in second[0]


def test_a_hostile_subject_is_text(db: Database, alice: Actor) -> None:
    add(db, alice, words=("<script>alert(1)</script>", "text", None))
    page = alice.get("/activity").get_data(as_text=True)
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_our_own_mail_with_links_is_never_shown(db: Database, alice: Actor) -> None:
    """R-LOG: links to confirm or reset."""
    with db.transaction() as session:
        message_id = enqueue_platform_mail(
            session,
            "reset_password",
            "alice@doeinc.com",
            {"link": "http://127.0.0.1/reset/secret"},
            account_id=alice.account_id,
        )
    shown = show_id(message_id)
    for query in ("", f"?q={shown}", "?q=alice@doeinc.com", "?q=@doeinc.com", "?state=waiting"):
        assert rows(alice, query) == []
    for part in ("", "/text", "/headers", "/html", "/state"):
        assert alice.get(f"/activity/{shown}{part}").status_code == 404


def test_nobody_sees_the_messages_of_another_account(
    db: Database, alice: Actor, bob: Actor, charlie: Actor
) -> None:
    (message_id,) = add(db, alice)
    shown = show_id(message_id)
    assert recipients(bob) == ["r0@example.net"]
    for query in (
        "",
        f"?q={shown}",
        "?q=r0@example.net",
        "?q=r0",
        "?q=@example.net",
        "?source=api",
    ):
        assert rows(charlie, query) == []
    for part in ("", "/text", "/headers", "/html", "/state"):
        path = f"/activity/{shown}{part}"
        assert charlie.get(path).status_code == 404
        nobody = charlie.client.application.test_client()
        assert "/login" in nobody.get(path).location


def test_the_newest_come_first_fifty_at_a_time(db: Database, alice: Actor) -> None:
    add(db, alice, 2 * PAGE + 3)
    seen: list[str] = []
    path = "/activity"
    for _ in range(3):
        text = alice.get(path).get_data(as_text=True)
        page = html.fromstring(text)
        seen += [link.text for link in page.xpath("//a[@class='row-link']")]
        older = page.xpath("//a[contains(., 'Older messages')]/@href")
        assert ("Newest" in text) == (path != "/activity")
        path = older[0] if older else ""
    assert path == ""
    assert seen == [f"r{n}@example.net" for n in reversed(range(2 * PAGE + 3))]


def test_an_account_without_messages_is_offered_a_test(alice: Actor) -> None:
    page = html.fromstring(alice.get("/activity").get_data(as_text=True))
    (form,) = page.xpath("//form[@action='/settings/integrations/kartramail/test']")
    assert "Send yourself a test" in form.text_content()
    assert not page.xpath("//form[@role='search']")


def test_few_queries_whatever_a_page_shows(db: Database, alice: Actor, calendar: Asset) -> None:
    from tests.support.statements import heard

    for n in range(PAGE):
        words = (f"Different {n} {{{{ n }}}}", "text", None)
        add(db, alice, words=words, asset_id=calendar.id)
    with heard(db) as statements:
        assert len(rows(alice)) == PAGE
    about = [words for words, _ in statements if "message" in words or "content" in words]
    of_panel = [words for words in about if "message.lane_id = " in words]
    assert len(about) - len(of_panel) <= 6
    assert len(of_panel) <= 2  # what waits: its first rows, and how many, for each lane
