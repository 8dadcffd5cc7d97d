"""An event of an asset puts its notification into the outbox (R-EVENT)."""

from typing import Any

import pytest

from kartramail.accounts.models import Account, Membership, Role, User
from kartramail.assets.events import EventRefused, EventRequest, judge_event
from kartramail.clock import now
from kartramail.db import Database
from kartramail.installation import Installation
from kartramail.outbox.contents import load_contents
from kartramail.outbox.models import MessageState, SourceKind
from tests.support.cast import Actor
from tests.support.events import EVERYWHERE, PAT, add_asset, change, fire, in_hours
from tests.support.outbox import messages
from tests.support.statements import heard


def test_the_notification_goes_to_the_contact(
    installation: Installation, db: Database, alice: Actor
) -> None:
    product = add_asset(db, alice.account_id, "product", "The course")
    sent = {"total": "€ 89.00", "coupon": "SPRING"}
    ids = fire(installation, alice.account_id, product, "product.receipt", variables=sent)
    (message,) = messages(db)
    assert ids == [message.id]
    assert (message.state, message.to_addr) == (MessageState.QUEUED, "pat@example.net")
    assert (message.source_kind, message.type) == (SourceKind.NOTIFICATION, "product.receipt")
    assert message.asset_id == product
    assert message.variables == {
        "contact": PAT,
        "business": {"name": "Doe Inc."},
        "asset": {"name": "The course"},
        "event": sent,
        "total": "€ 89.00",
    }
    assert message.resolved_id is not None


def test_a_team_event_goes_to_each_confirmed_member(
    installation: Installation, db: Database, alice: Actor, bob: Actor, charlie: Actor
) -> None:
    with db.transaction() as session:
        eve = User(
            email="eve@doeinc.com", email_key="eve@doeinc.com", full_name="", password_hash=""
        )
        session.add(eve)
        session.flush()
        session.add(Membership(account_id=alice.account_id, user_id=eve.id, role=Role.MEMBER))
    product = add_asset(db, alice.account_id, "product")
    ids = fire(installation, alice.account_id, product, "team.sale")
    assert len(ids) == 2
    assert {each.to_addr for each in messages(db)} == {"alice@doeinc.com", "bob@doeinc.com"}
    assert all((each.variables or {})["contact"] == PAT for each in messages(db))


def test_an_affiliate_event_goes_to_the_contact_named(
    installation: Installation, db: Database, alice: Actor
) -> None:
    form = add_asset(db, alice.account_id, "form")
    fire(installation, alice.account_id, form, "affiliate.approved")
    assert [each.to_addr for each in messages(db)] == ["pat@example.net"]


def test_what_is_switched_off_sends_nothing(
    installation: Installation, db: Database, alice: Actor
) -> None:
    one, other = (add_asset(db, alice.account_id, "form") for _ in range(2))
    change(db, alice.account_id, "form.signed_up", EVERYWHERE, enabled=False)
    change(db, alice.account_id, "form.signed_up", other, enabled=True)
    assert fire(installation, alice.account_id, one, "form.signed_up") == []
    assert len(fire(installation, alice.account_id, other, "form.signed_up")) == 1


def test_an_asset_says_it_in_its_own_words(
    installation: Installation, db: Database, alice: Actor
) -> None:
    form = add_asset(db, alice.account_id, "form")
    change(db, alice.account_id, "form.signed_up", form, subject="Hello {{ contact.first_name }}")
    fire(installation, alice.account_id, form, "form.signed_up")
    (message,) = messages(db)
    assert message.content_id is not None
    with db.reading() as session:
        subject, _, _ = load_contents(session, {message.content_id})[message.content_id]
    assert subject == "Hello {{ contact.first_name }}"


def test_an_asset_of_another_account_is_nobodys(
    installation: Installation, db: Database, alice: Actor, charlie: Actor
) -> None:
    hers = add_asset(db, alice.account_id, "form")
    with pytest.raises(EventRefused) as refused:
        fire(installation, charlie.account_id, hers, "form.signed_up")
    assert (refused.value.fault.field, refused.value.fault.code) == ("asset_id", "not_found")
    assert messages(db) == []


