"""Try again now, and cancel: what a person does to one message (issue 5; R-RETRY, R-OUTBOX)."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from lxml import html
from sqlmodel import Session

from kartramail.accounts.history import list_changes
from kartramail.accounts.history_words import describe_change
from kartramail.clock import now
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.ids import show_id
from kartramail.messages import by_hand
from kartramail.outbox.cancellation import cancel_waiting
from kartramail.outbox.claims import claim
from kartramail.outbox.models import Attempt, Message, MessageState
from kartramail.outbox.platform_mail import enqueue_platform_mail
from kartramail.outbox.releases import release
from kartramail.outbox.results import Result, record_results
from kartramail.outbox.workers import register_worker
from kartramail.rules.replies import Accepted
from tests.activity.test_list import add
from tests.activity.test_message import page, timeline, words
from tests.api.conftest import Program, make_program
from tests.support.cast import Actor
from tests.support.engine import running_engine, wait_until
from tests.support.old_messages import grow_old
from tests.support.outbox import messages
from tests.support.smtp_server import Ok, Say, ScriptedServer

LATER: dict[str, Any] = {"state": MessageState.DEFERRED, "tries": 1, "attempts": 1}


def deferred(db: Database, actor: Actor) -> int:
    (message_id,) = add(db, actor, **LATER, due_at=now() + timedelta(hours=1))
    return message_id


def hold(db: Database) -> int:
    """A worker takes all that is due; returns its number."""
    with db.transaction() as session:
        worker_id = register_worker(session, "host", 1)
        assert claim(session, worker_id, 10)
    return worker_id


def press(actor: Actor, message_id: int, what: str) -> str:
    """Press the button; returns what the page says then."""
    path = f"/activity/{show_id(message_id)}"
    answer = actor.post(f"{path}/{what}")
    assert (answer.status_code, answer.location) == (303, path)
    return words(page(actor, message_id))


def history(db: Database, actor: Actor) -> list[tuple[str | None, str]]:
    with db.reading() as session:
        changes = list_changes(session, actor.account_id)
    return [(one.who, describe_change(one)) for one in changes if "message" in one.after]


def test_a_message_that_was_put_off_is_tried_at_once_and_arrives(
    db: Database, settings: Settings, alice: Actor, bob: Actor
) -> None:
    (message_id,) = add(db, alice)
    script = {"rcpt": [Say("450 4.2.0 come back later"), Ok()]}
    with ScriptedServer(script) as server, running_engine(db, settings, server.port):
        wait_until(lambda: messages(db)[0].state is MessageState.DEFERRED)
        shown = page(alice, message_id)
        assert "Next try at" in words(shown)
        assert "; tried until" in words(shown)
        assert "is due now" in press(bob, message_id, "try-now")
        wait_until(lambda: messages(db)[0].state is MessageState.SENT)
    assert messages(db)[0].attempts == 2  # asking for it counted as none
    assert history(db, alice) == [
        (bob.full_name, f"Asked for the next try of the message {show_id(message_id)} at once")
    ]
    first, second = timeline(page(alice, message_id))[1:]
    assert "Try 1, " in first
    assert "Try 2, " in second


@pytest.mark.parametrize(
    "state", [MessageState.SCHEDULED, MessageState.QUEUED, MessageState.DEFERRED]
)
def test_a_message_of_a_paused_lane_says_so_and_where_to_resume_it(
    db: Database, alice: Actor, state: MessageState
) -> None:
    (message_id,) = add(db, alice, state=state, due_at=now() + timedelta(hours=1), tries=1)
    (look,) = page(alice, message_id).xpath("//*[@id='activity-state']/@hx-get")
    assert alice.get(look).status_code == 204
    with db.transaction() as session:
        lane_id = session.get_one(Message, message_id).lane_id
    alice.post(f"/activity/lanes/{show_id(lane_id)}/pause")
    assert alice.get(look).status_code == 200  # a page that is open shows it, too
    shown = page(alice, message_id)
    assert "It waits: transactional mail is paused. It leaves when that is resumed." in words(shown)
    assert shown.xpath("//*[@id='see-waiting']/@href") == ["/activity/waiting"]
    assert "Next try at" not in words(shown)
    assert not shown.xpath("//*[@id='try-now']")
    assert shown.xpath("//form[contains(@action, '/cancel')]")
    alice.post(f"/activity/lanes/{show_id(lane_id)}/resume")
    assert "is paused" not in words(page(alice, message_id).xpath("//*[@id='became']")[0])


def test_a_message_that_stays_long_leads_to_what_waits_and_why(db: Database, alice: Actor) -> None:
    (message_id,) = add(db, alice, created_at=now() - timedelta(minutes=1))
    shown = page(alice, message_id)
    assert "It is still waiting to be sent. It is not lost, and leaves by itself." in words(shown)
    assert shown.xpath("//*[@id='see-waiting']/@href") == ["/activity/waiting"]
    (fresh,) = add(db, alice)
    assert not page(alice, fresh).xpath("//*[@id='see-waiting']")


def test_asking_twice_is_asking_once(db: Database, alice: Actor) -> None:
    message_id = deferred(db, alice)
    press(alice, message_id, "try-now")
    due_at = messages(db)[0].due_at
    assert "is due already" in press(alice, message_id, "try-now")
    assert messages(db)[0].due_at == due_at
    assert len(history(db, alice)) == 1


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (MessageState.SENT, "not tried again"),
        (MessageState.BOUNCED, "not tried again"),
        (MessageState.FAILED, "not tried again"),
        (MessageState.CANCELLED, "not tried again"),
        (MessageState.SCHEDULED, "has not been tried yet"),
        (MessageState.QUEUED, "has not been tried yet"),
    ],
)
def test_nothing_else_is_tried_again(
    db: Database, alice: Actor, state: MessageState, said: str
) -> None:
    waits = state in (MessageState.SCHEDULED, MessageState.QUEUED)
    due_at = now() + timedelta(hours=1) if waits else None
    (message_id,) = add(db, alice, state=state, due_at=due_at, tries=1)
    before = messages(db)
    assert not page(alice, message_id).xpath("//*[@id='try-now']")
    assert said in press(alice, message_id, "try-now")
    assert messages(db) == before
    assert history(db, alice) == []


def test_what_is_being_sent_is_left_to_its_worker(db: Database, alice: Actor) -> None:
    (message_id,) = add(db, alice)
    hold(db)
    before = messages(db)
    assert "being sent right now" in press(alice, message_id, "try-now")
    assert messages(db) == before


@pytest.mark.parametrize("state", [MessageState.BOUNCED, MessageState.FAILED])
def test_what_failed_says_why_it_is_not_sent_again(
    db: Database, alice: Actor, state: MessageState
) -> None:
    (message_id,) = add(db, alice, state=state, due_at=None, tries=1)
    assert "It is not sent again from here" in words(page(alice, message_id))


@pytest.mark.parametrize(
    "state", [MessageState.SCHEDULED, MessageState.QUEUED, MessageState.DEFERRED]
)
def test_what_waits_is_cancelled_and_says_by_whom(
    db: Database, alice: Actor, bob: Actor, state: MessageState
) -> None:
    (message_id,) = add(db, alice, state=state, due_at=now() + timedelta(hours=1))
    assert page(alice, message_id).xpath("//form[contains(@action, '/cancel')]")
    assert "It does not leave" in press(bob, message_id, "cancel")
    (message,) = messages(db)
    assert (message.state, message.due_at) == (MessageState.CANCELLED, None)
    assert timeline(page(alice, message_id))[-1].endswith(f"{bob.full_name} cancelled it.")
    assert history(db, alice) == [(bob.full_name, f"Cancelled the message {show_id(message_id)}")]
    assert "was cancelled before" in press(alice, message_id, "cancel")
    assert len(history(db, alice)) == 1


def test_what_a_worker_holds_may_be_on_its_way_and_is_not_tried_again(
    db: Database, alice: Actor
) -> None:
    (message_id,) = add(db, alice)
    worker_id = hold(db)
    for _ in range(2):
        assert "It may already be on its way" in press(alice, message_id, "cancel")
    assert messages(db)[0].state is MessageState.SENDING
    assert [what for _, what in history(db, alice)] == [
        f"Called back the message {show_id(message_id)}, which may be on its way"
    ]
    assert not page(alice, message_id).xpath("//form[contains(@action, '/cancel')]")
    with db.transaction() as session:
        release(session, worker_id)
    assert messages(db)[0].state is MessageState.CANCELLED


def test_what_has_ended_is_not_cancelled(db: Database, alice: Actor) -> None:
    (message_id,) = add(db, alice, state=MessageState.SENT, due_at=None, sent_at=now())
    assert "Too late to cancel" in press(alice, message_id, "cancel")
    assert messages(db)[0].state is MessageState.SENT
    assert history(db, alice) == []


@pytest.mark.parametrize("what", ["try-now", "cancel"])
def test_a_stranger_and_the_platforms_own_mails_are_not_found(
    db: Database, app: Flask, alice: Actor, charlie: Actor, what: str
) -> None:
    message_id = deferred(db, alice)
    with db.transaction() as session:
        own = enqueue_platform_mail(
            session, "confirm_address", "x@doeinc.com", {}, account_id=alice.account_id
        )
    before = messages(db)
    for actor, shown_id in ((charlie, show_id(message_id)), (alice, show_id(own)), (alice, "none")):
        answer = actor.post(f"/activity/{shown_id}/{what}")
        assert answer.status_code == 404
        said = html.fromstring(answer.get_data(as_text=True)).xpath("//main")[0]
        assert "There is no such message in this account. Nothing was changed." in words(said)
        assert said.xpath(".//a[.//text()='Show all messages']/@href") == ["/activity"]
    assert messages(db) == before


@pytest.mark.parametrize("what", ["try-now", "cancel"])
def test_a_button_of_a_page_of_another_account_does_nothing(
    db: Database, alice: Actor, charlie: Actor, what: str
) -> None:
    """Alice works in two accounts; the page is still that of the other one."""
    message_id = deferred(db, alice)
    before = messages(db)
    path = f"/activity/{show_id(message_id)}/{what}"
    answer = alice.post(path, {"opened_in": show_id(charlie.account_id)})
    assert answer.status_code == 409
    assert "Nothing was done. You are working in" in answer.get_data(as_text=True)
    assert messages(db) == before
    assert history(db, alice) == []


@pytest.mark.parametrize(("what", "said"), [("try-now", "not tried again"), ("cancel", "Too late")])
def test_what_is_old_by_now_has_ended(db: Database, alice: Actor, what: str, said: str) -> None:
    number = grow_old(db, alice.account_id)
    assert said in press(alice, number, what)
    assert history(db, alice) == []


def test_what_leaves_while_it_is_being_cancelled_has_left(
    db: Database, alice: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at it and the statement that decides, its worker settles it."""
    (message_id,) = add(db, alice)
    with db.transaction() as session:
        worker = register_worker(session, "host", 1)
        (held,) = claim(session, worker, 10)

    def settle(session: Session, *asked: Any) -> list[int]:
        taken = Accepted(250, "250 2.0.0 Ok", "mx1.example.net")
        record_results(session, worker, [Result(held.id, taken, None)])
        return cancel_waiting(session, *asked)

    monkeypatch.setattr(by_hand, "cancel_waiting", settle)
    assert "Too late to cancel" in press(alice, message_id, "cancel")
    assert messages(db)[0].state is MessageState.SENT
    assert history(db, alice) == []


