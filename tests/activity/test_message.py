"""`/activity/<id>`: what became of a message, who it came from and why, the mail (R-LOG)."""

from datetime import UTC, datetime, timedelta

import pytest
from lxml import html
from lxml.html import HtmlElement
from sqlmodel import select

from kartramail.accounts.models import Account
from kartramail.assets.service import create_asset
from kartramail.clock import now
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.ids import show_id
from kartramail.messages.enqueue import Letter, enqueue_letters
from kartramail.outbox.models import Message, MessageState, SourceKind
from kartramail.outbox.workers import reclaim
from kartramail.rules.addresses import Address
from kartramail.senders.models import MailboxProof
from tests.activity.test_list import add
from tests.support.cast import Actor
from tests.support.engine import running_engine, wait_until
from tests.support.outbox import messages
from tests.support.smtp_server import Ok, Say, ScriptedServer, SinkServer

WORDS = (
    "Your booking, {{ contact.first_name }}",
    "Hello {{ contact.first_name }}, see you on Tuesday.\n",
    "<p>Hello <b>{{ contact.first_name }}</b>, see you on Tuesday.</p>",
)


def enqueue(
    db: Database,
    actor: Actor,
    words: tuple[str, str | None, str | None] = WORDS,
    kind: SourceKind = SourceKind.NOTIFICATION,
) -> int:
    """A booking of a calendar, as its event puts it into the outbox."""
    with db.transaction() as session:
        asset = create_asset(session, actor.account_id, "calendar", "Intro call")
        letter = Letter(
            to=Address("pat", "example.net"),
            words=words,
            variables={"contact": {"first_name": "Pat & Kim"}},
            source_kind=kind,
            type="calendar.booked",
            asset_id=asset.id,
        )
        (enqueued,) = enqueue_letters(session, actor.account_id, [letter], "kartra.com")
    return enqueued.id


def page(actor: Actor, message_id: int, part: str = "") -> HtmlElement:
    answer = actor.get(f"/activity/{show_id(message_id)}{part}")
    assert answer.status_code == 200
    return html.fromstring(answer.get_data(as_text=True))


def words(element: HtmlElement) -> str:
    return " ".join(element.text_content().split())


def timeline(shown: HtmlElement) -> list[str]:
    return [words(line) for line in shown.xpath("//ol[@class='timeline']/li")]


def deliver(db: Database, settings: Settings) -> None:
    with SinkServer() as sink, running_engine(db, settings, sink.port):
        wait_until(lambda: messages(db)[-1].state is MessageState.SENT)


def test_the_timeline_has_every_try_in_the_servers_own_words(
    db: Database, settings: Settings, alice: Actor
) -> None:
    """R-RETRY: put off by a real server, then taken."""
    message_id = enqueue(db, alice)
    assert len(timeline(page(alice, message_id))) == 1
    script = {"rcpt": [Say("450 4.2.0 <greylisted>, come back later"), Ok()]}
    with ScriptedServer(script) as server, running_engine(db, settings, server.port):
        wait_until(lambda: messages(db)[0].state is MessageState.DEFERRED)
        shown = page(alice, message_id)
        assert "Trying again" in words(shown)
        assert "Next try at" in words(shown)
        with db.transaction() as session:
            message = session.get(Message, message_id)
            assert message is not None
            message.due_at = message.created_at
            session.add(message)
        wait_until(lambda: messages(db)[0].state is MessageState.SENT)
    shown = page(alice, message_id)
    accepted, put_off, taken = timeline(shown)
    assert accepted.startswith("Accepted into the outbox")
    assert put_off.startswith(f"127.0.0.1:{server.port} did not take it")
    said = "After the recipient (RCPT TO): 450 4.2.0 <greylisted>, come back later"
    assert put_off.endswith(said)
    assert taken.startswith(f"127.0.0.1:{server.port} took it")
    assert "250 " in taken
    (state,) = shown.xpath("//*[@id='became']//p[@role='status']")
    assert words(state).startswith("Sent")
    times = [datetime.fromisoformat(at) for at in shown.xpath("//ol[@class='timeline']//@datetime")]
    assert times == sorted(times)


def test_a_refusal_says_why_and_what_to_do(db: Database, settings: Settings, alice: Actor) -> None:
    message_id = enqueue(db, alice)
    with (
        ScriptedServer({"rcpt": Say("550 5.1.1 no such person")}) as server,
        running_engine(db, settings, server.port),
    ):
        wait_until(lambda: messages(db)[0].state is MessageState.BOUNCED)
    shown = page(alice, message_id)
    assert timeline(shown)[-1].endswith("After the recipient (RCPT TO): 550 5.1.1 no such person")
    assert "refused it for good" in words(shown)
    assert "Read what the mail server said" in words(shown)