def test_an_event_of_another_kind_is_refused_with_what_there_is(
    installation: Installation, db: Database, alice: Actor
) -> None:
    calendar = add_asset(db, alice.account_id, "calendar")
    with pytest.raises(EventRefused) as refused:
        fire(installation, alice.account_id, calendar, "product.receipt")
    fault = refused.value.fault
    assert (fault.field, fault.code) == ("event", "wrong_kind")
    assert "Calendars do not fire" in fault.message
    assert "calendar.booked" in fault.message


@pytest.mark.parametrize("field", ["confirmed_at", "deleted_at"])
def test_an_account_that_is_new_or_gone_sends_nothing(
    installation: Installation, db: Database, alice: Actor, field: str
) -> None:
    form = add_asset(db, alice.account_id, "form")
    with db.transaction() as session:
        account = session.get(Account, alice.account_id)
        assert account is not None
        setattr(account, field, None if field == "confirmed_at" else now())
    with pytest.raises(EventRefused):
        fire(installation, alice.account_id, form, "form.signed_up")


def judge(installation: Installation, **more: Any) -> list[tuple[str, str]]:
    given: dict[str, Any] = {"asset_id": 1, "event": "calendar.booked", "contact": PAT}
    _, faults = judge_event(
        EventRequest(**({"variables": {}} | given | more)), installation.address_policy()
    )
    assert all(fault.message[-1] in ".?" for fault in faults)
    return [(fault.field, fault.code) for fault in faults]


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"event": "calendar.boked"}, ("event", "unknown_event")),
        ({"event": ""}, ("event", "unknown_event")),
        ({"contact": {"email": "nobody"}}, ("contact/email", "syntax")),
        ({"contact": {"email": "a@b.invalid"}}, ("contact/email", "special_use")),
        ({"starts_at": "2026-11-24T14:00:00"}, ("starts_at", "no_offset")),
        ({"starts_at": "2026-11-24"}, ("starts_at", "no_offset")),
        ({"starts_at": "tomorrow"}, ("starts_at", "not_a_time")),
        ({"starts_at": ""}, ("starts_at", "not_a_time")),
        ({"starts_at": "2026-11-31T14:00:00Z"}, ("starts_at", "not_a_time")),
        ({"starts_at": "9999-12-31T23:59:59-12:00"}, ("starts_at", "not_a_time")),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, ("starts_at", "not_a_time")),
    ],
)
def test_what_is_wrong_is_told_without_the_database(
    installation: Installation, wrong: dict[str, Any], fault: tuple[str, str]
) -> None:
    assert judge(installation, **wrong) == [fault]


def test_all_that_is_wrong_is_told_at_once(installation: Installation) -> None:
    found = judge(installation, event="x", contact={"email": "x"}, starts_at="x")
    assert [field for field, _ in found] == ["event", "contact/email", "starts_at"]


@pytest.mark.parametrize("text", ["2026-11-24T14:00:00Z", "2026-11-24t14:00+01:00", "20261124T14Z"])
def test_times_are_read_as_iso_8601_writes_them(installation: Installation, text: str) -> None:
    assert judge(installation, starts_at=text) == []


def test_an_event_costs_few_queries(installation: Installation, db: Database, alice: Actor) -> None:
    """The second of its kind: what is new once (a content, an answer) is written once."""
    calendar = add_asset(db, alice.account_id)
    fire(installation, alice.account_id, calendar, "calendar.booked", starts_at=in_hours(100))
    with heard(db) as statements:
        fire(installation, alice.account_id, calendar, "calendar.booked", starts_at=in_hours(100))
    asked = [one for one, _ in statements if not one.startswith(("BEGIN", "COMMIT"))]
    assert len(asked) <= 12, asked
    assert len([one for one in asked if "notification_setting" in one]) <= 2
