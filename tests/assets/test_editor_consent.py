"""The editor asks for each sender anew (R-LOWDELIV), and bears what is thrown at it (R-SAFE)."""

import time

from kartramail.db import Database
from kartramail.ids import show_id
from kartramail.senders.models import Sender
from tests.support.cast import Actor

PAGE = "/settings/notifications/calendar.booked"


def add_sender(db: Database, actor: Actor, domain: str) -> str:
    with db.transaction() as session:
        sender = Sender(
            account_id=actor.account_id,
            name=domain,
            send_from=f"hello@{domain}",
            from_key=f"hello@{domain}",
            from_domain=domain,
            reply_to=f"hello@{domain}",
        )
        session.add(sender)
        session.flush()
        return show_id(sender.id)


def form(sender_id: str, **more: str) -> dict[str, str]:
    return {"subject": "Hello", "html": "<p>Hi</p>", "text": "Hi", "sender_id": sender_id} | more


def test_a_tick_for_one_sender_is_none_for_another(alice: Actor, db: Database) -> None:
    add_sender(db, alice, "first.test")
    second = add_sender(db, alice, "second.test")
    ticked = {"accept_low_delivery": "y", "asked_about": "first.test"}
    answer = alice.post(PAGE, form(second, **ticked))
    assert answer.status_code == 422
    assert b'value="second.test"' in answer.data
    assert b'name="accept_low_delivery" type="checkbox" value="y" checked' not in answer.data
    assert (
        alice.post(PAGE, form(second, **(ticked | {"asked_about": "second.test"}))).status_code
        == 303
    )


def test_returning_the_only_words_is_refused_with_words(alice: Actor) -> None:
    assert alice.post(PAGE, form("", html="", text="Only text")).status_code == 303
    answer = alice.post(PAGE, form("", html="", text="Only text") | {"return": "text"})
    assert answer.status_code == 422
    assert b"Only text" in answer.data


def test_a_suggestion_for_what_cannot_be_read_is_no_work(alice: Actor) -> None:
    """Quadratic in the openings, were it walked through: hours for two megabytes."""
    started = time.process_time()
    answer = alice.post(PAGE, form("", html="{{" * 400_000, rename="html:a:b"))
    assert answer.status_code == 422
    assert time.process_time() - started < 5
