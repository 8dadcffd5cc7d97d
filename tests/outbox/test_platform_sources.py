"""What leaves as the platform itself is the same for all who ask."""

import ast

import pytest
from sqlmodel import col, select

from kartramail.config import Settings
from kartramail.db import Database
from kartramail.delivery.loading import Loader
from kartramail.messages.compose import Composer
from kartramail.outbox.claims import claim
from kartramail.outbox.lanes import PLATFORM
from kartramail.outbox.models import PLATFORM_SOURCES, Lane, Message, SourceKind
from kartramail.outbox.platform_mail import enqueue_platform_mail
from kartramail.outbox.workers import register_worker
from kartramail.senders.impact import count_waiting_messages
from tests.support.outbox import add_account
from tests.test_architecture import modules


@pytest.mark.parametrize("source_kind", list(SourceKind))
def test_its_lane_its_sender_and_what_a_change_of_a_sender_touches_agree(
    db: Database, settings: Settings, source_kind: SourceKind
) -> None:
    with db.transaction() as session:
        account_id = add_account(session)
        message_id = enqueue_platform_mail(
            session,
            "test",
            "jane@doeinc.com",
            {"full_name": "Jane", "business_name": "Doe Inc", "link": "https://doeinc.com"},
            account_id=account_id,
            source_kind=source_kind,
        )
        session.flush()
        (lane_source,) = session.exec(
            select(Lane.source)
            .join(Message, col(Message.lane_id) == col(Lane.id))
            .where(Message.id == message_id)
        )
        touched = count_waiting_messages(session, account_id)
        worker = register_worker(session, "test", 1)
        claimed = claim(session, worker, 1)
    (loaded,) = Loader(settings, Composer()).load(db, claimed, worker)
    is_platform = source_kind in PLATFORM_SOURCES
    assert (lane_source == PLATFORM) is is_platform
    assert (touched == 0) is is_platform
    assert (loaded.sender.resolution.code == "platform") is is_platform


def test_which_they_are_is_said_in_one_place() -> None:
    together = {SourceKind.PLATFORM.name, SourceKind.TEST.name}
    said = set()
    for module, path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Set | ast.List | ast.Tuple):
                names = {one.attr for one in node.elts if isinstance(one, ast.Attribute)}
                if names == together:
                    said.add(module)
    assert said == {"kartramail.outbox.models"}
