"""POST /api/v1/messages: checked, durable, answered with the sender and why."""

import threading
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kartramail.adapters.template_sandbox import MAX_SOURCE
from kartramail.db import Database
from kartramail.ids import new_id, read_id, show_id
from kartramail.outbox.models import MessageState, SourceKind
from kartramail.senders.removal import Removed, remove_sender
from tests.api.conftest import Program
from tests.senders.further import add
from tests.support.outbox import messages
from tests.support.statements import heard

MESSAGE = {"to": "pat@example.net", "subject": "Hello", "text": "Good morning"}


def test_a_message_is_in_the_outbox_when_it_is_answered(
    db: Database, alices_program: Program
) -> None:
    answer = alices_program.post("/messages", MESSAGE)
    assert answer.status_code == 202
    body = answer.get_json()
    (message,) = messages(db)
    assert read_id(body["id"]) == message.id
    assert body["state"] == "queued"
    assert message.state is MessageState.QUEUED
    assert message.source_kind is SourceKind.API
    assert body["sender"] == {
        "name": "Alice Ltd",
        "send_from": "alice@doeinc.com",
        "reply_to": "alice@doeinc.com",
        "why": "The mailbox alice@doeinc.com was confirmed. Its domain is not authenticated, so "
        "fewer messages arrive than could.",
    }


def test_a_thousand_at_a_time(db: Database, alices_program: Program) -> None:
    batch = [MESSAGE | {"to": f"r{n}@example.net"} for n in range(1000)]
    answer = alices_program.post("/messages", {"messages": batch})
    assert answer.status_code == 202
    ids = [message["id"] for message in answer.get_json()["messages"]]
    assert [read_id(shown) for shown in ids] == [m.id for m in messages(db)]
    assert len(set(ids)) == 1000


def test_a_thousand_and_one_are_too_many(db: Database, alices_program: Program) -> None:
    answer = alices_program.post("/messages", {"messages": [MESSAGE] * 1001})
    assert answer.status_code == 422
    assert messages(db) == []


def test_all_or_nothing_with_the_index_of_each_fault(db: Database, alices_program: Program) -> None:
    batch = [MESSAGE, MESSAGE | {"to": "nobody"}, MESSAGE | {"subject": "{{ unclosed"}]
    answer = alices_program.post("/messages", {"messages": batch})
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    errors = answer.get_json()["errors"]
    assert [(e["index"], e["pointer"]) for e in errors] == [
        (1, "/messages/1/to"),
        (2, "/messages/2/subject"),
    ]
    assert messages(db) == []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"to": "pat@example.net\r\nBcc: eve@example.net"}, "/to"),
        ({"to": "pat@example.net\u2028"}, "/to"),
        ({"to": "a@example.net, b@example.net"}, "/to"),
        ({"to": ""}, "/to"),
        ({"to": "x" * 2000 + "@example.net"}, "/to"),
        ({"subject": ""}, "/subject"),
        ({"subject": "a\x00b"}, "/subject"),
        ({"text": "a\x00b"}, "/text"),
        ({"html": "a\x00b"}, "/html"),
        ({"subject": "{% for x in (1..10) %}"}, "/subject"),
        ({"text": None}, "/text"),
        ({"text": ""}, "/text"),
        ({"text": "", "html": ""}, "/text"),
        ({"text": "{{ a | nosuchfilter }}"}, "/text"),
        ({"html": "{% nosuchtag %}"}, "/html"),
        ({"stream": "carrier-pigeon"}, "/stream"),
        ({"sender_id": "nosuch"}, "/sender_id"),
        ({"asset_id": "nosuch"}, "/asset_id"),
        ({"variables": "no object"}, "/variables"),
        ({"variables": {"a": float("inf")}}, "/variables"),
        ({"variables": {"a": "b\x00"}}, "/variables"),
        ({"variables": {"a": [{"b": "\ud800"}]}}, "/variables"),
        ({"variables": {"a": {"\udfff": 1}}}, "/variables"),
        ({"text": "x" * 300_001}, "/text"),
        ({"surprise": 1}, "/surprise"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(
    db: Database, alices_program: Program, change: dict[str, Any], pointer: str
) -> None:
    answer = alices_program.post("/messages", MESSAGE | change)
    assert answer.status_code == 422
    problem = answer.get_json()
    assert problem["status"] == 422
    assert pointer in [error["pointer"] for error in problem["errors"]]
    assert problem["detail"]
    assert messages(db) == []


def post_raw(
    program: Program, body: bytes, content_type: str | None = "application/json"
) -> TestResponse:
    return program.client.post(
        "/api/v1/messages",
        data=body,
        content_type=content_type,
        headers={"Authorization": f"Bearer {program.key}"},
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b'{"to": "a@b.example" "x"}', 400),
        (b'{"a": ' + b"1" * 5000 + b"}", 400),
        (b"[]", 422),
        (b'"x"', 422),
        (b"null", 422),
        (b"[" * 100_000, 422),
        (b'{"a":' * 100_000, 422),
    ],
)
def test_a_body_that_is_no_message_is_refused_in_words(
    alices_program: Program, body: bytes, status: int
) -> None:
    answer = post_raw(alices_program, body)
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    detail = answer.get_json()["detail"]
    assert detail[0].isupper()
    assert detail[-1] in ".}"
    assert "NewMessage" not in answer.text


