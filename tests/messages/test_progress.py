"""What is said of a message while somebody waits for it."""

import pytest
from sqlmodel import select, update

from kartramail.db import Database
from kartramail.messages.queries import message_progress
from kartramail.outbox.lanes import hold_lane, open_lane
from kartramail.outbox.models import Lane, Message, MessageState
from tests.support.outbox import add_account, add_messages


@pytest.mark.parametrize(
    "state", [MessageState.QUEUED, MessageState.SCHEDULED, MessageState.DEFERRED]
)
def test_mail_of_a_paused_lane_is_not_said_to_wait_for_a_process(
    db: Database, state: MessageState
) -> None:
    with db.transaction() as session:
        account_id = add_account(session)
        (message_id,) = add_messages(session, account_id, 1)
        session.connection().execute(update(Message).values(state=state))
        (lane_id,) = session.exec(select(Lane.id)).all()
        assert hold_lane(session, account_id, lane_id)
        paused = message_progress(session, account_id, message_id)
        assert open_lane(session, account_id, lane_id)
        resumed = message_progress(session, account_id, message_id)
    assert paused is not None
    assert resumed is not None
    assert paused.problem == "It waits: transactional mail is paused."
    assert paused.advice == "It leaves when that is resumed."
    assert resumed.problem not in (None, paused.problem)
