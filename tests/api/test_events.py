"""POST /api/v1/events: judged, durable, once for each Idempotency-Key (R-EVENT)."""

import threading
from typing import Any

import pytest
from flask.testing import FlaskClient

from kartramail.db import Database
from kartramail.ids import new_id, read_id, show_id
from tests.api.conftest import Program
from tests.support.events import EVERYWHERE, add_asset, change, in_hours, reminders
from tests.support.outbox import messages

Json = dict[str, Any]


@pytest.fixture
def event(db: Database, alices_program: Program) -> Json:
    calendar = add_asset(db, alices_program.account_id)
    return {
        "asset_id": show_id(calendar),
        "event": "calendar.booked",
        "contact": {"email": "pat@example.net", "first_name": "Pat"},
    }


def test_an_event_is_in_the_outbox_when_it_is_answered(
    db: Database, alices_program: Program, event: Json
) -> None:
    contact = event["contact"] | {"fields": {"shoe": 42}, "nickname": "P", "last_name": None}
    more = {"contact": contact, "variables": {"place": "Room 2", "n": 1}, "key": "b1"}
    answer = alices_program.post("/events", event | more | {"starts_at": in_hours(100)})
    assert answer.status_code == 202, answer.text
    (message,) = messages(db)
    assert answer.get_json() == {"message_ids": [show_id(message.id)]}
    variables = message.variables or {}
    assert variables["contact"] == {
        "email": "pat@example.net",
        "first_name": "Pat",
        "fields": {"shoe": 42},
        "nickname": "P",
    }
    assert (variables["place"], variables["event"]["n"]) == ("Room 2", 1)
    assert [row.key for row in reminders(db)] == ["b1"]
    story = alices_program.get(f"/messages/{show_id(message.id)}").get_json()
    assert story["sender"]["send_from"] == "alice@doeinc.com"


def test_what_is_switched_off_is_taken_and_sends_nothing(
    db: Database, alices_program: Program, event: Json
) -> None:
    change(db, alices_program.account_id, "calendar.booked", EVERYWHERE, enabled=False)
    answer = alices_program.post("/events", event, Idempotency_Key="one")
    assert (answer.status_code, answer.get_json()) == (202, {"message_ids": []})
    again = alices_program.post("/events", event, Idempotency_Key="one")
    assert again.get_json() == {"message_ids": []}
    assert messages(db) == []


def test_null_is_the_same_as_nothing(db: Database, alices_program: Program, event: Json) -> None:
    nothing = {"variables": None, "starts_at": None, "key": None}
    assert alices_program.post("/events", event | nothing).status_code == 202


