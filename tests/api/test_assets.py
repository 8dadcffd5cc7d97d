"""/api/v1/assets and their notifications: made, changed, returned to inherited (R-ASSET)."""

from typing import Any

import pytest

from kartramail.assets.kinds import KINDS, TYPES, types_for
from kartramail.clock import now
from kartramail.db import Database
from kartramail.ids import new_id, read_id, show_id
from kartramail.senders.models import Sender
from kartramail.senders.service import prove_mailbox
from tests.api.conftest import Program


def make(program: Program, kind: str = "calendar", name: str = "Advice") -> str:
    answer = program.post("/assets", {"kind": kind, "name": name})
    assert answer.status_code == 201, answer.get_json()
    return str(answer.get_json()["id"])


def add_sender(
    db: Database, account_id: int, address: str = "support@doeinc.com", *, proven: bool = True
) -> str:
    """A further sender; `proven`: its mailbox is, and the tick of R-LOWDELIV was set."""
    sender = Sender(
        id=new_id(),
        account_id=account_id,
        name="Support",
        send_from=address,
        from_key=address,
        from_domain=address.partition("@")[2],
        reply_to=address,
        low_delivery_accepted_at=now() if proven else None,
    )
    with db.transaction() as session:
        session.add(sender)
        if proven:
            prove_mailbox(session, account_id, address)
    return show_id(sender.id)


def put(program: Program, asset_id: str, type_name: str, **changes: Any) -> Any:
    answer = program.put(f"/assets/{asset_id}/notifications/{type_name}", changes)
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()


def test_each_kind_can_be_made(alices_program: Program) -> None:
    for kind in KINDS:
        answer = alices_program.post("/assets", {"kind": kind, "name": f"My {kind}"})
        assert answer.status_code == 201
        body = answer.get_json()
        assert (body["kind"], body["name"]) == (kind, f"My {kind}")
        assert set(body) == {"id", "kind", "name"}
        assert read_id(body["id"]) is not None


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"kind": "casino", "name": "x"}, "/kind", "unknown_kind"),
        ({"kind": "form", "name": " "}, "/name", "name_empty"),
        ({"kind": "form", "name": "w" * 201}, "/name", "name_too_long"),
        ({"kind": "form", "name": "a\u0000b"}, "/name", "name_control"),
        ({"kind": "form"}, "/name", None),
        ({"kind": "form", "name": "x", "color": "red"}, "/color", None),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(
    alices_program: Program, body: dict[str, Any], pointer: str, code: str | None
) -> None:
    answer = alices_program.post("/assets", body)
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    (error,) = answer.get_json()["errors"]
    assert (error["pointer"], error.get("code")) == (pointer, code)


def test_one_idempotency_key_makes_one(alices_program: Program) -> None:
    body = {"kind": "form", "name": "Once"}
    first = alices_program.post("/assets", body, Idempotency_Key="k").get_json()
    again = alices_program.post("/assets", body, Idempotency_Key="k").get_json()
    assert first == again
    assert len(alices_program.get("/assets").get_json()["items"]) == 1


def test_lists_page_the_newest_first_and_by_kind(alices_program: Program) -> None:
    forms = [make(alices_program, "form", f"Form {n}") for n in range(3)]
    survey = make(alices_program, "survey", "Survey")
    first = alices_program.get("/assets?limit=2").get_json()
    assert [one["id"] for one in first["items"]] == [survey, forms[2]]
    rest = alices_program.get(f"/assets?limit=2&cursor={first['next']}").get_json()
    assert [one["id"] for one in rest["items"]] == [forms[1], forms[0]]
    assert rest["next"] is None
    by_kind = alices_program.get("/assets?kind=survey").get_json()
    assert [one["id"] for one in by_kind["items"]] == [survey]


def test_nobody_else_sees_or_changes_them(
    alices_program: Program, charlies_program: Program
) -> None:
    asset_id = make(alices_program)
    assert charlies_program.get("/assets").get_json() == {"items": [], "next": None}
    path = f"/assets/{asset_id}/notifications"
    assert charlies_program.get(path).status_code == 404
    changed = charlies_program.put(f"{path}/calendar.booked", {"enabled": False})
    assert changed.status_code == 404
    assert alices_program.get(path).get_json()["items"][0]["enabled"] is True


@pytest.mark.parametrize("asset_id", ["none", "0000000000000", show_id(1)])
def test_an_unknown_asset_is_not_found(alices_program: Program, asset_id: str) -> None:
    assert alices_program.get(f"/assets/{asset_id}/notifications").status_code == 404


