"""A message that waits because its mail is paused: every place says so in the same words."""

from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlmodel import col, update

from kartramail.accounts.api_keys import make_api_key
from kartramail.db import Database
from kartramail.ids import show_id
from kartramail.messages.queries import message_progress
from kartramail.outbox.lanes import PLATFORM, hold_lane, lane_id_for
from kartramail.outbox.models import Lane, LaneState, Message, MessageState
from kartramail.rules.streams import Stream
from tests.activity.test_list import add
from tests.activity.test_message import page, words
from tests.api.conftest import Program
from tests.senders.reading import CARD, text_of
from tests.support.cast import Actor

PROGRESS = f"{CARD}/kartramail/progress"
HTMX = {"HX-Request": "true"}
WAITS = "It waits: transactional mail is paused. It leaves when that is resumed."
WAITING = [MessageState.QUEUED, MessageState.SCHEDULED, MessageState.DEFERRED]


def lane(db: Database, actor: Actor, stream: Stream = Stream.TRANSACTIONAL) -> int:
    with db.transaction() as session:
        return lane_id_for(session, actor.account_id, stream)


def pause(db: Database, actor: Actor, stream: Stream = Stream.TRANSACTIONAL) -> None:
    actor.post(f"/activity/lanes/{show_id(lane(db, actor, stream))}/pause")


def resume(db: Database, actor: Actor) -> None:
    actor.post(f"/activity/lanes/{show_id(lane(db, actor))}/resume")


def asked_by_api(app: Flask, db: Database, actor: Actor, message_id: int) -> dict[str, Any]:
    with db.transaction() as session:
        _, key = make_api_key(session, actor.account_id, "a program", None)
    answer = Program(app.test_client(), key, actor.account_id).get(
        f"/messages/{show_id(message_id)}"
    )
    explanation: dict[str, Any] = answer.get_json()["explanation"]
    return explanation


def held_at(db: Database, actor: Actor) -> datetime:
    with db.reading() as session:
        at = session.get_one(Lane, lane(db, actor)).held_at
    assert at is not None
    return at


@pytest.mark.parametrize("state", WAITING)
@pytest.mark.parametrize("looks", [1, 10], ids=["while it is followed", "at the end"])
def test_the_card_the_page_and_the_api_say_the_same(
    app: Flask, db: Database, alice: Actor, bob: Actor, state: MessageState, looks: int
) -> None:
    (message_id,) = add(db, alice, state=state)
    pause(db, bob)
    at = held_at(db, alice)
    when = f"Paused since {at:%H:%M} by {bob.full_name}."
    card = text_of(alice.get(f"{PROGRESS}/{show_id(message_id)}?looks={looks}", headers=HTMX))
    for said in (card, words(page(alice, message_id))):
        assert "Paused It waits" in said  # the badge
        assert WAITS in said
        assert when in said
        assert "See what waits, and resume it" in said
        assert "not running" not in said
    told = asked_by_api(app, db, alice, message_id)
    assert f"{told['problem']} {told['advice']}" == WAITS
    assert told["paused"] == {"since": at.isoformat(), "by": bob.full_name}


def test_where_it_is_resumed_nobody_speaks_of_a_pause(
    app: Flask, db: Database, alice: Actor
) -> None:
    (message_id,) = add(db, alice)
    pause(db, alice)
    resume(db, alice)
    card = text_of(alice.get(f"{PROGRESS}/{show_id(message_id)}?looks=10", headers=HTMX))
    assert "It is still waiting to be sent. It is not lost, and leaves by itself." in card
    assert "aused" not in card
    told = asked_by_api(app, db, alice, message_id)
    assert told["problem"] == "It is still waiting to be sent."
    assert told["paused"] is None


def test_it_names_whoever_paused_this_mail_last(db: Database, alice: Actor, bob: Actor) -> None:
    (message_id,) = add(db, alice)
    pause(db, bob)
    resume(db, bob)
    pause(db, alice)
    pause(db, bob, Stream.COMMERCIAL)
    said = words(page(alice, message_id))
    assert f" by {alice.full_name}. See what waits" in said
    assert bob.full_name not in said


def test_a_pause_by_a_program_names_nobody(app: Flask, db: Database, alice: Actor) -> None:
    (message_id,) = add(db, alice)
    with db.transaction() as session:
        assert hold_lane(
            session, alice.account_id, lane_id_for(session, alice.account_id, Stream.TRANSACTIONAL)
        )
    told = asked_by_api(app, db, alice, message_id)
    assert told["paused"] == {"since": held_at(db, alice).isoformat(), "by": None}
    assert f"Paused since {held_at(db, alice):%H:%M}. See" in words(page(alice, message_id))


@pytest.mark.parametrize(
    "state", [MessageState.SENDING, MessageState.BOUNCED, MessageState.FAILED, MessageState.SENT]
)
def test_what_a_pause_does_not_keep_back_does_not_speak_of_it(
    db: Database, alice: Actor, state: MessageState
) -> None:
    (message_id,) = add(db, alice, state=state, due_at=None)
    pause(db, alice)
    with db.reading() as session:
        progress = message_progress(session, alice.account_id, message_id)
    assert progress is not None
    assert progress.pause is None
    assert "paused" not in (progress.problem or "")
    assert "aused" not in words(page(alice, message_id).xpath("//*[@id='became']")[0])


def test_mail_of_the_platform_is_never_paused(db: Database, alice: Actor) -> None:
    with db.transaction() as session:
        lane_id = lane_id_for(session, alice.account_id, Stream.TRANSACTIONAL, PLATFORM)
        session.connection().execute(
            update(Lane).where(col(Lane.id) == lane_id).values(state=LaneState.HELD)
        )
    (message_id,) = add(db, alice, lane_id=lane_id)
    with db.reading() as session:
        message = session.get_one(Message, message_id)
        progress = message_progress(session, alice.account_id, message.id)
    assert progress is not None
    assert progress.pause is None
