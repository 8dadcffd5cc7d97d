"""Hostile text in every field of every form and of the API: no 500, no injection (R-SAFE)."""

import re
from collections.abc import Iterable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kartramail.accounts.api_keys import make_api_key
from kartramail.db import Database
from kartramail.installation import Installation
from tests.flows.conftest import Deliver, read_mail
from tests.flows.hostile import (
    ADDRESSES,
    INJECTED,
    MARKUP,
    SMUGGLING,
    SUM,
    TEXTS,
    form_body,
    json_body,
)
from tests.support.cast import PASSWORD, Actor, csrf_token, post
from tests.support.mailbox import newest_link
from tests.support.smtp_server import Received

pytestmark = pytest.mark.usefixtures("cheap_hashing")

EDIT = "/settings/integrations/kartramail/edit"
CHECK = "/settings/integrations/kartramail/check"
SENDER = {
    "sender_name": "Doe Inc.",
    "send_from": "alice@doeinc.com",
    "reply_to": "alice@doeinc.com",
    "version": "",
    "accept_low_delivery": "",
    "kept_send_from": "",
    "opened_in": "",
}
SIGN_UP = {
    "business_name": "New Ltd",
    "full_name": "New",
    "email": "new@doeinc.com",
    "password": "seven quiet mornings",
}
STRANGERS_FORMS = {
    "/signup": SIGN_UP,
    "/signup/check/email": {"email": ""},
    "/login": {"email": "alice@doeinc.com", "password": PASSWORD, "next": "/", "resume": ""},
    "/forgot": {"email": "alice@doeinc.com"},
}
ALICES_FORMS = {
    EDIT: SENDER,
    f"{EDIT}?suggestion": SENDER | {"use_send_from": "alice@doeinc.com"},
    f"{EDIT}?beside": SENDER | {"beside": "look:0000000000001"},
    f"{CHECK}/send_from": SENDER,
    f"{CHECK}/reply_to/mail-server": SENDER,
    "/settings/account": {
        "business_name": "Doe",
        "postal_address": "",
        "time_zone": "UTC",
        "opened_in": "",
    },
    "/settings/profile/name": {"full_name": "Alice"},
    "/settings/profile/password": {"current_password": "", "new_password": ""},
    "/settings/api-keys": {"name": "Shop"},
    "/settings/team": {"email": "sam@doeinc.com", "role": "member"},
    "/account/switch": {"account": "0000000000001", "resume": ""},
}
ADDRESS_FIELDS = {"email", "send_from", "reply_to", "use_send_from", "to"}
PAGES = ["/", "/settings/account", "/settings/profile", "/settings/integrations", EDIT]
LINK_FORMS = {
    "confirm": {"password": "seven quiet mornings"},
    "reset": {"password": "seven quiet mornings"},
    "join": {"full_name": "Sam", "password": "seven quiet mornings"},
    "prove": {"answer": "allow"},
}
OUR_HEADERS = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "X-KartraMail-Message",
    "Feedback-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "DKIM-Signature",
}


def send(client: FlaskClient, path: str, fields: dict[str, str]) -> TestResponse:
    body = form_body(fields | {"csrf_token": csrf_token(client)})
    return client.post(path, data=body, content_type="application/x-www-form-urlencoded")


def variants(fields: dict[str, str]) -> Iterable[dict[str, str]]:
    """The form with one field after the other filled in with each hostile text."""
    for name in fields:
        for text in (*TEXTS, *(ADDRESSES if name in ADDRESS_FIELDS else ())):
            yield fields | {name: text}


def assert_harmless(answer: TestResponse, about: object) -> None:
    assert answer.status_code < 500, about
    for value in (MARKUP, "<img src=x", SUM):
        assert value not in answer.text, about
    assert "X-Injected" not in answer.headers, about


def assert_wire_is_clean(received: Received) -> None:
    """No line end but CRLF, no NUL, one end; no header that is not ours, none twice."""
    assert re.search(rb"\r(?!\n)|(?<!\r)\n|\x00", received.wire) is None
    assert received.wire.count(b"\r\n.\r\n") == 1
    mail = read_mail(received)
    assert set(mail.keys()) <= OUR_HEADERS
    assert len(mail.keys()) == len(set(mail.keys()))
    head = received.data.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert not any(line.startswith(INJECTED.encode()) for line in head.split(b"\r\n"))


