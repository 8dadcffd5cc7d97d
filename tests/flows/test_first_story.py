"""The first whole story without a browser: sign up, confirm, send, and read what really arrived."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select

from kartramail.accounts.api_keys import make_api_key
from kartramail.accounts.models import Account
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.outbox.models import MessageState
from tests.support.cast import post
from tests.support.engine import running_engine, wait_until
from tests.support.outbox import add_messages, messages
from tests.support.smtp_server import ScriptedServer, SinkServer

PASSWORD = "a sentence that Jane remembers"


def _sign_up_and_confirm(
    client: FlaskClient, sink: SinkServer | ScriptedServer, email: str
) -> None:
    form = {"business_name": "Doe Inc", "full_name": "Jane Doe", "email": email}
    assert post(client, "/signup", form | {"password": PASSWORD}).status_code == 303
    wait_until(lambda: bool(_mails_to(sink, email)))
    mail = _mails_to(sink, email)[-1]
    assert mail["From"] == "KartraMail <notifications@kartra.com>"
    link = re.search(r"/confirm/[\w-]+", _text(mail))
    assert link is not None
    assert post(client, link[0], {"password": PASSWORD}).location == "/onboarding"


def _mails_to(sink: SinkServer | ScriptedServer, email: str) -> list[EmailMessage]:
    return [
        message_from_bytes(received.data, policy=policy.default)  # type: ignore[misc]
        for received in list(sink.messages)
        if received.rcpt_to == (email,) or list(received.rcpt_to) == [email]
    ]


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def _key(db: Database) -> str:
    with db.transaction() as session:
        account_id = session.exec(select(Account.id)).one()
        return make_api_key(session, account_id, "a program", None)[1]


@pytest.mark.parametrize(
    ("email", "sender", "reply_to"),
    [
        ("jane@doeinc.com", "Doe Inc <jane@doeinc.com>", "jane@doeinc.com"),
        ("jane.doe@gmail.com", "Doe Inc <doe-inc@kartra.com>", None),
    ],
    ids=["business-address", "free-address"],
)
def test_from_sign_up_to_what_arrives(
    app: Flask, db: Database, settings: Settings, email: str, sender: str, reply_to: str | None
) -> None:
    """R-SIGNUP, R-PREFILL, R-OUTBOX: a business address is the sender, a free one is not."""
    client = app.test_client()
    with SinkServer() as sink, running_engine(db, settings, sink.port):
        _sign_up_and_confirm(client, sink, email)
        answer = app.test_client().post(
            "/api/v1/messages",
            json={"to": "pat@example.net", "subject": "Order {{ n }}", "text": "Thank you.",
                  "variables": {"n": 7}},
            headers={"Authorization": f"Bearer {_key(db)}"},
        )  # fmt: skip
        assert answer.status_code == 202
        assert answer.get_json()["sender"]["reply_to"] == reply_to
        wait_until(lambda: bool(_mails_to(sink, "pat@example.net")))
    (mail,) = _mails_to(sink, "pat@example.net")
    assert (mail["From"], mail["Reply-To"], mail["Subject"]) == (sender, reply_to, "Order 7")


def test_a_new_sender_is_used_once_its_mailbox_is_proven(
    app: Flask, db: Database, settings: Settings
) -> None:
    """R-PROOF: until the link is followed, mail leaves from the temporary address."""
    client = app.test_client()
    with SinkServer() as sink, running_engine(db, settings, sink.port):
        _sign_up_and_confirm(client, sink, "jane.doe@gmail.com")
        key = _key(db)
        form = {
            "sender_name": "Jane of Doe Inc",
            "accept_low_delivery": "y",
            "send_from": "hello@doeinc.com",
            "reply_to": "support@doeinc.com",
        }
        saved = post(client, "/settings/integrations/kartramail/edit", form)
        assert saved.status_code == 303
        _send(app, key, "before@example.net")
        wait_until(lambda: bool(_mails_to(sink, "before@example.net")))
        wait_until(lambda: bool(_mails_to(sink, "hello@doeinc.com")))
        link = re.search(r"/prove/[\w-]+", _text(_mails_to(sink, "hello@doeinc.com")[0]))
        assert link is not None
        stranger = app.test_client()
        assert stranger.get(link[0]).status_code == 200  # a scanner looks, and proves nothing
        _send(app, key, "scanned@example.net")
        wait_until(lambda: bool(_mails_to(sink, "scanned@example.net")))
        assert post(stranger, link[0]).status_code in (200, 303)
        _send(app, key, "after@example.net")
        wait_until(lambda: bool(_mails_to(sink, "after@example.net")))
    for unproven in ("before@example.net", "scanned@example.net"):
        (mail,) = _mails_to(sink, unproven)
        assert mail["From"] == "Jane of Doe Inc <doe-inc@kartra.com>"
        assert mail["Reply-To"] == "support@doeinc.com"
    (mail,) = _mails_to(sink, "after@example.net")
    assert mail["From"] == "Jane of Doe Inc <hello@doeinc.com>"


def _send(app: Flask, key: str, to: str) -> None:
    answer = app.test_client().post(
        "/api/v1/messages",
        json={"to": to, "subject": "Hello", "text": "Good morning"},
        headers={"Authorization": f"Bearer {key}"},
    )
    assert answer.status_code == 202


SMUGGLING = [
    *("\n.\n", "\n.\r\n", "\r.\r\n", "\r\n.\n", "\r\n.\r", "\r.\r", "\r\n.\r\n"),
    *("\r\n\0.\r\n", "\0\r\n.\r\n", "\r\n.\0\r\n"),
]
EVIL = "MAIL FROM:<eve@evil.example>\r\nRCPT TO:<pat@example.net>\r\nDATA\r\nhello\r\n.\r\n"


def test_no_smuggled_ending_gets_on_the_wire(app: Flask, db: Database, settings: Settings) -> None:
    """What a body holds stays one message, whatever line ends it was written with."""
    client = app.test_client()
    with ScriptedServer() as sink, running_engine(db, settings, sink.port):
        _sign_up_and_confirm(client, sink, "jane@doeinc.com")
        batch = [
            {"to": f"r{n}@example.net", "subject": "x", part: "before{{ e }}after",
             "variables": {"e": ending + EVIL}}
            for n, ending in enumerate(SMUGGLING)
            for part in ("text", "html")
            if "\0" not in ending  # no variable may hold it
        ]  # fmt: skip
        answer = app.test_client().post(
            "/api/v1/messages",
            json={"messages": batch},
            headers={"Authorization": f"Bearer {_key(db)}"},
        )
        assert answer.status_code == 202
        with db.transaction() as session:  # and if one did
            account_id = session.exec(select(Account.id)).one()
            for ending in (ending for ending in SMUGGLING if "\0" in ending):
                for words in (("x", "before{{ e }}after", None), ("x", None, "before{{ e }}after")):
                    values = {"words": words, "variables": {"e": ending + EVIL}}
                    add_messages(session, account_id, 1, **values)
        wait_until(lambda: not any(m.due_at or m.worker_id for m in messages(db)))
    assert {m.state for m in messages(db)} == {MessageState.SENT}
    assert len(sink.messages) == 2 * len(SMUGGLING) + 1
    for received in sink.messages:
        assert "evil.example" not in received.mail_from
        assert re.search(rb"(?<!\r)\n|\r(?!\n)|\0", received.wire) is None
        assert received.wire.count(b"\r\n.\r\n") == 1
        assert received.wire.endswith(b"\r\n.\r\n")


BREAKS = ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize("line_break", BREAKS, ids=ascii)
def test_no_variable_breaks_out_of_the_subject(
    app: Flask, db: Database, settings: Settings, line_break: str
) -> None:
    client = app.test_client()
    with SinkServer() as sink, running_engine(db, settings, sink.port):
        _sign_up_and_confirm(client, sink, "jane@doeinc.com")
        answer = app.test_client().post(
            "/api/v1/messages",
            json={
                "to": "pat@example.net",
                "subject": "Hello {{ name }}",
                "text": "x",
                "variables": {"name": f"Pat{line_break}Bcc: eve@evil.example"},
            },
            headers={"Authorization": f"Bearer {_key(db)}"},
        )
        assert answer.status_code == 202
        wait_until(lambda: bool(_mails_to(sink, "pat@example.net")))
    (mail,) = _mails_to(sink, "pat@example.net")
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Hello Pat Bcc: eve@evil.example"
