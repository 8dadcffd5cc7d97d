"""Whole stories without a browser: pages, API, delivery and a mail server, all real."""

from collections.abc import Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as email_policy

import pytest

from kartramail.config import Settings
from kartramail.db import Database
from tests.support.engine import running_engine, wait_until
from tests.support.outbox import messages
from tests.support.smtp_server import Received, ScriptedServer

Deliver = Callable[[], list[Received]]


@pytest.fixture
def deliver(db: Database, settings: Settings) -> Deliver:
    """Deliver all that waits; what arrived at the mail server, as it came over the wire."""

    def run() -> list[Received]:
        with ScriptedServer() as server, running_engine(db, settings, server.port):
            wait_until(lambda: _is_settled(db))
            return list(server.messages)

    return run


def _is_settled(db: Database) -> bool:
    return all(each.due_at is None and each.worker_id is None for each in messages(db))


def read_mail(received: Received) -> EmailMessage:
    """The message as a mail program reads it."""
    return message_from_bytes(received.data, policy=email_policy)