@pytest.mark.parametrize(
    ("wrong", "pointer", "code"),
    [
        ({"event": "calendar.boked"}, "/event", "unknown_event"),
        ({"event": "product.receipt"}, "/event", "wrong_kind"),
        ({"asset_id": "nosuch"}, "/asset_id", "not_found"),
        ({"asset_id": show_id(new_id())}, "/asset_id", "not_found"),
        ({"contact": {"email": "nobody"}}, "/contact/email", "syntax"),
        ({"contact": {"email": "a@b.example\r\nBcc: c@d.example"}}, "/contact/email", "syntax"),
        ({"starts_at": "2026-11-24T14:00:00"}, "/starts_at", "no_offset"),
        ({"starts_at": "soon"}, "/starts_at", "not_a_time"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_its_code_and_place(
    db: Database, alices_program: Program, event: Json, wrong: Json, pointer: str, code: str
) -> None:
    answer = alices_program.post("/events", event | wrong, Idempotency_Key="one")
    assert answer.status_code == 422
    problem = answer.get_json()
    assert problem["code"] == code
    assert [(each["pointer"], each["code"]) for each in problem["errors"]] == [(pointer, code)]
    assert problem["detail"][0].isupper()
    assert messages(db) == []
    assert reminders(db) == []
    # What was refused leaves no trace: the key is still free.
    assert alices_program.post("/events", event, Idempotency_Key="one").status_code == 202


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"asset_id": 1}, "/asset_id"),
        ({"event": None}, "/event"),
        ({"contact": "pat@example.net"}, "/contact"),
        ({"contact": {"first_name": "Pat"}}, "/contact/email"),
        ({"contact": {"email": "a@b.example", "fields": 1}}, "/contact/fields"),
        ({"contact": {"email": "a@b.example", "x": "\x00"}}, "/contact"),
        ({"contact": {"email": "a@b.example", "x": ["\ud800"]}}, "/contact"),
        ({"contact": {"email": "a@b.example", "x": float("nan")}}, "/contact"),
        ({"variables": []}, "/variables"),
        ({"variables": {"x": "\x00"}}, "/variables"),
        ({"variables": {"\udfff": 1}}, "/variables"),
        ({"variables": {"x": float("inf")}}, "/variables"),
        ({"starts_at": 5}, "/starts_at"),
        ({"key": ""}, "/key"),
        ({"key": "k" * 256}, "/key"),
        ({"key": "\x00"}, "/key"),
        ({"surprise": 1}, "/surprise"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(
    db: Database, alices_program: Program, event: Json, wrong: Json, pointer: str
) -> None:
    answer = alices_program.post("/events", event | wrong)
    assert answer.status_code == 422, answer.text
    assert pointer in [each["pointer"] for each in answer.get_json()["errors"]]
    assert messages(db) == []


@pytest.mark.parametrize("place", ["variables", "contact"])
def test_endless_nesting_is_refused(
    db: Database, alices_program: Program, event: Json, place: str
) -> None:
    body = b'{"asset_id": "x", "event": "calendar.booked", "%s": ' % place.encode()
    answer = alices_program.client.post(
        "/api/v1/events",
        data=body + b'{"a":' * 900 + b"1" + b"}" * 901,
        content_type="application/json",
        headers={"Authorization": f"Bearer {alices_program.key}"},
    )
    assert answer.status_code == 422
    assert messages(db) == []


def test_the_asset_of_another_account_is_nobodys(
    db: Database, charlies_program: Program, event: Json
) -> None:
    answer = charlies_program.post("/events", event)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "not_found")
    assert messages(db) == []


def test_without_a_key_nothing_is_told(client: FlaskClient) -> None:
    assert client.post("/api/v1/events", json={}).status_code == 401


def test_the_same_header_is_the_same_event(
    db: Database, alices_program: Program, event: Json
) -> None:
    first = alices_program.post("/events", event, Idempotency_Key="one")
    again = alices_program.post("/events", event, Idempotency_Key="one")
    assert first.get_json() == again.get_json()
    assert (first.status_code, again.status_code) == (202, 202)
    (message,) = messages(db)
    assert [read_id(each) for each in first.get_json()["message_ids"]] == [message.id]


def test_the_same_header_with_another_body_is_refused(
    db: Database, alices_program: Program, event: Json
) -> None:
    alices_program.post("/events", event, Idempotency_Key="one")
    other = alices_program.post("/events", event | {"key": "b2"}, Idempotency_Key="one")
    assert (other.status_code, other.get_json()["code"]) == (422, "key_reused")
    assert len(messages(db)) == 1


def test_the_header_of_an_event_is_free_for_a_message(
    db: Database, alices_program: Program, event: Json
) -> None:
    alices_program.post("/events", event, Idempotency_Key="one")
    message = {"to": "pat@example.net", "subject": "Hello", "text": "Hello"}
    assert alices_program.post("/messages", message, Idempotency_Key="one").status_code == 202
    assert len(messages(db)) == 2


def test_five_at_once_from_five_clients_give_one_message(
    db: Database, alices_program: Program, event: Json
) -> None:
    answers: list[Any] = []
    barrier = threading.Barrier(5)
    body = event | {"starts_at": in_hours(100)}

    def post() -> None:
        program = Program(
            alices_program.client.application.test_client(),
            alices_program.key,
            alices_program.account_id,
        )
        barrier.wait()
        answers.append(program.post("/events", body, Idempotency_Key="one").get_json())

    threads = [threading.Thread(target=post) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 5
    (message,) = messages(db)
    assert all(answer == {"message_ids": [show_id(message.id)]} for answer in answers)
    assert len(reminders(db)) == 1


def test_the_description_tells_of_it(client: FlaskClient) -> None:
    description = client.get("/api/v1/openapi.json").get_json()
    call = description["paths"]["/api/v1/events"]["post"]
    assert "Idempotency-Key" in call["description"]
    fields = description["components"]["schemas"]["NewEvent"]["properties"]
    assert set(fields) == {"asset_id", "event", "contact", "variables", "starts_at", "key"}
