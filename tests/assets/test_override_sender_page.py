"""R-ASSET, R-LOWDELIV, R-RESOLVE: a sender of its own for one notification, one click each way."""

import re

import pytest
from sqlmodel import select

from kartramail.assets.kinds import TYPES
from kartramail.assets.models import ScheduledEvent
from kartramail.assets.settings import load_setting
from kartramail.db import Database
from kartramail.ids import show_id
from kartramail.installation import Installation
from kartramail.outbox.models import Message
from kartramail.rules.addresses import Address
from kartramail.senders.further import add_sender
from kartramail.senders.models import Sender
from kartramail.senders.saving import Saved, SenderDetails
from kartramail.senders.service import prove_mailbox
from tests.assets.test_asset_settings_page import PARTS, page_of, undo_of
from tests.senders.reading import text_of
from tests.support.cast import Actor
from tests.support.dns_server import DnsServer
from tests.support.domains import authenticate
from tests.support.events import add_asset, fire, in_hours
from tests.support.statements import heard

BOOKED = "calendar.booked"
FIELD = "sender_calendar_booked"


@pytest.fixture
def calendar(alice: Actor, db: Database) -> int:
    return add_asset(db, alice.account_id, "calendar", "First consultation")


def add(db: Database, actor: Actor, local: str, domain: str, name: str) -> int:
    """A sender of the account whose mailbox is proven; its number."""
    address = Address(local, domain)
    with db.transaction() as session:
        saved = add_sender(
            session,
            actor.account_id,
            SenderDetails(name, address, address),
            user_id=actor.user_id,
            platform_domain="kartra.com",
            base_url="http://127.0.0.1:5000",
        )
        prove_mailbox(session, actor.account_id, address.key)
    assert isinstance(saved, Saved)
    return saved.sender.sender_id


@pytest.fixture
def support(alice: Actor, db: Database, dns: DnsServer, installation: Installation) -> int:
    """A sender on a domain that is authenticated."""
    authenticate(installation, dns, alice.account_id, "doeinc.test")
    return add(db, alice, "support", "doeinc.test", "Doe support")


@pytest.fixture
def other_brand(alice: Actor, db: Database) -> int:
    """A sender on a domain that is not."""
    return add(db, alice, "notifications", "anotherbrand.test", "Another Brand")


def chosen(db: Database, actor: Actor, asset_id: int, name: str = BOOKED) -> int | None:
    with db.reading() as session:
        return load_setting(session, actor.account_id, asset_id, TYPES[name]).sender_id


def test_the_picker_opens_in_the_page_of_who_has_no_javascript(
    alice: Actor, calendar: int, support: int
) -> None:
    page = alice.get(page_of(calendar)).text
    found = re.search(r'id="calendar-booked-change"[^>]* href="([^"]*)"', page)
    assert found is not None
    opened = alice.get(found[1])
    assert f'id="{FIELD}-{show_id(support)}"' in opened.text
    assert "Use this sender" in opened.text
    assert "Domain authenticated" in text_of(opened)
    assert opened.text.count('class="picker"') == 1


def test_one_choice_is_taken_and_the_page_says_so_at_its_row(
    alice: Actor, calendar: int, support: int, db: Database
) -> None:
    path = f"{page_of(calendar)}/{BOOKED}/sender"
    answer = alice.post(path, {"picker": FIELD, FIELD: show_id(support)})
    assert answer.status_code == 303
    assert answer.location == f"{page_of(calendar)}#calendar-booked"
    assert chosen(db, alice, calendar) == support
    page = alice.get(page_of(calendar))
    words = text_of(page)
    assert "Comes from Own sender Doe support support@doeinc.test" in words
    assert "It has a sender of its own now." in words
    assert words.count("A sender of its own was chosen for it.") == 1
    where, fields = undo_of(page.text)
    assert alice.post(where, fields).status_code == 303
    assert chosen(db, alice, calendar) is None
    assert "Undone." in text_of(alice.get(page_of(calendar)))


def test_with_javascript_only_what_changed_comes_and_the_picker_stays(
    alice: Actor, calendar: int, support: int
) -> None:
    path = f"{page_of(calendar)}/{BOOKED}/sender"
    opened = alice.get(path, headers=PARTS)
    assert 'id="calendar-booked-picker" hx-swap-oob="innerHTML"' in opened.text
    assert 'class="picker"' in opened.text
    fields = {"picker": FIELD, FIELD: show_id(support)}
    answer = alice.post(path, fields, headers=PARTS)
    assert answer.status_code == 200
    assert "calendar-booked-picker" not in answer.text
    assert 'id="calendar-booked-tick" hx-swap-oob="innerHTML"' in answer.text
    assert "support@doeinc.test" in text_of(answer)
    closed = alice.get(f"{path}?keep=y", headers=PARTS)
    assert 'class="picker"' not in closed.text