def test_all_that_it_sends_is_listed(alices_program: Program) -> None:
    items = alices_program.get(f"/assets/{make(alices_program)}/notifications").get_json()["items"]
    assert [item["type"] for item in items] == [one.name for one in types_for("calendar")]
    booked = items[0]
    assert booked["title"] == "Booking confirmed"
    assert (booked["recipient"], booked["category"]) == ("contact", "calendar")
    assert booked["inherited"] == ["enabled", "html", "sender_id", "subject", "text"]
    assert booked["may_override_sender"] is True
    assert booked["why_fixed"] is None
    assert booked["sender_id"] is None
    assert booked["effective_sender"]["send_from"] == "alice@doeinc.com"
    names = {variable["name"]: variable for variable in booked["variables"]}
    assert {"place", "starts_at", "contact.first_name", "event.*"} <= set(names)
    assert all(set(each) == {"name", "meaning", "example"} for each in names.values())
    cancelled = next(item for item in items if item["type"] == "calendar.cancelled")
    assert cancelled["may_override_sender"] is False
    assert cancelled["why_fixed"] == TYPES["calendar.cancelled"].why_fixed
    assert cancelled["why_text_fixed"]


def test_words_are_overridden_and_given_back(alices_program: Program) -> None:
    asset_id = make(alices_program)
    own = put(alices_program, asset_id, "calendar.booked", subject="See you, {{ place }}")
    assert own["subject"] == "See you, {{ place }}"
    assert own["inherited"] == ["enabled", "html", "sender_id", "text"]
    own = put(alices_program, asset_id, "calendar.booked", html="<p>Hi</p><script>x</script>")
    assert own["html"] == "<p>Hi</p>"
    assert own["text"] is None
    assert own["subject"] == "See you, {{ place }}"
    own = put(alices_program, asset_id, "calendar.booked", subject=None, html=None)
    assert own["inherited"] == ["enabled", "html", "sender_id", "subject", "text"]
    assert own["subject"].startswith("Booked:")


def test_it_is_switched_off_and_back_to_inherited(alices_program: Program) -> None:
    asset_id = make(alices_program)
    assert put(alices_program, asset_id, "calendar.booked", enabled=False)["enabled"] is False
    own = put(alices_program, asset_id, "calendar.booked", enabled=None)
    assert own["enabled"] is True
    assert "enabled" in own["inherited"]


def test_nothing_named_changes_nothing(alices_program: Program) -> None:
    asset_id = make(alices_program)
    before = put(alices_program, asset_id, "calendar.booked", subject="S")
    assert put(alices_program, asset_id, "calendar.booked") == before


def test_a_sender_of_its_own_is_used_and_told(db: Database, alices_program: Program) -> None:
    """R-RESOLVE: the asset's override decides, and a second asset is untouched."""
    asset_id, other = make(alices_program), make(alices_program)
    support = add_sender(db, alices_program.account_id)
    own = put(alices_program, asset_id, "calendar.booked", sender_id=support)
    assert own["sender_id"] == support
    assert "sender_id" not in own["inherited"]
    sender = own["effective_sender"]
    assert (sender["name"], sender["send_from"]) == ("Support", "support@doeinc.com")
    assert set(sender) >= {"name", "send_from", "reply_to", "why"}
    items = alices_program.get(f"/assets/{other}/notifications").get_json()["items"]
    assert {item["effective_sender"]["name"] for item in items} == {"Alice Ltd"}
    back = put(alices_program, asset_id, "calendar.booked", sender_id=None)
    assert back["effective_sender"]["name"] == "Alice Ltd"


def test_the_accounts_sender_for_a_notification_is_inherited(
    db: Database, alices_program: Program
) -> None:
    asset_id = make(alices_program)
    support = add_sender(db, alices_program.account_id)
    answer = alices_program.put("/notifications/calendar.booked", {"sender_id": support})
    assert answer.status_code == 200
    items = alices_program.get(f"/assets/{asset_id}/notifications").get_json()["items"]
    booked = items[0]
    assert booked["sender_id"] is None
    assert "sender_id" in booked["inherited"]
    assert booked["effective_sender"]["send_from"] == "support@doeinc.com"


@pytest.mark.parametrize("sender_id", ["none", "", show_id(1)])
def test_it_refuses_an_unknown_sender(alices_program: Program, sender_id: str) -> None:
    path = f"/assets/{make(alices_program)}/notifications/calendar.booked"
    answer = alices_program.put(path, {"sender_id": sender_id, "subject": "S"})
    assert answer.status_code == 422
    problem = answer.get_json()
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("not_found", "/sender_id")


def test_it_refuses_the_sender_of_another_account(
    db: Database, alices_program: Program, charlies_program: Program
) -> None:
    path = f"/assets/{make(alices_program)}/notifications/calendar.booked"
    stranger = add_sender(db, charlies_program.account_id, "hi@yourcompany.com")
    answer = alices_program.put(path, {"sender_id": stranger})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "not_found")


