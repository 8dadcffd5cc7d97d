"""R-SENDERS, R-SAVE: a further sender is changed like the default one, and says what it touches."""

from datetime import timedelta

import pytest

from kartramail.clock import now
from kartramail.db import Database
from kartramail.ids import new_id, show_id
from kartramail.installation import Installation
from kartramail.outbox.models import MessageState
from kartramail.senders.further import load_sender
from kartramail.senders.service import load_gateway
from tests.senders.further import (
    NEW,
    SENDERS,
    SUPPORT,
    TICK,
    add,
    choose_everywhere,
    choose_for_asset,
)
from tests.senders.reading import EDIT, text_of, value_of
from tests.support.cast import Actor
from tests.support.mailbox import templates_to
from tests.support.outbox import add_messages


@pytest.fixture
def sender_id(alice: Actor, db: Database) -> int:
    return add(db, alice.account_id)


@pytest.fixture
def path(sender_id: int) -> str:
    return f"{SENDERS}/{show_id(sender_id)}"


def test_it_shows_what_is_saved(alice: Actor, path: str) -> None:
    page = alice.get(path)
    assert value_of(page, "sender_name") == "Doe support"
    assert value_of(page, "send_from") == value_of(page, "reply_to") == "support@doeinc.com"
    assert value_of(page, "version") == "1"
    assert "Mailbox proven" in text_of(page)
    assert "Domain not authenticated" in text_of(page)


def test_it_saves_and_leaves_the_default_one_alone(
    alice: Actor, db: Database, path: str, sender_id: int
) -> None:
    answer = alice.post(path, SUPPORT | {"sender_name": "Doe help", "version": "1"})
    assert (answer.status_code, answer.location) == (303, SENDERS)
    with db.reading() as session:
        saved = load_sender(session, alice.account_id, sender_id)
        assert load_gateway(session, alice.account_id).version == 1
    assert (saved.name, saved.version) == ("Doe help", 2)
    told = text_of(alice.get("/settings/account"))
    assert "Changed the sender Doe support (support@doeinc.com): Sender name" in told


def test_the_later_of_two_tabs_is_told_and_keeps_what_it_typed(
    alice: Actor, bob: Actor, path: str
) -> None:
    bob.post(path, SUPPORT | {"sender_name": "Bob was here", "version": "1"})
    page = alice.post(path, SUPPORT | {"sender_name": "Alice as well", "version": "1"})
    assert page.status_code == 409
    assert "Bob Roe saved these details" in text_of(page)
    assert "Press Save once more to save yours instead" in text_of(page)
    assert value_of(page, "sender_name") == "Alice as well"
    again = SUPPORT | {"sender_name": "Alice as well", "version": value_of(page, "version")}
    assert alice.post(path, again).status_code == 303


def test_the_conflict_names_who_saved_this_one(alice: Actor, bob: Actor, path: str) -> None:
    """Not who saved another sender, or the default one."""
    alice.post(path, SUPPORT | {"sender_name": "First", "version": "1"})
    bob.post(NEW, SUPPORT | TICK | {"sender_name": "Other"})
    bob.post(EDIT, {"sender_name": "D", "send_from": alice.email, "reply_to": alice.email})
    page = bob.post(path, SUPPORT | {"sender_name": "Second", "version": "1"})
    assert "Alice Doe saved these details" in text_of(page)


def test_a_new_address_gets_a_link_and_needs_its_own_tick(
    alice: Actor, installation: Installation, path: str
) -> None:
    other = SUPPORT | {"send_from": "help@doeinc.com"}
    assert alice.post(path, other).status_code == 422
    assert alice.post(path, other | TICK).status_code == 303
    assert templates_to(installation, "help@doeinc.com") == ["prove_mailbox"]


def test_the_link_can_be_sent_again(alice: Actor, installation: Installation, path: str) -> None:
    alice.post(path, SUPPORT | TICK | {"send_from": "help@doeinc.com"})
    assert "Waiting for the link sent to help@doeinc.com" in text_of(alice.get(path))
    assert alice.post(f"{path}/send-link").location == SENDERS
    fragment = alice.post(f"{path}/send-link", headers={"HX-Request": "true"})
    assert "A new link is on its way to help@doeinc.com" in text_of(fragment)
    assert len(templates_to(installation, "help@doeinc.com")) == 3


def test_send_again_without_javascript_keeps_what_was_typed(alice: Actor, path: str) -> None:
    alice.post(path, SUPPORT | TICK | {"send_from": "help@doeinc.com"})
    page = alice.post(path, SUPPORT | {"sender_name": "Not saved", "beside": "link"})
    assert "A new link is on its way to help@doeinc.com" in text_of(page)
    assert value_of(page, "sender_name") == "Not saved"


def test_nobody_asks_about_the_address_that_it_has(alice: Actor, db: Database, path: str) -> None:
    left = {"HX-Request": "true", "X-Field-Moment": "left"}
    check = "/settings/integrations/kartramail/check/send_from"
    mine = SUPPORT | {"send_from": "help@doeinc.com"}
    alice.post(path, mine | TICK)
    new = "accept_low_delivery"
    assert new not in alice.post(check, mine | {"sender": path[-13:]}, headers=left).text
    other = SUPPORT | {"send_from": "more@doeinc.com"}
    assert new in alice.post(check, other | {"sender": path[-13:]}, headers=left).text


def test_it_says_what_uses_it(alice: Actor, db: Database, path: str, sender_id: int) -> None:
    """R-IMPACT"""
    assert "use this sender" not in text_of(alice.get(path))
    for name in ("Intro", "Coaching", "Site visit"):
        choose_for_asset(
            db, alice.account_id, sender_id, "calendar.booked", "calendar.reminder", name=name
        )
    with db.transaction() as session:
        later = {"state": MessageState.SCHEDULED, "due_at": now() + timedelta(days=1)}
        add_messages(session, alice.account_id, 14, sender_id=sender_id, **later)
    assert "3 calendars and 14 scheduled messages use this sender" in text_of(alice.get(path))


def test_the_default_one_says_what_chose_it_on_purpose(alice: Actor, db: Database) -> None:
    with db.reading() as session:
        default_id = load_gateway(session, alice.account_id).sender_id
    choose_for_asset(db, alice.account_id, default_id)
    choose_for_asset(db, alice.account_id, default_id, "form.signed_up", kind="form", name="Join")
    choose_everywhere(db, alice.account_id, default_id, "helpdesk.reply")
    words = text_of(alice.get(EDIT))
    assert "1 form, 1 calendar and 1 notification use this sender" in words


def test_the_page_of_the_default_one_is_where_it_was(alice: Actor, db: Database) -> None:
    with db.reading() as session:
        default_id = load_gateway(session, alice.account_id).sender_id
    assert alice.get(f"{SENDERS}/{show_id(default_id)}").location == EDIT


@pytest.mark.parametrize("what", ["", "/remove", "/send-link"])
def test_charlie_does_not_find_it(
    alice: Actor, charlie: Actor, db: Database, path: str, sender_id: int, what: str
) -> None:
    if what != "/send-link":
        assert charlie.get(f"{path}{what}").status_code == 404
    assert charlie.post(f"{path}{what}", SUPPORT | TICK).status_code == 404
    with db.reading() as session:
        assert load_sender(session, alice.account_id, sender_id).version == 1


def test_one_that_never_was_is_not_found(alice: Actor) -> None:
    for shown in (show_id(new_id()), "none"):
        assert alice.get(f"{SENDERS}/{shown}").status_code == 404
        assert alice.post(f"{SENDERS}/{shown}", SUPPORT).status_code == 404