def test_one_click_returns_to_the_inherited_sender_and_undo_brings_it_back(
    alice: Actor, calendar: int, support: int, db: Database
) -> None:
    path = f"{page_of(calendar)}/{BOOKED}/sender"
    alice.post(path, {"sender_id": show_id(support)})
    assert "Return to inherited" in alice.get(page_of(calendar)).text
    answer = alice.post(path, {"sender_id": ""}, headers=PARTS)
    assert chosen(db, alice, calendar) is None
    assert "It has the inherited sender again." in text_of(answer)
    where, fields = undo_of(answer.text)
    alice.post(where, fields, headers=PARTS)
    assert chosen(db, alice, calendar) == support


def test_another_asset_and_another_notification_are_untouched(
    alice: Actor, calendar: int, support: int, db: Database
) -> None:
    other = add_asset(db, alice.account_id)
    alice.post(f"{page_of(calendar)}/{BOOKED}/sender", {"sender_id": show_id(support)})
    assert chosen(db, alice, other) is None
    assert chosen(db, alice, calendar, "calendar.reminder") is None


# R-LOWDELIV


def test_a_domain_that_is_not_authenticated_asks_for_the_tick_first(
    alice: Actor, calendar: int, other_brand: int, db: Database
) -> None:
    path = f"{page_of(calendar)}/{BOOKED}/sender"
    fields = {"picker": FIELD, FIELD: show_id(other_brand)}
    for headers in ({}, PARTS):
        asked = alice.post(path, fields, headers=headers)
        assert asked.status_code == 422
        words = text_of(asked)
        assert "anotherbrand.test is not authenticated here yet" in words
        assert "I understand that fewer of my messages will arrive" in words
        assert chosen(db, alice, calendar) is None
    assert f'value="{show_id(other_brand)}" checked' in alice.post(path, fields).text
    without = alice.post(path, fields | {"asked": show_id(other_brand)})
    assert without.status_code == 422
    assert "Tick this to use an address on anotherbrand.test" in text_of(without)
    ticked = {"asked": show_id(other_brand), "accept_low_delivery": "y"}
    assert alice.post(path, fields | ticked).status_code == 303
    assert chosen(db, alice, calendar) == other_brand


def test_the_tick_for_one_sender_is_none_for_another(
    alice: Actor, calendar: int, other_brand: int, db: Database
) -> None:
    third = add(db, alice, "hello", "thirdbrand.test", "Third Brand")
    path = f"{page_of(calendar)}/{BOOKED}/sender"
    ticked = {"asked": show_id(other_brand), "accept_low_delivery": "y"}
    answer = alice.post(path, {"picker": FIELD, FIELD: show_id(third)} | ticked)
    assert answer.status_code == 422
    assert chosen(db, alice, calendar) is None
    with db.reading() as session:
        accepted = session.exec(select(Sender.low_delivery_accepted_at)).all()
    assert not any(accepted)


def test_it_is_asked_once_and_the_warning_stays_with_the_way_out(
    alice: Actor, calendar: int, other_brand: int, db: Database
) -> None:
    path = f"{page_of(calendar)}/{BOOKED}/sender"
    wanted = {"sender_id": show_id(other_brand)}
    ticked = {"asked": show_id(other_brand), "accept_low_delivery": "y"}
    alice.post(path, wanted | ticked)
    second = add_asset(db, alice.account_id)
    assert alice.post(f"{page_of(second)}/{BOOKED}/sender", wanted).status_code == 303
    page = alice.get(page_of(calendar)).text
    assert 'href="/settings/domains/anotherbrand.test"' in page
    assert "Authenticate anotherbrand.test" in page
    assert alice.get("/settings/domains/anotherbrand.test").status_code == 200


def test_a_sender_that_is_not_proven_is_said_not_to_be_used_yet(
    alice: Actor, calendar: int, db: Database, installation: Installation
) -> None:
    """R-PROOF: until then it leaves from the temporary address, and the page says exactly that."""
    address = Address("hello", "anotherbrand.test")
    with db.transaction() as session:
        saved = add_sender(
            session,
            alice.account_id,
            SenderDetails("Another Brand", address, address, accepts_low_delivery=True),
            user_id=alice.user_id,
            platform_domain="kartra.com",
            base_url="http://127.0.0.1:5000",
        )
    assert isinstance(saved, Saved)
    number = saved.sender.sender_id
    path = f"{page_of(calendar)}/{BOOKED}/sender"
    assert alice.post(path, {"sender_id": show_id(number)}).status_code == 303
    words = text_of(alice.get(page_of(calendar)))
    assert "hello@anotherbrand.test is not used yet" in words
    assert "doe-inc@kartra.com" in words
    assert "Nobody has followed the link sent to hello@anotherbrand.test" in words


