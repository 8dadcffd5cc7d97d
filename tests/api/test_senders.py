"""`/api/v1/senders`: further senders by program, under the rules of the form (R-SENDERS)."""

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from kartramail.db import Database
from kartramail.ids import new_id, show_id
from kartramail.installation import Installation
from kartramail.senders import further
from kartramail.senders.further import load_senders
from kartramail.senders.placeholders import find_placeholder
from tests.api.conftest import Program
from tests.senders.further import add, choose_for_asset, row
from tests.support.dns_server import DnsServer
from tests.support.domains import authenticate
from tests.support.mailbox import templates_to
from tests.support.statements import heard

SUPPORT = {
    "name": "Alice support",
    "send_from": "support@doeinc.com",
    "reply_to": "support@doeinc.com",
    "accept_low_delivery": True,
}


def call(program: Program, method: str, path: str, body: Any = None) -> TestResponse:
    headers = {"Authorization": f"Bearer {program.key}"}
    return program.client.open(f"/api/v1{path}", method=method, json=body, headers=headers)


def codes(answer: TestResponse) -> dict[str, str]:
    return {fault["pointer"]: fault["code"] for fault in (answer.json or {})["errors"]}


def made(program: Program, **other: Any) -> str:
    answer = program.post("/senders", SUPPORT | other)
    assert answer.status_code == 201, answer.json
    return str((answer.json or {})["id"])


def test_it_is_added(alices_program: Program, installation: Installation) -> None:
    answer = alices_program.post("/senders", SUPPORT)
    assert answer.status_code == 201
    body = answer.json or {}
    assert {name: body[name] for name in ("name", "send_from", "reply_to")} == {
        name: SUPPORT[name] for name in ("name", "send_from", "reply_to")
    }
    assert (body["proof"], body["domain_state"]) == ("none", "pending")
    assert templates_to(installation, "support@doeinc.com") == ["prove_mailbox"]
    assert alices_program.get(f"/senders/{body['id']}").json == body


@pytest.mark.parametrize(
    ("wrong", "pointer", "code"),
    [
        ({"name": ""}, "/name", "name_empty"),
        ({"name": "x" * 65}, "/name", "name_too_long"),
        ({"send_from": "a@gmail.com"}, "/send_from", "free_provider"),
        ({"send_from": "a@kartra.com"}, "/send_from", "platform_domain"),
        ({"send_from": "a@co.uk"}, "/send_from", "public_suffix"),
        ({"reply_to": "a@yourcompany.com"}, "/reply_to", "different_domain"),
        ({"reply_to": None}, "/reply_to", "syntax"),
        ({"accept_low_delivery": False}, "/accept_low_delivery", "accept_low_delivery"),
    ],
)
def test_it_refuses_what_the_form_refuses(
    alices_program: Program, db: Database, wrong: dict[str, Any], pointer: str, code: str
) -> None:
    answer = alices_program.post("/senders", SUPPORT | wrong)
    assert answer.status_code == 422
    assert codes(answer)[pointer] == code
    with db.reading() as session:
        assert len(load_senders(session, alices_program.account_id)) == 1


def test_every_field_at_fault_is_named(alices_program: Program) -> None:
    answer = alices_program.post(
        "/senders", {"name": "", "send_from": "a@gmail.com", "reply_to": "b@gmail.com"}
    )
    assert set(codes(answer)) == {"/name", "/send_from", "/reply_to"}


def test_a_reply_to_that_takes_no_mail(alices_program: Program, dns: DnsServer) -> None:
    dns.add("nomail.test", "MX", "0 .")
    other = {"send_from": "a@nomail.test", "reply_to": "a@nomail.test"}
    assert codes(alices_program.post("/senders", SUPPORT | other)) == {"/reply_to": "null_mx"}


@pytest.mark.parametrize("body", [{}, {"name": "x"}, SUPPORT | {"more": 1}, {"send_from": 1}, []])
def test_a_body_that_does_not_fit(alices_program: Program, body: Any) -> None:
    assert alices_program.post("/senders", body).status_code == 422


def test_proof_and_state_of_the_domain(
    alices_program: Program, db: Database, installation: Installation, dns: DnsServer
) -> None:
    account_id = alices_program.account_id
    number = add(db, account_id)
    body = alices_program.get(f"/senders/{show_id(number)}").json or {}
    assert (body["proof"], body["domain_state"]) == ("mailbox", "pending")
    authenticate(installation, dns, account_id)
    body = alices_program.get(f"/senders/{show_id(number)}").json or {}
    assert (body["proof"], body["domain_state"]) == ("domain", "authenticated")
    below = {"send_from": "a@news.doeinc.com", "reply_to": "a@news.doeinc.com"}
    dns.add("news.doeinc.com", "MX", "10 mail.doeinc.com")
    body = alices_program.post("/senders", SUPPORT | below).json or {}
    assert (body["proof"], body["domain_state"]) == ("domain", "authenticated")


