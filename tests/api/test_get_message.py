"""GET /api/v1/messages/<id>: what became of a message, for its own account alone."""

from kartramail.assets.service import create_asset
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.ids import show_id
from kartramail.messages.enqueue import Letter, enqueue_letters
from kartramail.outbox.models import MessageState, SourceKind
from kartramail.outbox.platform_mail import enqueue_platform_mail
from kartramail.rules.addresses import Address
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
    assert posted["sender"].items() <= before["sender"].items()
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
    assert [after["events"][1][name] for name in ("stage", "code")] == ["rcpt", 450]
    assert after["events"][2]["words"].startswith("250 ")
    assert all(event["at"].endswith("+00:00") for event in after["events"])


def test_it_says_what_made_the_message_and_how_its_sender_was_decided(
    db: Database, alices_program: Program
) -> None:
    """R-RESOLVE: the whole chain, as data."""
    with db.transaction() as session:
        asset = create_asset(session, alices_program.account_id, "calendar", "Intro call")
        letter = Letter(
            to=Address("pat", "example.net"),
            words=("Booked", "Hello", None),
            variables={},
            source_kind=SourceKind.NOTIFICATION,
            type="calendar.booked",
            asset_id=asset.id,
        )
        (enqueued,) = enqueue_letters(session, alices_program.account_id, [letter], "kartra.com")
    shown = alices_program.get(f"/messages/{show_id(enqueued.id)}").get_json()
    assert shown["type"] == "calendar.booked"
    assert shown["asset_id"] == show_id(asset.id)
    chain = shown["sender"]["chain"]
    assert [step["place"] for step in chain] == ["asset", "notification", "gateway", "placeholder"]
    (used,) = [step for step in chain if step["is_used"]]
    assert (used["place"], used["send_from"]) == ("gateway", "alice@doeinc.com")


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
