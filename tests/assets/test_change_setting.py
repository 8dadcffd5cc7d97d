"""Changing a notification: clean, all or nothing, never over somebody else's change.

R-ASSET, R-VARS, R-SAVE.
"""

from typing import Any

import pytest

from kartramail.accounts.history import list_changes
from kartramail.accounts.history_words import describe_change
from kartramail.assets.kinds import TYPES
from kartramail.assets.settings import (
    Conflict,
    EffectiveSetting,
    change_setting,
    judge_changes,
    load_setting,
)
from kartramail.db import Database
from kartramail.errors import InvalidInput
from kartramail.ids import new_id
from kartramail.senders.models import Sender
from tests.support.cast import Actor
from tests.support.events import add_asset

BOOKED = TYPES["calendar.booked"]


def change(
    db: Database,
    actor: Actor,
    asset_id: int | None,
    changes: dict[str, Any],
    *,
    name: str = "calendar.booked",
    version: int | None = None,
) -> EffectiveSetting | Conflict:
    with db.transaction() as session:
        return change_setting(
            session,
            actor.account_id,
            asset_id,
            TYPES[name],
            changes,
            user_id=actor.user_id,
            version=version,
        )


def effective(answer: EffectiveSetting | Conflict) -> EffectiveSetting:
    assert isinstance(answer, EffectiveSetting)
    return answer


def lines(db: Database, actor: Actor) -> list[str]:
    with db.reading() as session:
        changes = list_changes(session, actor.account_id)
    return [describe_change(one) for one in changes if one.what == "notification.changed"]


def add_sender(db: Database, actor: Actor, address: str = "support@doeinc.com") -> int:
    domain = address.partition("@")[2]
    sender = Sender(
        id=new_id(),
        account_id=actor.account_id,
        name="Support",
        send_from=address,
        from_key=address,
        from_domain=domain,
    )
    with db.transaction() as session:
        session.add(sender)
    return sender.id


def test_null_returns_to_what_is_inherited(db: Database, alice: Actor) -> None:
    calendar = add_asset(db, alice.account_id)
    changes = {"subject": "S", "html": "<p>H</p>", "text": "T", "enabled": False}
    own = effective(change(db, alice, calendar, changes))
    assert own.inherited == {"sender"}
    back = effective(change(db, alice, calendar, dict.fromkeys(changes)))
    assert back.inherited == {"enabled", "subject", "html", "text", "sender"}
    assert back.enabled


def test_what_is_not_named_stays(db: Database, alice: Actor) -> None:
    calendar = add_asset(db, alice.account_id)
    change(db, alice, calendar, {"subject": "S", "text": "T"})
    own = effective(change(db, alice, calendar, {"text": "Other"}))
    assert (own.subject, own.text) == ("S", "Other")


def test_html_is_made_clean_before_it_is_kept(db: Database, alice: Actor) -> None:
    hostile = '<p onclick="x()">Hello {{ place }}</p><script>alert(1)</script>'
    own = effective(change(db, alice, None, {"html": hostile}))
    assert own.html == "<p>Hello {{ place }}</p>"
    again = effective(change(db, alice, None, {"html": own.html}))
    assert again.version == own.version


def test_line_ends_are_plain(db: Database, alice: Actor) -> None:
    own = effective(change(db, alice, None, {"text": "a\r\nb\rc"}))
    assert own.text == "a\nb\nc"


def test_a_second_press_changes_nothing(db: Database, alice: Actor) -> None:
    first = effective(change(db, alice, None, {"subject": "S"}, version=0))
    second = effective(change(db, alice, None, {"subject": "S"}, version=0))
    assert first.version == second.version == 1
    assert len(lines(db, alice)) == 1


def test_a_later_tab_is_told(db: Database, alice: Actor, bob: Actor) -> None:
    change(db, alice, None, {"subject": "Alice's"}, version=0)
    answer = change(db, bob, None, {"subject": "Bob's"}, version=0)
    assert isinstance(answer, Conflict)
    assert answer.setting.subject == "Alice's"
    with db.reading() as session:
        assert load_setting(session, alice.account_id, None, BOOKED).subject == "Alice's"


def test_a_sender_is_chosen_and_given_up(db: Database, alice: Actor) -> None:
    calendar, support = add_asset(db, alice.account_id), add_sender(db, alice)
    own = effective(change(db, alice, calendar, {"sender_id": support}))
    assert own.sender_id == support
    assert "sender" not in own.inherited
    everywhere = effective(change(db, alice, None, {"sender_id": support}))
    assert everywhere.sender_id == support
    back = effective(change(db, alice, calendar, {"sender_id": None}))
    assert back.sender_id is None
    assert back.inherited_from["sender"] == "everywhere"
    assert back.version == own.version + 1