def test_the_own_temporary_address_needs_no_reply_to(alices_program: Program, db: Database) -> None:
    with db.reading() as session:
        local = find_placeholder(session, alices_program.account_id)
    own = {"name": "Alice", "send_from": f"{local}@kartra.com"}
    answer = alices_program.post("/senders", own)
    assert answer.status_code == 201
    body = answer.json or {}
    assert (body["reply_to"], body["proof"], body["domain_state"]) == (
        None,
        "domain",
        "authenticated",
    )


def test_the_same_twice_is_one(alices_program: Program) -> None:
    assert made(alices_program) == made(alices_program)


def test_one_key_has_one_effect(alices_program: Program) -> None:
    first = alices_program.post("/senders", SUPPORT, Idempotency_Key="k")
    again = alices_program.post("/senders", SUPPORT, Idempotency_Key="k")
    other = alices_program.post("/senders", SUPPORT | {"name": "B"}, Idempotency_Key="k")
    assert first.json == again.json
    assert other.status_code == 422


def test_there_is_an_end(alices_program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(further, "MOST_SENDERS", 2)
    made(alices_program)
    answer = alices_program.post("/senders", SUPPORT | {"name": "One more"})
    assert answer.status_code == 422
    assert (answer.json or {})["code"] == "too_many"


def test_they_are_listed_the_newest_first(alices_program: Program) -> None:
    ids = [made(alices_program, name=f"S{n}") for n in range(3)]
    body = alices_program.get("/senders").json or {}
    assert [item["id"] for item in body["items"]][:3] == ids[::-1]
    assert [item["is_default"] for item in body["items"]] == [False, False, False, True]
    assert body["next"] is None


def test_a_list_comes_in_parts(alices_program: Program) -> None:
    for n in range(3):
        made(alices_program, name=f"S{n}")
    found, cursor = [], ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        body = alices_program.get(f"/senders?limit=3{more}").json or {}
        found += [item["name"] for item in body["items"]]
        cursor = body["next"]
    assert found == ["S2", "S1", "S0", "Alice Ltd"]


def test_a_part_of_it_is_changed(alices_program: Program) -> None:
    path = f"/senders/{made(alices_program)}"
    answer = call(alices_program, "PATCH", path, {"name": "Alice desk"})
    assert answer.status_code == 200
    body = answer.json or {}
    assert (body["name"], body["send_from"], body["version"]) == (
        "Alice desk",
        "support@doeinc.com",
        2,
    )
    assert codes(call(alices_program, "PATCH", path, {"send_from": "a@gmail.com"})) == {
        "/send_from": "free_provider"
    }
    asked = call(
        alices_program, "PATCH", path, {"send_from": "new@doeinc.com", "reply_to": "a@doeinc.com"}
    )
    assert codes(asked) == {"/accept_low_delivery": "accept_low_delivery"}
    late = call(alices_program, "PATCH", path, {"name": "Late", "version": 1})
    assert (late.status_code, (late.json or {})["code"]) == (409, "conflict")


def test_it_is_removed(alices_program: Program) -> None:
    path = f"/senders/{made(alices_program)}"
    answer = call(alices_program, "DELETE", path)
    assert (answer.status_code, answer.data) == (204, b"")
    assert alices_program.get(path).status_code == 404
    assert call(alices_program, "DELETE", path).status_code == 404


def test_one_in_use_is_removed_once_something_takes_its_place(
    alices_program: Program, db: Database
) -> None:
    number, other = add(db, alices_program.account_id), made(alices_program, name="Other")
    choose_for_asset(db, alices_program.account_id, number)
    path = f"/senders/{show_id(number)}"
    answer = call(alices_program, "DELETE", path)
    assert (answer.status_code, (answer.json or {})["code"]) == (409, "in_use")
    for nobody in ("none", show_id(new_id()), show_id(number)):
        answer = call(alices_program, "DELETE", f"{path}?replacement={nobody}")
        assert codes(answer) == {"/replacement": "not_found"}
    assert call(alices_program, "DELETE", f"{path}?replacement={other}").status_code == 204


def test_a_replacement_may_ask_for_the_tick(alices_program: Program, db: Database) -> None:
    number = add(db, alices_program.account_id)
    other = add(db, alices_program.account_id, "desk@doeinc.com", "Desk")
    choose_for_asset(db, alices_program.account_id, number)
    with db.transaction() as session:
        row(session, other).low_delivery_accepted_at = None
    path = f"/senders/{show_id(number)}?replacement={show_id(other)}"
    assert codes(call(alices_program, "DELETE", path)) == {
        "/accept_low_delivery": "accept_low_delivery"
    }
    assert call(alices_program, "DELETE", f"{path}&accept_low_delivery=true").status_code == 204


def test_the_default_one_is_changed_and_not_removed(alices_program: Program) -> None:
    (default,) = (alices_program.get("/senders").json or {})["items"]
    path = f"/senders/{default['id']}"
    answer = call(alices_program, "DELETE", path)
    assert (answer.status_code, (answer.json or {})["code"]) == (409, "is_default")
    answer = call(alices_program, "PATCH", path, {"name": "Alice anew"})
    assert (answer.json or {})["name"] == "Alice anew"


def test_a_message_can_name_it(alices_program: Program, db: Database) -> None:
    number = add(db, alices_program.account_id)
    letter = {"to": "pat@example.net", "subject": "Hi", "text": "Hi", "sender_id": show_id(number)}
    sender = (alices_program.post("/messages", letter).json or {})["sender"]
    assert sender["send_from"] == "support@doeinc.com"


def test_charlies_program_finds_none_of_them(
    alices_program: Program, charlies_program: Program, app: Flask
) -> None:
    path = f"/senders/{made(alices_program)}"
    assert charlies_program.get(path).status_code == 404
    assert call(charlies_program, "PATCH", path, {"name": "Mine"}).status_code == 404
    assert call(charlies_program, "DELETE", path).status_code == 404
    assert len((charlies_program.get("/senders").json or {})["items"]) == 1
    assert app.test_client().get(f"/api/v1{path}").status_code == 401


def test_the_list_asks_as_often_for_many_as_for_few(alices_program: Program, db: Database) -> None:
    alices_program.get("/senders")  # the first request asks for the schema, too
    counts = []
    for start in (0, 5):
        for n in range(start, start + 5):
            add(db, alices_program.account_id, name=f"S{n}")
        with heard(db) as statements:
            items = (alices_program.get("/senders").json or {})["items"]
        assert all(item["proof"] for item in items)
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_a_tick_for_a_removal_that_is_refused_is_not_kept(
    alices_program: Program, db: Database
) -> None:
    (default,) = (alices_program.get("/senders").json or {})["items"]
    other = add(db, alices_program.account_id)
    with db.transaction() as session:
        row(session, other).low_delivery_accepted_at = None
    asked = f"?replacement={show_id(other)}&accept_low_delivery=true"
    answer = call(alices_program, "DELETE", f"/senders/{default['id']}{asked}")
    assert (answer.status_code, (answer.json or {})["code"]) == (409, "is_default")
    with db.reading() as session:
        assert row(session, other).low_delivery_accepted_at is None
    third = add(db, alices_program.account_id, "desk@doeinc.com", "Desk")
    assert call(alices_program, "DELETE", f"/senders/{show_id(third)}{asked}").status_code == 204
    with db.reading() as session:
        assert row(session, other).low_delivery_accepted_at is not None


def test_null_is_the_same_as_nothing(alices_program: Program) -> None:
    unticked = alices_program.post("/senders", SUPPORT | {"accept_low_delivery": None})
    assert codes(unticked) == {"/accept_low_delivery": "accept_low_delivery"}
    path = f"/senders/{made(alices_program)}"
    nothing = dict.fromkeys(("name", "send_from", "accept_low_delivery", "version"))
    answer = call(alices_program, "PATCH", path, nothing)
    assert answer.status_code == 200
    assert (answer.json or {})["name"] == SUPPORT["name"]


@pytest.mark.parametrize("path", ["/senders", "/assets", "/domains"])
@pytest.mark.parametrize("cursor", ["x", "%00", "0000000000000u", "zzzzzzzzzzzzz"])
def test_a_cursor_that_cannot_be_read_is_no_first_page(
    alices_program: Program, path: str, cursor: str
) -> None:
    answer = alices_program.get(f"{path}?cursor={cursor}")
    assert answer.status_code == 422
    assert (answer.json or {})["code"] == "invalid"
    assert codes(answer) == {"/cursor": "invalid"}
