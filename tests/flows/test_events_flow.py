"""Events by API, delivered by the real engine to a real mail server (R-EVENT, R-RESOLVE, R-PROOF).

The three cases of the mission: support@yourcompany.com beside a default sender on the authenticated
yourcompany.com; notifications@anotherbrand.com on one calendar, before and after its records.
"""

from typing import Any

import pytest
from flask import Flask

from kartramail.accounts.api_keys import make_api_key
from kartramail.assets.rounds import release_due_reminders
from kartramail.db import Database
from kartramail.installation import Installation
from tests.api.conftest import Program
from tests.flows.conftest import Deliver
from tests.support.cast import Actor
from tests.support.dns_server import DnsServer
from tests.support.domains import authenticate
from tests.support.events import in_hours, make_due
from tests.support.signatures import publish_platform_keys, read, signed_by, verify
from tests.support.smtp_server import Received

BOOKED = "calendar.booked"


@pytest.fixture
def program(app: Flask, db: Database, charlie: Actor) -> Program:
    """A program of Your Company, whose default sender is charlie@yourcompany.com."""
    with db.transaction() as session:
        _, raw = make_api_key(session, charlie.account_id, "Booking page", charlie.user_id)
    return Program(app.test_client(), raw, charlie.account_id)


@pytest.fixture(autouse=True)
def mail_hosts(installation: Installation, dns: DnsServer) -> None:
    publish_platform_keys(installation, dns)
    dns.add("anotherbrand.com", "MX", "10 mail.anotherbrand.com")
    dns.add("mail.anotherbrand.com", "A", "192.0.2.26")


def make_calendar(program: Program, name: str) -> str:
    answer = program.post("/assets", {"kind": "calendar", "name": name})
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["id"])


def wanted(name: str, address: str) -> dict[str, Any]:
    return {"name": name, "send_from": address, "reply_to": address}


def make_sender(program: Program, name: str, address: str) -> dict[str, Any]:
    ticked = wanted(name, address) | {"accept_low_delivery": True}
    answer = program.post("/senders", ticked)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


def choose(program: Program, calendar: str, sender: dict[str, Any]) -> dict[str, Any]:
    """Let the sender write the booking mail of one calendar; returns the answer to that."""
    path = f"/assets/{calendar}/notifications/{BOOKED}"
    answer = program.put(path, {"sender_id": sender["id"]})
    assert answer.status_code == 200, answer.text
    setting: dict[str, Any] = answer.get_json()
    return setting


def book(program: Program, calendar: str, **more: Any) -> None:
    event = {
        "asset_id": calendar,
        "event": BOOKED,
        "contact": {"email": "pat@example.net", "first_name": "Pat"},
        "variables": {"place": "Room 2"},
    }
    answer = program.post("/events", event | more)
    assert answer.status_code == 202, answer.text
    assert len(answer.get_json()["message_ids"]) == 1


def seen(received: Received) -> tuple[str, str | None, str]:
    """From, Reply-To and d= of what the mail server received."""
    mail = read(received)
    reply_to = mail["Reply-To"]
    return str(mail["From"]), str(reply_to) if reply_to else None, signed_by(received)


def to_pat(mails: list[Received]) -> list[Received]:
    """Those to Pat, among what the platform writes to the account itself."""
    return [one for one in mails if one.rcpt_to == ("pat@example.net",)]


def test_an_override_on_one_calendar_leaves_the_other_as_it_is(
    installation: Installation,
    dns: DnsServer,
    charlie: Actor,
    program: Program,
    deliver: Deliver,
) -> None:
    authenticate(installation, dns, charlie.account_id, "yourcompany.com", 1)
    authenticate(installation, dns, charlie.account_id, "anotherbrand.com", 2)
    first, second = make_calendar(program, "First advice"), make_calendar(program, "Second advice")
    brand = make_sender(program, "Another Brand", "notifications@anotherbrand.com")
    choose(program, first, brand)
    for calendar in (first, second):
        book(program, calendar)
    mails = to_pat(deliver())
    mails.sort(key=lambda one: "Second" in str(read(one)["Subject"]))
    assert [seen(one) for one in mails] == [
        (
            "Another Brand <notifications@anotherbrand.com>",
            "notifications@anotherbrand.com",
            "anotherbrand.com",
        ),
        (
            "Your Company <charlie@yourcompany.com>",
            "charlie@yourcompany.com",
            "yourcompany.com",
        ),
    ]
    assert all(verify(one.data, dns) for one in mails)