def test_what_the_page_says_is_what_leaves(
    alice: Actor, calendar: int, support: int, db: Database, installation: Installation
) -> None:
    """R-RESOLVE: the page, the answer and the message ask the same function."""
    alice.post(f"{page_of(calendar)}/{BOOKED}/sender", {"sender_id": show_id(support)})
    (number,) = fire(
        installation, alice.account_id, calendar, BOOKED, starts_at=in_hours(48), key="b1"
    )
    with db.reading() as session:
        message = session.get(Message, number)
    assert message is not None
    story = text_of(alice.get(f"/activity/{show_id(number)}"))
    assert "support@doeinc.test" in story


# R-IMPACT


def test_it_says_how_many_reminders_wait_before_one_chooses(
    alice: Actor, calendar: int, db: Database, installation: Installation
) -> None:
    for key in ("one", "two"):
        fire(installation, alice.account_id, calendar, BOOKED, starts_at=in_hours(90), key=key)
    with db.reading() as session:
        assert len(session.exec(select(ScheduledEvent)).all()) == 2
    reminder = alice.get(f"{page_of(calendar)}/calendar.reminder/sender", headers=PARTS)
    assert "2 reminders wait to be sent: what you choose holds for them as well." in text_of(
        reminder
    )
    booked = alice.get(f"{page_of(calendar)}/{BOOKED}/sender", headers=PARTS)
    assert "wait to be sent" not in text_of(booked)


# A sender is added inside the picker


def test_without_javascript_a_sender_is_added_and_chosen_without_losing_the_page(
    alice: Actor, calendar: int, dns: DnsServer, db: Database
) -> None:
    path = f"{page_of(calendar)}/{BOOKED}/sender"
    opened = alice.post(path, {"picker": FIELD, FIELD: "", "add_sender": f"open:{FIELD}"})
    assert "Add and choose" in opened.text
    fields = {
        "picker": FIELD,
        FIELD: "",
        "new_sender-picker": FIELD,
        "new_sender-sender_name": "Doe support",
        "new_sender-send_from": "support@doeinc.com",
        "new_sender-reply_to": "support@doeinc.com",
        "new_sender-accept_low_delivery": "y",
    }
    added = alice.post(path, fields | {"add_sender": f"save:{FIELD}"})
    assert added.status_code == 200, text_of(added)
    found = re.search(rf'name="{FIELD}" value="(\w+)" checked', added.text)
    assert found is not None
    assert alice.post(path, {"picker": FIELD, FIELD: found[1]}).status_code == 303
    assert "Doe support" in text_of(alice.get(page_of(calendar)))


# What is refused


def test_a_strangers_sender_is_not_found(
    alice: Actor, charlie: Actor, calendar: int, db: Database
) -> None:
    theirs = add(db, charlie, "hello", "yourcompany.test", "Their sender")
    path = f"{page_of(calendar)}/{BOOKED}/sender"
    for fields in ({"sender_id": show_id(theirs)}, {"sender_id": "nothing"}):
        assert alice.post(path, fields).status_code == 404
    assert chosen(db, alice, calendar) is None


@pytest.mark.parametrize("name", ["calendar.cancelled", "team.booking", "affiliate.approved"])
def test_a_fixed_one_cannot_get_a_sender(
    alice: Actor, calendar: int, support: int, db: Database, name: str
) -> None:
    path = f"{page_of(calendar)}/{name}/sender"
    assert alice.post(path, {"sender_id": show_id(support)}).status_code == 400
    assert chosen(db, alice, calendar, name) is None
    assert 'class="picker"' not in alice.get(path, headers=PARTS).text
    assert 'class="picker"' not in alice.get(path).text


def test_nothing_chosen_is_no_choice(alice: Actor, calendar: int) -> None:
    assert alice.post(f"{page_of(calendar)}/{BOOKED}/sender").status_code == 400


def test_a_page_of_many_asks_the_database_as_little_as_one_of_few(
    alice: Actor, calendar: int, db: Database
) -> None:
    """All senders are resolved in one go, however many notifications there are."""
    product = add_asset(db, alice.account_id, "product", "The course")
    counts = {}
    for number, kind in ((calendar, "calendar"), (product, "product")):
        with heard(db) as asked:
            alice.get(page_of(number, kind))
        counts[kind] = len(asked)
    assert counts["product"] <= counts["calendar"] < 30, counts
