"""What we refuse ourselves says nothing of any server, nor of any recipient domain (R-FAIR)."""

import threading
from typing import Any

import pytest

from kartramail.adapters.envelopes import LOCAL
from kartramail.adapters.transport import Courier, SmtpSettings
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.delivery.engine import Engine
from kartramail.outbox.models import MessageState
from tests.support.engine import wait_until
from tests.support.outbox import add_account, add_messages, messages
from tests.support.smtp_server import ScriptedServer

CONNECTIONS = 2
DOMAIN = "example.net"


@pytest.mark.parametrize(
    "values",
    [
        {"to_addr": f"{'a' * 250}@{DOMAIN}"},  # RFC 5321 §4.5.3.1.3
        {"words": ("Hello", "A line of many words.\n" * 500, None)},
    ],
    ids=["an address too long for any server", "a message larger than the server takes"],
)
def test_it_neither_resets_the_breaker_nor_teaches_what_a_domain_is_like(
    db: Database, settings: Settings, values: dict[str, Any]
) -> None:
    with db.transaction() as session:
        account_id = add_account(session)
        add_messages(session, account_id, 4, domain=DOMAIN, **values)
    stopping = threading.Event()
    with ScriptedServer(extensions=("8BITMIME", "SIZE 5000")) as server:
        smtp = SmtpSettings("127.0.0.1", server.port, timeout=5, final_timeout=5)
        fitted = settings.model_copy(update={"worker_connections": CONNECTIONS})
        engine = Engine(db, fitted, lambda: Courier(smtp, CONNECTIONS), stopping)
        breaker, destinations = engine._breaker, engine._destinations
        breaker.trip()  # the last connection could not be made
        thread = threading.Thread(target=engine.run)
        thread.start()
        try:
            wait_until(lambda: {one.state for one in messages(db)} == {MessageState.BOUNCED}, 60)
            assert {one.server for one in messages(db)} == {LOCAL}
            assert server.messages == []
            assert breaker._failures == 1
            domain = destinations._domains[DOMAIN]
            assert (domain.is_known, domain.seconds, domain.starts) == (False, 0, [])
            assert (domain.successes, domain.closed_until) == (0, 0)
            assert destinations._everybody == 0

            with db.transaction() as session:
                add_messages(session, account_id, 1, domain=DOMAIN)
            wait_until(lambda: messages(db)[-1].state is MessageState.SENT, 60)
            assert breaker._failures == 0  # a server that does speak is heard
            assert domain.is_known
        finally:
            stopping.set()
            thread.join(30)
    assert not thread.is_alive()