def test_a_domain_that_is_not_authenticated_asks_for_the_tick_once(
    db: Database, alices_program: Program
) -> None:
    """R-LOWDELIV"""
    path = f"/assets/{make(alices_program)}/notifications/calendar.booked"
    other = f"/assets/{make(alices_program)}/notifications/calendar.booked"
    sender = add_sender(
        db, alices_program.account_id, "notifications@anotherbrand.com", proven=False
    )
    refused = alices_program.put(path, {"sender_id": sender, "subject": "S"})
    assert refused.status_code == 422
    problem = refused.get_json()
    assert problem["code"] == "accept_low_delivery"
    assert problem["errors"][0]["pointer"] == "/accept_low_delivery"
    assert "anotherbrand.com" in problem["detail"]
    accepted = alices_program.put(path, {"sender_id": sender, "accept_low_delivery": True})
    assert accepted.status_code == 200
    body = accepted.get_json()
    assert body["sender_id"] == sender
    assert body["subject"] != "S"
    effective = body["effective_sender"]  # R-PROOF: the mailbox is not proven yet
    assert effective["send_from"].endswith("@kartra.com")
    assert effective["reply_to"] == "notifications@anotherbrand.com"
    assert alices_program.put(other, {"sender_id": sender}).status_code == 200


@pytest.mark.parametrize("name", ["calendar.cancelled", "team.booking", "affiliate.approved"])
def test_what_is_fixed_says_why(db: Database, alices_program: Program, name: str) -> None:
    path = f"/assets/{make(alices_program)}/notifications/{name}"
    support = add_sender(db, alices_program.account_id)
    answer = alices_program.put(path, {"sender_id": support})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "sender_fixed")
    assert answer.get_json()["detail"] == TYPES[name].why_fixed
    answer = alices_program.put(path, {"subject": "S"})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "text_fixed")
    assert answer.get_json()["detail"] == TYPES[name].why_text_fixed
    assert alices_program.put(path, {"enabled": False}).status_code == 200


def test_a_notification_of_another_kind_is_not_found(alices_program: Program) -> None:
    asset_id = make(alices_program, "form")
    for name in ("calendar.booked", "form.nothing"):
        answer = alices_program.put(f"/assets/{asset_id}/notifications/{name}", {"enabled": True})
        assert answer.status_code == 404
        assert "form.signed_up" in answer.get_json()["detail"]


@pytest.mark.parametrize(
    ("changes", "pointer", "line", "code"),
    [
        ({"subject": "{{ contact.frist_name }}"}, "/subject", 1, "unknown_variable"),
        ({"html": "<p>\n\n{{ plaec }}</p>"}, "/html", 3, "unknown_variable"),
        ({"text": "Hello\n{% if place %}"}, "/text", 2, "template"),
        ({"text": "{% for i in (1..999999999) %}x{% endfor %}"}, "/text", 1, "template"),
        ({"subject": "   "}, "/subject", None, "missing"),
    ],
)
def test_template_faults_are_told_with_their_line(
    alices_program: Program, changes: dict[str, str], pointer: str, line: int | None, code: str
) -> None:
    """R-VARS"""
    path = f"/assets/{make(alices_program)}/notifications/calendar.booked"
    answer = alices_program.put(path, changes)
    assert answer.status_code == 422
    error = answer.get_json()["errors"][0]
    assert (error["pointer"], error["line"], error["code"]) == (pointer, line, code)


def test_a_misspelled_variable_gets_a_suggestion(alices_program: Program) -> None:
    path = f"/assets/{make(alices_program)}/notifications/calendar.booked"
    answer = alices_program.put(path, {"text": "{{ contact.frist_name }}"})
    assert answer.get_json()["errors"][0]["suggestion"] == "contact.first_name"


@pytest.mark.parametrize(
    "body",
    [
        {"enabled": "yes"},
        {"subject": 7},
        {"subject": "w" * 1001},
        {"html": "w" * 300_001},
        {"text": "nul \u0000"},
        {"colour": "red"},
        {"sender_id": 7},
    ],
)
def test_what_has_another_shape_is_refused(alices_program: Program, body: dict[str, Any]) -> None:
    path = f"/assets/{make(alices_program)}/notifications/calendar.booked"
    assert alices_program.put(path, body).status_code == 422


def test_a_message_without_words_is_refused(alices_program: Program) -> None:
    path = f"/assets/{make(alices_program)}/notifications/calendar.booked"
    answer = alices_program.put(path, {"html": "", "text": ""})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "missing")


@pytest.mark.parametrize("kind", ["casino", "%00", ""])
def test_a_list_of_an_unknown_kind_is_refused_with_those_that_there_are(
    alices_program: Program, kind: str
) -> None:
    answer = alices_program.get(f"/assets?kind={kind}")
    assert answer.status_code == 422
    problem = answer.get_json()
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("unknown_kind", "/kind")
    assert all(known in problem["detail"] for known in KINDS)


def test_a_tick_that_is_null_is_no_tick(alices_program: Program, db: Database) -> None:
    sender_id = add_sender(db, alices_program.account_id, proven=False)
    path = f"/assets/{make(alices_program)}/notifications/calendar.booked"
    answer = alices_program.put(path, {"subject": "Hi", "accept_low_delivery": None})
    assert answer.status_code == 200
    answer = alices_program.put(path, {"sender_id": sender_id, "accept_low_delivery": None})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "accept_low_delivery")


def test_the_notifications_of_an_asset_come_in_one_part(alices_program: Program) -> None:
    answer = alices_program.get(f"/assets/{make(alices_program)}/notifications").get_json()
    assert set(answer) == {"items", "next"}
    assert answer["next"] is None