def test_a_mail_that_cannot_be_built_says_so_with_its_time(
    db: Database, settings: Settings, alice: Actor
) -> None:
    broken = ("Sound", "{{ contact.first_name | divided_by: 0 }}", None)
    message_id = enqueue(db, alice, broken)
    with db.transaction() as session:
        message = session.get(Message, message_id)
        assert message is not None
        message.created_at -= timedelta(hours=3)
        session.add(message)
    with SinkServer() as sink, running_engine(db, settings, sink.port):
        wait_until(lambda: messages(db)[0].state is MessageState.FAILED)
    shown = page(alice, message_id)
    assert len(timeline(shown)) == 2
    assert "It could not be built" in timeline(shown)[-1]
    at = datetime.fromisoformat(shown.xpath("//ol[@class='timeline']//@datetime")[-1])
    assert now() - at < timedelta(minutes=10)
    assert "The mail cannot be built" in words(shown)


def test_a_worker_that_died_is_told_of(db: Database, alice: Actor) -> None:
    message_id = enqueue(db, alice)
    with db.transaction() as session:
        message = session.get(Message, message_id)
        assert message is not None
        message.state, message.worker_id, message.due_at = MessageState.SENDING, 12345, None
        session.add(message)
    with db.transaction() as session:
        assert reclaim(session, timedelta(seconds=15)) == 1
    assert timeline(page(alice, message_id))[-1].startswith("Taken up again")


@pytest.mark.parametrize("state", list(MessageState))
def test_every_state_has_its_words(db: Database, alice: Actor, state: MessageState) -> None:
    (message_id,) = add(db, alice, state=state)
    shown = page(alice, message_id)
    (said,) = shown.xpath("//*[@id='became']//p[@role='status']")
    assert len(words(said)) > 20
    is_followed = bool(shown.xpath("//*[@id='activity-state'][@hx-get]"))
    assert is_followed == (state in ("scheduled", "queued", "sending", "deferred"))


def test_times_are_exact_and_in_the_accounts_zone(db: Database, alice: Actor) -> None:
    with db.transaction() as session:
        account = session.get(Account, alice.account_id)
        assert account is not None
        account.time_zone = "Asia/Tokyo"
    at = datetime(2024, 1, 15, 22, 30, 7, tzinfo=UTC)
    (message_id,) = add(db, alice, created_at=at)
    assert "16 Jan 2024, 07:30:07 JST" in timeline(page(alice, message_id))[0]


def test_it_says_who_it_came_from_and_the_whole_chain(
    db: Database, settings: Settings, alice: Actor
) -> None:
    """R-RESOLVE: the log keeps the last answer, whatever is proven since."""
    message_id = enqueue(db, alice)
    deliver(db, settings)
    with db.transaction() as session:
        for proof in session.exec(select(MailboxProof)):
            session.delete(proof)
    (card,) = page(alice, message_id).xpath("//*[@id='sender']")
    assert "Who it came from, and why" in words(card)
    assert "alice@doeinc.com" in words(card)
    assert "The mailbox alice@doeinc.com was confirmed." in words(card)
    places = [words(place) for place in card.xpath(".//*[@class='chain-place']")]
    assert places == [
        "Its own sender",
        "Sender of this notification",
        "Default sender",
        "Temporary address",
    ]
    (used,) = card.xpath(".//li[@aria-current='step']")
    assert "Default sender" in words(used)


def test_it_shows_where_it_came_from(db: Database, alice: Actor) -> None:
    message_id = enqueue(db, alice)
    (link,) = page(alice, message_id).xpath("//dd/a[contains(@href, '/assets/calendar/')]")
    assert link.text == "Calendar · Intro call"
    assert "Booking confirmed" in words(link.getparent())


def test_the_mail_is_shown_as_its_recipient_reads_it(
    db: Database, settings: Settings, alice: Actor
) -> None:
    message_id = enqueue(db, alice)
    deliver(db, settings)
    shown = page(alice, message_id)
    assert words(shown.xpath("//h1")[0]) == "Your booking, Pat & Kim"
    (frame,) = shown.xpath("//iframe")
    assert "allow-scripts" not in frame.get("sandbox")
    assert "allow-same-origin" not in frame.get("sandbox")
    mail = alice.get(frame.get("src")).get_data(as_text=True)
    assert "Hello <b>Pat &amp; Kim</b>, see you on Tuesday." in mail
    text = page(alice, message_id, "/text")
    assert words(text.xpath("//pre")[0]) == "Hello Pat & Kim, see you on Tuesday."
    assert [words(tab) for tab in text.xpath("//nav[@class='tabs']//a")] == [
        "Message",
        "Text",
        "Headers",
    ]
    (current,) = text.xpath("//nav[@class='tabs']//a[@aria-current]")
    assert words(current) == "Text"