def test_it_refuses_the_sender_of_another_account(
    db: Database, alice: Actor, charlie: Actor
) -> None:
    calendar, stranger = add_asset(db, alice.account_id), add_sender(db, charlie)
    with pytest.raises(InvalidInput) as refused:
        change(db, alice, calendar, {"sender_id": stranger, "subject": "S"})
    assert refused.value.code == "not_found"
    with db.reading() as session:
        assert load_setting(session, alice.account_id, calendar, BOOKED).version == 0


@pytest.mark.parametrize("name", ["calendar.cancelled", "team.sale", "affiliate.approved"])
@pytest.mark.parametrize("is_everywhere", [True, False])
def test_it_refuses_a_sender_where_that_is_fixed_and_says_why(
    db: Database, alice: Actor, name: str, *, is_everywhere: bool
) -> None:
    calendar, support = add_asset(db, alice.account_id), add_sender(db, alice)
    place = None if is_everywhere else calendar
    with pytest.raises(InvalidInput) as refused:
        change(db, alice, place, {"sender_id": support}, name=name)
    assert refused.value.code == "sender_fixed"
    assert refused.value.faults == {"sender_id": TYPES[name].why_fixed}


def test_it_refuses_a_text_of_its_own_where_that_is_fixed(db: Database, alice: Actor) -> None:
    calendar = add_asset(db, alice.account_id)
    with pytest.raises(InvalidInput) as refused:
        change(db, alice, calendar, {"subject": "S"}, name="calendar.cancelled")
    assert refused.value.code == "text_fixed"
    assert refused.value.faults == {"subject": TYPES["calendar.cancelled"].why_text_fixed}
    everywhere = effective(change(db, alice, None, {"subject": "S"}, name="calendar.cancelled"))
    assert everywhere.subject == "S"
    off = effective(change(db, alice, calendar, {"enabled": False}, name="calendar.cancelled"))
    assert not off.enabled


def test_it_refuses_a_mail_without_words(db: Database, alice: Actor) -> None:
    with pytest.raises(InvalidInput) as refused:
        change(db, alice, None, {"html": "  ", "text": ""})
    assert refused.value.code == "missing"
    with db.reading() as session:
        assert load_setting(session, alice.account_id, None, BOOKED).version == 0


def test_the_history_says_it_in_words(db: Database, alice: Actor) -> None:
    calendar = add_asset(db, alice.account_id, name="First consultation")
    support = add_sender(db, alice)
    change(db, alice, None, {"subject": "Booked"})
    change(db, alice, None, {"enabled": False})
    change(db, alice, calendar, {"sender_id": support, "html": "<p>Hello</p>"})
    assert lines(db, alice) == [
        "Changed the notification “Booking confirmed” of First consultation: HTML from “as "
        "inherited” to “its own, 12 characters”; Sender from “as inherited” to “Support "
        "<support@doeinc.com>”",
        "Changed the notification “Booking confirmed” everywhere: Sent from “as inherited” to "
        "“off”",
        "Changed the notification “Booking confirmed” everywhere: Subject from “as inherited” to "
        "“Booked”",
    ]


@pytest.mark.parametrize(
    ("changes", "field", "line", "code"),
    [
        ({"subject": "{{ contact.frist_name }}"}, "subject", 1, "unknown_variable"),
        ({"html": "<p>\n{{ plaec }}</p>"}, "html", 2, "unknown_variable"),
        ({"text": "a\n\n{% if place %}"}, "text", 3, "template"),
        ({"text": "{{ place | nofilter }}"}, "text", 1, "template"),
        ({"text": "{{ ticket_number }}"}, "text", 1, "unknown_variable"),
        ({"subject": "  "}, "subject", None, "missing"),
        ({"subject": "w" * 1001}, "subject", None, "too_long"),
        ({"text": "a\nnul \x00"}, "text", 2, "control"),
        ({"html": "half \ud800"}, "html", 1, "control"),
    ],
)
def test_faults_are_told_with_their_line(
    changes: dict[str, Any], field: str, line: int | None, code: str
) -> None:
    (fault,) = judge_changes(BOOKED, changes)
    assert (fault.field, fault.line, fault.code) == (field, line, code)
    assert fault.message.endswith((".", "?"))


@pytest.mark.parametrize(
    "text",
    [
        "{{ contact.fields.company }} {{ event.whatever }} {{ event.place }}",
        "{{ place }} {{ contact.first_name | default: 'there' }} {{ business.name }}",
        "{{ starts_at }} {{ starts_at_iso | date: '%H:%M' }} {{ 'now' | date: '%Y' }}",
    ],
)
def test_what_is_known_can_be_used(text: str) -> None:
    assert judge_changes(BOOKED, {"text": text, "subject": text, "html": text}) == []


def test_nothing_is_wrong_with_no_words() -> None:
    assert judge_changes(BOOKED, {"enabled": False, "sender_id": None, "html": None}) == []