@pytest.mark.parametrize("path", STRANGERS_FORMS)
def test_a_stranger_breaks_no_form(app: Flask, alice: Actor, deliver: Deliver, path: str) -> None:
    for fields in variants(STRANGERS_FORMS[path]):
        client = app.test_client()
        assert_harmless(send(client, path, fields), fields)
        assert_harmless(client.get("/signup/sent"), fields)
        assert_harmless(client.get("/signup?change"), fields)
    mails = deliver()
    assert bool(mails) == (path == "/signup")
    for received in mails:
        assert_wire_is_clean(received)
        assert "charlie@evil.example" not in received.rcpt_to


@pytest.mark.parametrize("path", ALICES_FORMS)
def test_an_owner_breaks_no_form_and_no_page(alice: Actor, deliver: Deliver, path: str) -> None:
    statuses = set()
    for fields in variants(ALICES_FORMS[path]):
        answer = send(alice.client, path, fields)
        statuses.add(answer.status_code)
        assert_harmless(answer, fields)
        if answer.status_code == 303:
            for page in PAGES:
                assert_harmless(alice.get(page), (page, fields))
    if path in (EDIT, "/settings/account", "/settings/profile/name"):
        of_other_account = {409} if "opened_in" in ALICES_FORMS[path] else set()
        # some of it is a fine name, and goes through every page
        assert statuses == {303, 422} | of_other_account
    assert alice.post("/settings/integrations/kartramail/test").status_code == 303
    assert alice.post("/settings/integrations/kartramail/sample").status_code == 303
    for received in deliver():
        assert_wire_is_clean(received)
        assert "charlie@evil.example" not in received.rcpt_to


@pytest.mark.parametrize("kind", LINK_FORMS)
def test_whoever_holds_a_link_breaks_no_form(
    app: Flask, alice: Actor, installation: Installation, kind: str
) -> None:
    client = app.test_client()
    if kind == "confirm":
        send(client, "/signup", SIGN_UP)
    elif kind == "reset":
        send(client, "/forgot", {"email": alice.email})
    elif kind == "join":
        alice.post("/settings/team", {"email": "sam@doeinc.com", "role": "member"})
    else:
        alice.post(EDIT, SENDER | {"accept_low_delivery": "y", "send_from": "new@doeinc.com"})
    reader = {"confirm": "new", "reset": "alice", "join": "sam", "prove": "new"}[kind]
    path = newest_link(installation, f"{reader}@doeinc.com")
    for fields in variants(LINK_FORMS[kind]):
        client = app.test_client()
        assert_harmless(send(client, path, fields), fields)
        for text in ("%00", "%0d%0aX-Injected:%20yes", "%ed%a0%80", "x" * 5000, "%3Cscript%3E"):
            assert_harmless(client.get(f"/{kind}/{text}"), text)


def test_addresses_of_pages_break_nothing(alice: Actor) -> None:
    for text in ("%00", "%0d%0aX-Injected:%20yes", "%ed%a0%80", "%3Cscript%3E", "{{86243*86243}}"):
        for path in (
            f"/{text}",
            f"/login?next=/{text}",
            f"/login?next=//evil.example/{text}",
            f"{EDIT}?resume={text}",
            f"/signup/sent?look={text}",
            f"/settings/integrations/kartramail/progress/{text}",
            f"/settings/integrations/kartramail/progress/0000000000001?looks={text}",
            f"/catcher?q={text}&before={text}",
            f"/catcher/letters?q={text}&version={text}",
            f"/api/v1/messages/{text}",
        ):
            answer = alice.get(path)
            assert_harmless(answer, path)
            assert "evil.example" not in answer.headers.get("Location", ""), path


@pytest.fixture
def key(alice: Actor, db: Database) -> str:
    with db.transaction() as session:
        return make_api_key(session, alice.account_id, "a program", alice.user_id)[1]


def call(client: FlaskClient, key: str, path: str, body: object, **more: str) -> TestResponse:
    headers = {"Authorization": f"Bearer {key}", **more}
    return client.post(
        f"/api/v1{path}", data=json_body(body), headers=headers, content_type="application/json"
    )