def test_the_headers_are_those_that_left(db: Database, settings: Settings, alice: Actor) -> None:
    message_id = enqueue(db, alice)
    with SinkServer() as sink, running_engine(db, settings, sink.port):
        wait_until(lambda: messages(db)[0].state is MessageState.SENT)
    shown = page(alice, message_id, "/headers")
    headers = {
        words(line.xpath("./dt")[0]): words(line.xpath("./dd")[0])
        for line in shown.xpath("//section[@aria-labelledby='mail-title']//dl/div")
    }
    assert headers["From"] == '"Doe Inc." <alice@doeinc.com>'
    assert headers["Message-ID"] == f"<{show_id(message_id)}@kartra.com>"
    left = sink.messages[0].data.partition(b"\r\n\r\n")[0].decode()
    for name in ("To", "Subject", "Message-ID", "Feedback-ID", "X-KartraMail-Message"):
        assert f"{name}: {headers[name]}" in left
    assert "DKIM-Signature" not in headers
    assert "The signature is added as the mail leaves, by kartra.com (d=kartra.com)" in words(shown)


def test_mail_cannot_run_scripts(db: Database, alice: Actor) -> None:
    """R-SAFE: a policy of its own, whatever the HTML holds."""
    hostile = "<script>alert(1)</script><img src=x onerror=alert(2)><form action=/logout></form>"
    message_id = enqueue(db, alice, ("</title><script>alert(3)</script>", None, hostile))
    answer = alice.get(f"/activity/{show_id(message_id)}/html")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox;")
    for part in ("default-src 'none'", "form-action 'none'", "frame-ancestors 'self'"):
        assert part in policy
    assert "script-src" not in policy
    assert "allow-scripts" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    whole = alice.get(f"/activity/{show_id(message_id)}").get_data(as_text=True)
    assert "alert(3)</script>" not in whole


def test_the_words_of_a_test_are_shown_until_it_has_left(
    db: Database, settings: Settings, alice: Actor
) -> None:
    """Our own mails carry links: their variables are emptied at the end."""
    alice.post("/settings/integrations/kartramail/test")
    (message,) = messages(db)
    assert "this is the test that you asked for" in words(page(alice, message.id, "/text"))
    deliver(db, settings)
    shown = page(alice, message.id)
    assert "The words of this test are not kept." in words(shown)
    assert alice.get(f"/activity/{show_id(message.id)}/html").status_code == 404
    assert "notifications@kartra.com" in words(shown.xpath("//*[@id='sender']")[0])


def test_a_sample_says_what_is_kept_of_it(db: Database, settings: Settings, alice: Actor) -> None:
    alice.post("/settings/integrations/kartramail/sample")
    (message,) = messages(db)
    assert "alice@doeinc.com" in words(page(alice, message.id).xpath("//*[@id='sender']")[0])
    deliver(db, settings)
    shown = page(alice, message.id)
    assert "The words of this sample are not kept." in words(shown)
    assert "alice@doeinc.com" in words(shown.xpath("//*[@id='sender']")[0])


def test_a_sample_of_a_notification_keeps_its_words(
    db: Database, settings: Settings, alice: Actor
) -> None:
    message_id = enqueue(db, alice, kind=SourceKind.SAMPLE)
    deliver(db, settings)
    assert "see you on Tuesday" in words(page(alice, message_id, "/text"))


def test_words_that_are_gone_are_told_of(db: Database, alice: Actor) -> None:
    (message_id,) = add(db, alice, content_id=None)
    assert "The words of this message are not kept." in words(page(alice, message_id))


def test_the_page_follows_a_message_until_it_is_settled(
    db: Database, settings: Settings, alice: Actor
) -> None:
    message_id = enqueue(db, alice)
    (state,) = page(alice, message_id).xpath("//*[@id='activity-state']")
    look = state.get("hx-get")
    assert state.get("hx-trigger") == "every 2s"
    assert alice.get(look).status_code == 204
    deliver(db, settings)
    answer = alice.get(look)
    assert answer.status_code == 200
    assert "took it" in answer.get_data(as_text=True)
    assert "hx-get" not in answer.get_data(as_text=True)


def test_the_page_does_not_look_for_ever(db: Database, alice: Actor) -> None:
    message_id = enqueue(db, alice)
    (state,) = page(alice, message_id).xpath("//*[@id='activity-state']")
    before = int((now() - timedelta(minutes=3)).timestamp())
    late = state.get("hx-get").partition("since=")[0] + f"since={before}"
    text = alice.get(late).get_data(as_text=True)
    assert "hx-get" not in text
    assert "Look again" in text
    for odd in ("x", "-5", "9" * 40):
        answer = alice.get(state.get("hx-get").partition("since=")[0] + f"since={odd}")
        assert answer.status_code in (200, 204)


def test_a_test_on_the_card_leads_to_its_message(
    db: Database, settings: Settings, alice: Actor
) -> None:
    alice.post("/settings/integrations/kartramail/test")
    deliver(db, settings)
    card = html.fromstring(alice.get("/settings/integrations").get_data(as_text=True))
    (link,) = card.xpath("//a[contains(., 'See it in Activity')]/@href")
    assert alice.get(link).status_code == 200


def test_what_is_no_id_is_not_there(alice: Actor) -> None:
    for shown in ("none", "0" * 13, "z" * 13, "%00"):
        assert alice.get(f"/activity/{shown}").status_code == 404
