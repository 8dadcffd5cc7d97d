"""A delivery engine in the test's own process, on the test's database, talking to a real server."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kartramail.adapters.transport import Courier, SmtpSettings
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.delivery.engine import Engine


@contextmanager
def running_engine(
    db: Database,
    settings: Settings,
    port: int,
    *,
    connections: int = 2,
    timeout: float = 1.0,
    lease: float = 15,
    **ways: Any,
) -> Iterator[threading.Event]:
    """Deliver to 127.0.0.1:port until the block ends, then wait until all of it is settled.

    `ways`: what else `SmtpSettings` takes, such as how much TLS.
    """
    stopping = threading.Event()
    smtp = SmtpSettings("127.0.0.1", port, timeout=timeout, final_timeout=timeout, **ways)
    fitted = settings.model_copy(update={"worker_connections": connections, "worker_lease": lease})
    engine = Engine(db, fitted, lambda: Courier(smtp, connections), stopping)
    thread = threading.Thread(target=engine.run)
    thread.start()
    try:
        yield stopping
    finally:
        stopping.set()
        thread.join(30)
        assert not thread.is_alive()


def wait_until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    """Look again and again until it is so; fails the test when it never is."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "this did not come about"
        time.sleep(0.02)