MESSAGE = {
    "to": "bob@example.net",
    "subject": "Hello {{ name }}",
    "text": "Hello {{ name }}\n",
    "html": "<p>Hello {{ name }}</p>",
    "stream": "transactional",
    "sender_id": "0000000000001",
    "asset_id": "0000000000001",
}


@pytest.mark.parametrize("field", MESSAGE)
def test_a_program_puts_nothing_on_the_wire_that_is_not_its_message(
    client: FlaskClient, key: str, deliver: Deliver, field: str
) -> None:
    plain = {name: MESSAGE[name] for name in ("to", "subject", "text", "html")}
    for text in (*TEXTS, *(ADDRESSES if field in ADDRESS_FIELDS else SMUGGLING)):
        answer = call(client, key, "/messages", plain | {field: text})
        assert answer.status_code in (202, 422), (field, text)
    for received in deliver():
        assert_wire_is_clean(received)
        assert len(received.rcpt_to) == 1
        assert received.mail_from.endswith("@bounces.kartra.com")


def test_variables_are_data_and_never_a_template(
    client: FlaskClient, key: str, deliver: Deliver
) -> None:
    """Escaped in HTML, one line in the subject, counted by nobody."""
    message = {name: MESSAGE[name] for name in ("to", "subject", "text", "html")}
    for text in (*TEXTS, *SMUGGLING):
        for variables in ({"name": text}, {text: "x"}, {"name": {"a": [text]}}):
            answer = call(client, key, "/messages", message | {"variables": variables})
            assert answer.status_code in (202, 422), variables
    for received in deliver():
        assert_wire_is_clean(received)
        mail = read_mail(received)
        part = mail.get_body(("html",))
        assert part is not None
        assert MARKUP not in part.get_content()
        assert SUM not in part.get_content()


def test_no_body_and_no_header_breaks_the_api(client: FlaskClient, key: str) -> None:
    bodies = [
        b"",
        b"null",
        b"[]",
        b"1",
        b'"x"',
        b"{",
        b"\xff\xfe",
        b'{"messages": []}',
        b"[" * 5000,
    ]
    bodies += [b'{"messages": [1]}', b'{"messages": {"a": 1}}', b'{"to": 1e999}', b'{"to": NaN}']
    headers = {"Authorization": f"Bearer {key}"}
    for path in ("/api/v1/messages", "/api/v1/senders/check"):
        for body in bodies:
            answer = client.post(path, data=body, headers=headers, content_type="application/json")
            assert 400 <= answer.status_code < 500, (path, body)
            assert answer.mimetype == "application/problem+json", (path, body)
    for value in ("x" * 300, "\x80\xff", "a b", "", "é"):
        answer = call(client, key, "/messages", {}, **{"Idempotency-Key": value})
        assert answer.status_code == 422
        answer = client.post("/api/v1/messages", headers={"Authorization": f"Bearer {value}"})
        assert answer.status_code == 401


@pytest.mark.parametrize("field", ["sender_name", "send_from", "reply_to"])
def test_the_check_answers_about_anything(client: FlaskClient, key: str, field: str) -> None:
    sender = {
        "sender_name": "Doe",
        "accept_low_delivery": "y",
        "send_from": "a@doeinc.com",
        "reply_to": "b@doeinc.com",
    }
    for text in (*TEXTS, *ADDRESSES):
        answer = call(client, key, "/senders/check", sender | {field: text})
        assert answer.status_code in (200, 422), text
        assert answer.is_json


def test_a_hostile_business_is_confirmed_and_mailed_about_like_any_other(
    app: Flask, installation: Installation, deliver: Deliver
) -> None:
    """What passes the rules for names goes through every page and mail unharmed."""
    client = app.test_client()
    name = 'Doe & "Söhne" <b>{{ 86243*86243 }}</b>'
    assert post(client, "/signup", SIGN_UP | {"business_name": name}).status_code == 303
    (received,) = deliver()
    assert_wire_is_clean(received)
    mail = read_mail(received)
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert name in plain.get_content()
    part = mail.get_body(("html",))
    assert part is not None
    assert "<b>{{" not in part.get_content()
    assert "&lt;b&gt;{{ 86243*86243 }}" in part.get_content()