def test_a_try_in_doubt_says_so_in_plain_words(db: Database, alice: Actor) -> None:
    message_id = deferred(db, alice)
    with db.transaction() as session:
        session.add(
            Attempt(
                message_id=message_id,
                n=1,
                stage="end_of_data",
                reply="the connection was closed (in doubt: it may have been taken)",
                server="mx1.example.net",
                at=now(),
            )
        )
    (_, line) = timeline(page(alice, message_id))
    assert line.startswith("mx1.example.net may have taken it Try 1")
    assert "After the whole message: the connection was closed" in line
    assert "(in doubt" not in line
    assert "The whole message went out" in line
    assert "the same Message-ID" in line


def _program(app: Flask, db: Database) -> tuple[Program, int]:
    program = make_program(app, db, "Alice Ltd", "alice@doeinc.com")
    posted = program.post(
        "/messages", {"to": "pat@example.net", "subject": "Hello", "text": "Good morning"}
    )
    assert posted.status_code == 202
    return program, messages(db)[0].id


def test_a_program_cancels_once_and_is_told_the_same_again(app: Flask, db: Database) -> None:
    program, message_id = _program(app, db)
    for _ in range(2):
        answer = program.post(f"/messages/{show_id(message_id)}/cancel", {})
        assert answer.status_code == 200
        assert answer.get_json()["state"] == "cancelled"
        assert answer.get_json()["events"][-1]["words"] == "Not sent: a program cancelled it."