def test_support_beside_an_authenticated_default_sender_needs_nothing_more(
    installation: Installation,
    dns: DnsServer,
    charlie: Actor,
    program: Program,
    deliver: Deliver,
) -> None:
    authenticate(installation, dns, charlie.account_id, "yourcompany.com", 1)
    support = make_sender(program, "Your Company support", "support@yourcompany.com")
    assert support["proof"] == "domain"
    calendar = make_calendar(program, "Advice")
    choose(program, calendar, support)
    book(program, calendar)
    arrived = deliver()
    assert ("support@yourcompany.com",) not in {
        one.rcpt_to for one in arrived
    }  # no link to prove it
    (mail,) = to_pat(arrived)
    assert seen(mail) == (
        "Your Company support <support@yourcompany.com>",
        "support@yourcompany.com",
        "yourcompany.com",
    )
    assert mail.mail_from.endswith("@km.yourcompany.com")
    assert verify(mail.data, dns)


def test_another_brand_needs_its_own_proof_and_then_leaves_as_itself(
    installation: Installation,
    dns: DnsServer,
    charlie: Actor,
    program: Program,
    deliver: Deliver,
) -> None:
    authenticate(installation, dns, charlie.account_id, "yourcompany.com", 1)
    refused = program.post("/senders", wanted("Another Brand", "notifications@anotherbrand.com"))
    assert (refused.status_code, refused.get_json()["code"]) == (422, "accept_low_delivery")
    brand = make_sender(program, "Another Brand", "notifications@anotherbrand.com")
    assert brand["proof"] == "none"
    assert brand["domain_state"] != "authenticated"
    calendar = make_calendar(program, "Advice")
    told = choose(program, calendar, brand)["effective_sender"]
    assert told["send_from"] == "your-company@kartra.com"
    assert "notifications@anotherbrand.com" in told["why"]
    book(program, calendar)
    (before,) = to_pat(deliver())
    assert seen(before) == (
        "Another Brand <your-company@kartra.com>",
        "notifications@anotherbrand.com",
        "kartra.com",
    )
    assert verify(before.data, dns)

    authenticate(installation, dns, charlie.account_id, "anotherbrand.com", 2)
    book(program, calendar)
    (after,) = to_pat(deliver())
    assert seen(after) == (
        "Another Brand <notifications@anotherbrand.com>",
        "notifications@anotherbrand.com",
        "anotherbrand.com",
    )
    assert after.mail_from.endswith("@km.anotherbrand.com")
    assert verify(after.data, dns)


def test_a_reminder_leaves_with_the_words_and_sender_of_its_moment(
    installation: Installation,
    dns: DnsServer,
    db: Database,
    charlie: Actor,
    program: Program,
    deliver: Deliver,
) -> None:
    authenticate(installation, dns, charlie.account_id, "yourcompany.com", 1)
    calendar = make_calendar(program, "Advice")
    book(program, calendar, starts_at=in_hours(100), key="b1")
    assert len(to_pat(deliver())) == 1
    support = make_sender(program, "Support", "support@yourcompany.com")
    answer = program.put(
        f"/assets/{calendar}/notifications/calendar.reminder",
        {"sender_id": support["id"], "subject": "See you, {{ contact.first_name }}"},
    )
    assert answer.status_code == 200, answer.text
    make_due(db)
    release_due_reminders(installation)
    (mail,) = to_pat(deliver())
    assert read(mail)["Subject"] == "See you, Pat"
    assert seen(mail) == (
        "Support <support@yourcompany.com>",
        "support@yourcompany.com",
        "yourcompany.com",
    )
    body = read(mail).get_body(("plain",))
    assert body is not None
    assert "Room 2" in body.get_content()
    assert "(UTC)" in body.get_content()
