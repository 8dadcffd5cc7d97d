"""GET /api/v1/messages/<id> of a message whose address and words are gone (R-LOG)."""

from kartramail.db import Database
from kartramail.ids import show_id
from tests.api.conftest import Program
from tests.support.old_messages import ERASED, grow_old
from tests.support.outbox import add_messages


def test_the_api_answers(db: Database, alices_program: Program) -> None:
    shown = show_id(grow_old(db, alices_program.account_id, type="calendar.booked"))
    found = alices_program.get(f"/messages/{shown}").get_json()
    assert found["id"] == shown
    assert found["state"] == "sent"
    assert found["type"] == "calendar.booked"
    assert found["to_domain"] == "example.net"
    assert found["erased"] == ERASED
    assert found["sender"]["send_from"] == "alice@doeinc.com"
    assert [event["kind"] for event in found["events"]] == ["queued", "sent"]
    assert "r0@" not in str(found)


def test_a_message_that_is_kept_is_not_said_to_be_erased(
    db: Database,
    alices_program: Program,
) -> None:
    with db.transaction() as session:
        (number,) = add_messages(session, alices_program.account_id, 1)
    found = alices_program.get(f"/messages/{show_id(number)}").get_json()
    assert (found["erased"], found["to_domain"]) == (None, "example.net")


def test_no_other_account_reads_it(
    db: Database, alices_program: Program, charlies_program: Program
) -> None:
    shown = show_id(grow_old(db, alices_program.account_id))
    assert charlies_program.get(f"/messages/{shown}").status_code == 404