def test_a_program_is_told_that_a_message_may_be_on_its_way(app: Flask, db: Database) -> None:
    program, message_id = _program(app, db)
    hold(db)
    answer = program.post(f"/messages/{show_id(message_id)}/cancel", {})
    assert (answer.status_code, answer.get_json()["state"]) == (202, "sending")
    answer = program.post(f"/messages/{show_id(message_id)}/retry", {})
    assert (answer.status_code, answer.get_json()["code"]) == (409, "being_sent")
    assert answer.mimetype == "application/problem+json"


def test_a_program_retries_what_was_put_off_and_is_refused_what_was_not(
    app: Flask, db: Database
) -> None:
    program, message_id = _program(app, db)
    path = f"/messages/{show_id(message_id)}"
    assert program.post(f"{path}/retry", {}).get_json()["code"] == "not_yet_tried"
    with db.transaction() as session:
        message = session.get(Message, message_id)
        assert message is not None
        message.state, message.due_at = MessageState.DEFERRED, now() + timedelta(hours=1)
        session.add(message)
    assert program.post(f"{path}/retry", {}).status_code == 200
    due_at = messages(db)[0].due_at
    assert due_at is not None
    assert due_at <= now()
    with db.transaction() as session:
        message = session.get(Message, message_id)
        assert message is not None
        message.state, message.due_at = MessageState.SENT, None
        session.add(message)
    for what in ("cancel", "retry"):
        answer = program.post(f"{path}/{what}", {})
        assert (answer.status_code, answer.get_json()["code"]) == (409, "ended")
        assert answer.mimetype == "application/problem+json"


def test_another_accounts_program_finds_nothing(app: Flask, db: Database) -> None:
    _, message_id = _program(app, db)
    charlies_program = make_program(app, db, "Charlie Ltd", "charlie@yourcompany.com")
    before = messages(db)
    for what in ("cancel", "retry"):
        path = f"/messages/{show_id(message_id)}/{what}"
        assert charlies_program.post(path, {}).status_code == 404
    assert messages(db) == before


def test_both_calls_are_described(app: Flask) -> None:
    paths = app.test_client().get("/api/v1/openapi.json").get_json()["paths"]
    cancel = paths["/api/v1/messages/{message_id}/cancel"]["post"]["responses"]
    retry = paths["/api/v1/messages/{message_id}/retry"]["post"]["responses"]
    assert {"200", "202", "401", "404", "409"} <= set(cancel)
    assert {"200", "401", "404", "409", "429"} <= set(retry)
