"""One delivery process: the engine, and beside it the rounds."""

import gc
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import FrameType

import structlog

from kartramail.accounts.rounds import ROUNDS as ACCOUNT_ROUNDS
from kartramail.adapters.transport import Courier, SmtpSettings, Tls
from kartramail.assets.rounds import ROUNDS as ASSET_ROUNDS
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.delivery.engine import Engine
from kartramail.domains.rounds import ROUNDS as DOMAIN_ROUNDS
from kartramail.domains.signers import Signers
from kartramail.installation import Installation
from kartramail.outbox.rounds import ROUNDS as OUTBOX_ROUNDS
from kartramail.rounds import Round
from kartramail.senders.rounds import ROUNDS as SENDER_ROUNDS
from kartramail.worker.rounds import keep_rounds

log = structlog.get_logger()

_SWITCH_INTERVAL = 0.0005
"""Seconds after which a thread that computes lets another one have the interpreter.

Python's own 5 ms are longer than a whole conversation with a mail server: while one thread builds
messages, all connections would wait for it at every step.
"""

_OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""Messages make thousands of objects a second and no cycles: Python's own 700 means that a worker
looks for garbage all the time, and finds none."""

_BROKEN_GRACE = 10.0  # seconds for giving rows back, where a thread has ended

ROUNDS: tuple[Round, ...] = (
    *OUTBOX_ROUNDS,
    *ACCOUNT_ROUNDS,
    *DOMAIN_ROUNDS,
    *SENDER_ROUNDS,
    *ASSET_ROUNDS,
)


def run_worker(installation: Installation, grace: float) -> None:
    """Deliver until SIGTERM or SIGINT; what is on the wire is finished first, in `grace` seconds.

    Where that cannot be, the database being away for instance, the process ends with status 1.
    Raises EngineBroken when a thread ended by itself, ConfigurationError for settings that clash,
    and SealBroken before anything is claimed where MASTER_KEYS do not open the platform's key.
    """
    smtp = smtp_settings(installation.settings)
    Signers(installation.settings).platform(installation.db)
    sys.setswitchinterval(_SWITCH_INTERVAL)
    gc.freeze()  # what is loaded by now stays
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 20)
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    rounds = threading.Thread(
        target=keep_rounds, args=(installation, ROUNDS, stopping), name="rounds", daemon=True
    )
    rounds.start()
    connections = installation.settings.worker_connections
    queue = Database(installation.settings.database_url, by_index=True)
    engine = Engine(queue, installation.settings, lambda: Courier(smtp, connections), stopping)
    for watch in (partial(_end_if_broken, engine), partial(_end_in_time, stopping, grace)):
        threading.Thread(target=watch, name="watch", daemon=True).start()
    # Not in this thread: a signal handler that sets the event may meet the event's own lock, held.
    with ThreadPoolExecutor(1, "engine") as pool:
        pool.submit(engine.run).result()
    queue.dispose()
    installation.db.dispose()


def _end_if_broken(engine: Engine) -> None:
    """End the process at last, also where what is left of the engine waits for something."""
    engine.broken.wait()
    time.sleep(_BROKEN_GRACE)
    os._exit(1)


def _end_in_time(stopping: threading.Event, grace: float) -> None:
    """End the process at last, also where the database is away and cannot take the results.

    Nothing is lost: what it holds is taken up by others when its lease has run out, and of what a
    server has taken meanwhile at most one message a connection goes out again.
    """
    stopping.wait()
    time.sleep(grace)
    log.error(
        "worker_cut_off", why="It did not end in time: the database or a server did not answer."
    )
    os._exit(1)


def smtp_settings(settings: Settings) -> SmtpSettings:
    """How to talk to the mail server of these settings.

    The catcher is this machine's own and has no certificate: what is asked of a relay (TLS, a
    name) is not asked of it. Raises ConfigurationError for settings that clash.
    """
    host, port = settings.mail_host_and_port
    is_relay = not settings.has_catcher
    password = settings.mail_password.get_secret_value() if settings.mail_password else None
    return SmtpSettings(
        host=host,
        port=port,
        username=settings.mail_username if is_relay else None,
        password=password if is_relay else None,
        use_tls=settings.mail_use_tls and is_relay,
        use_ssl=settings.mail_use_ssl and is_relay,
        tls=settings.mail_tls if is_relay else Tls.OFF,
        timeout=settings.mail_timeout,
        final_timeout=settings.mail_final_timeout,
        ehlo_name=settings.ehlo_name,
    )