def test_the_place_of_a_fault_in_json_is_named(alices_program: Program) -> None:
    answer = post_raw(alices_program, b'{"to": "pat@example.net",\n "subject" "Hello"}')
    assert answer.status_code == 400
    assert "line 2, column 12" in answer.get_json()["detail"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", None])
def test_another_content_type_is_named(alices_program: Program, content_type: str | None) -> None:
    answer = post_raw(alices_program, b'{"to": "pat@example.net"}', content_type)
    assert answer.status_code == 415
    assert "Content-Type: application/json" in answer.get_json()["detail"]


def test_null_for_variables_is_none_of_them(db: Database, alices_program: Program) -> None:
    assert alices_program.post("/messages", MESSAGE | {"variables": None}).status_code == 202
    assert messages(db)[0].variables is None


def test_commercial_mail_needs_a_contact_who_agreed(db: Database, alices_program: Program) -> None:
    """R-STREAM."""
    answer = alices_program.post("/messages", MESSAGE | {"stream": "commercial"})
    assert answer.status_code == 422
    assert answer.get_json()["code"] == "no_consent"
    assert messages(db) == []


def test_the_sender_of_another_account_is_nobodys(
    db: Database, alices_program: Program, charlies_program: Program
) -> None:
    from sqlmodel import select

    from kartramail.ids import show_id
    from kartramail.senders.models import Sender

    with db.reading() as session:
        hers = session.exec(
            select(Sender.id).where(Sender.account_id == alices_program.account_id)
        ).one()
    wanted = MESSAGE | {"sender_id": show_id(hers)}
    assert charlies_program.post("/messages", wanted).status_code == 422
    assert alices_program.post("/messages", wanted).status_code == 202


def test_without_a_key_nothing_is_told(client: FlaskClient) -> None:
    for headers in ({}, {"Authorization": "Bearer km_wrong"}, {"Authorization": "Basic eDp5"}):
        answer = client.post("/api/v1/messages", json=MESSAGE, headers=headers)
        assert answer.status_code == 401
        assert answer.mimetype == "application/problem+json"
        assert "WWW-Authenticate" in answer.headers


def test_the_same_key_has_one_effect(db: Database, alices_program: Program) -> None:
    first = alices_program.post("/messages", MESSAGE, Idempotency_Key="one")
    again = alices_program.post("/messages", MESSAGE, Idempotency_Key="one")
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.get_json() == again.get_json()
    assert len(messages(db)) == 1


def test_a_repeat_is_answered_without_being_judged_again(
    db: Database, alices_program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was taken stays taken, whatever rule was made stricter meanwhile."""
    first = alices_program.post("/messages", MESSAGE, Idempotency_Key="one")
    monkeypatch.setattr("kartramail.api.messages.find_faults", pytest.fail)
    again = alices_program.post("/messages", MESSAGE, Idempotency_Key="one")
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.get_json() == again.get_json()
    other = alices_program.post("/messages", MESSAGE | {"to": "nobody"}, Idempotency_Key="one")
    assert other.get_json()["code"] == "key_reused"
    assert len(messages(db)) == 1


def test_another_body_under_the_same_key_is_refused(db: Database, alices_program: Program) -> None:
    alices_program.post("/messages", MESSAGE, Idempotency_Key="one")
    other = alices_program.post("/messages", MESSAGE | {"text": "x"}, Idempotency_Key="one")
    assert other.status_code == 422
    assert len(messages(db)) == 1


def test_five_at_once_with_one_key_give_one_message(db: Database, alices_program: Program) -> None:
    answers: list[Any] = []
    barrier = threading.Barrier(5)

    def post() -> None:
        program = Program(
            alices_program.client.application.test_client(),
            alices_program.key,
            alices_program.account_id,
        )
        barrier.wait()
        answers.append(program.post("/messages", MESSAGE, Idempotency_Key="one").get_json())

    threads = [threading.Thread(target=post) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 5
    assert all(answer == answers[0] for answer in answers)
    assert len(messages(db)) == 1


def test_a_revoked_key_is_worth_nothing(db: Database, alices_program: Program) -> None:
    from kartramail.accounts.api_keys import list_api_keys, revoke_api_key

    with db.transaction() as session:
        (key,) = list_api_keys(session, alices_program.account_id)
        revoke_api_key(session, alices_program.account_id, key.id, user_id=None)
    assert alices_program.post("/messages", MESSAGE).status_code == 401


def test_the_description_is_public(client: FlaskClient) -> None:
    description = client.get("/api/v1/openapi.json").get_json()
    assert description["openapi"].startswith("3.1")
    assert {"/api/v1/messages", "/api/v1/senders/check"} <= description["paths"].keys()


def test_the_description_has_the_real_bounds(client: FlaskClient) -> None:
    schemas = client.get("/api/v1/openapi.json").get_json()["components"]["schemas"]
    fields = schemas["NewMessage"]["properties"]
    for name in ("text", "html"):
        assert fields[name]["anyOf"][0]["maxLength"] == MAX_SOURCE
    assert schemas["NewMessages"]["properties"]["messages"]["maxItems"] == 1000


def test_a_stream_that_is_null_is_the_usual_one(db: Database, alices_program: Program) -> None:
    assert alices_program.post("/messages", MESSAGE | {"stream": None}).status_code == 202
    assert [message.stream.value for message in messages(db)] == ["transactional"]


@pytest.mark.parametrize("key", ["", "a\x00b", "a\x7fb", "a\tb", "\u00e9", "x" * 256])
def test_an_idempotency_key_that_no_database_keeps_is_refused(
    db: Database, alices_program: Program, key: str
) -> None:
    answer = alices_program.post("/messages", MESSAGE, Idempotency_Key=key)
    assert answer.status_code == 422
    assert answer.get_json()["code"] == "invalid"
    assert messages(db) == []


def test_a_thousand_unknown_senders_are_asked_for_at_once(
    db: Database, alices_program: Program
) -> None:
    batch = [MESSAGE | {"sender_id": show_id(new_id())} for _ in range(1000)]
    with heard(db) as statements:
        answer = alices_program.post("/messages", {"messages": batch})
    assert answer.status_code == 422
    assert {error["code"] for error in answer.get_json()["errors"]} == {"not_found"}
    assert len(answer.get_json()["errors"]) == 1000
    assert len(statements) < 20


def test_a_sender_that_is_removed_can_no_longer_be_named(
    db: Database, alices_program: Program
) -> None:
    number, other = (add(db, alices_program.account_id, name=name) for name in ("One", "Two"))
    letter = MESSAGE | {"sender_id": show_id(number)}
    assert alices_program.post("/messages", letter).status_code == 202
    with db.transaction() as session:
        outcome = remove_sender(session, alices_program.account_id, number, other, user_id=None)
    assert isinstance(outcome, Removed)
    problem = alices_program.post("/messages", letter).get_json()
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("not_found", "/sender_id")
