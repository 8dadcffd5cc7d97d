"""POST /api/v1/messages: checked, durable, answered with the sender and why."""

import threading
from typing import Any

import pytest
from flask.testing import FlaskClient

from kartramail.db import Database
from kartramail.ids import read_id
from kartramail.outbox.models import MessageState, SourceKind
from tests.api.conftest import Program
from tests.support.outbox import messages

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
        "why": "The mailbox alice@doeinc.com was confirmed.",
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
        ({"text": "{{ a | nosuchfilter }}"}, "/text"),
        ({"html": "{% nosuchtag %}"}, "/html"),
        ({"stream": "carrier-pigeon"}, "/stream"),
        ({"sender_id": "nosuch"}, "/sender_id"),
        ({"asset_id": "nosuch"}, "/asset_id"),
        ({"variables": "no object"}, "/variables"),
        ({"variables": {"a": float("inf")}}, "/variables"),
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


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'"x"', b"{", b"null", b"\xff", b"[" * 100_000, b'{"a":' * 100_000]
)
def test_a_body_that_is_no_message_is_refused(alices_program: Program, body: bytes) -> None:
    answer = alices_program.client.post(
        "/api/v1/messages",
        data=body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {alices_program.key}"},
    )
    assert answer.status_code in (400, 422), answer.text
    assert answer.mimetype == "application/problem+json"


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
