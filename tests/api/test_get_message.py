"""GET /api/v1/messages/<id>: what became of a message, for its own account alone."""

from kartramail.config import Settings
from kartramail.db import Database
from kartramail.ids import show_id
from kartramail.outbox.models import MessageState
from kartramail.outbox.platform_mail import enqueue_platform_mail
from tests.api.conftest import Program
from tests.support.engine import running_engine, wait_until
from tests.support.outbox import messages
from tests.support.smtp_server import Ok, Say, ScriptedServer

MESSAGE = {"to": "pat@example.net", "subject": "Hello", "html": "<p>Good morning</p>"}


def test_the_story_has_the_servers_own_words(
    db: Database, settings: Settings, alices_program: Program
) -> None:
    posted = alices_program.post("/messages", MESSAGE).get_json()
    shown = posted["id"]
    before = alices_program.get(f"/messages/{shown}").get_json()
    assert before["state"] == "queued"
    assert before["sender"] == posted["sender"]
    assert [event["kind"] for event in before["events"]] == ["queued"]
    script = {"rcpt": [Say("450 4.2.0 come back later"), Ok()]}
    with ScriptedServer(script) as server, running_engine(db, settings, server.port):
        wait_until(lambda: messages(db)[0].state is MessageState.DEFERRED)
        with db.transaction() as session:
            message = messages(db)[0]
            message.due_at = message.created_at
            session.merge(message)
        wait_until(lambda: messages(db)[0].state is MessageState.SENT)
    after = alices_program.get(f"/messages/{shown}").get_json()
    assert after["state"] == "sent"
    assert after["attempts"] == 2
    assert after["sender"]["send_from"] == "alice@doeinc.com"
    assert [event["kind"] for event in after["events"]] == ["queued", "deferred", "sent"]
    assert after["events"][1]["words"] == "450 4.2.0 come back later"
    assert after["events"][2]["words"].startswith("250 ")
    assert all(event["at"].endswith("+00:00") for event in after["events"])


def test_another_accounts_message_is_not_there(
    alices_program: Program, charlies_program: Program
) -> None:
    shown = alices_program.post("/messages", MESSAGE).get_json()["id"]
    assert charlies_program.get(f"/messages/{shown}").status_code == 404
    assert charlies_program.get("/messages/nosuch").status_code == 404


def test_the_platforms_own_mail_is_never_readable(db: Database, alices_program: Program) -> None:
    """R-LOG: it carries links to confirm or reset."""
    with db.transaction() as session:
        message_id = enqueue_platform_mail(
            session,
            "confirm_signup",
            "alice@doeinc.com",
            {"link": "secret"},
            account_id=alices_program.account_id,
        )
    assert alices_program.get(f"/messages/{show_id(message_id)}").status_code == 404
