"""A worker's hold on its rows: kept by a heartbeat, known to be lost before others take them."""

import os
import socket
import threading
import time
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from kartramail.db import Database
from kartramail.outbox.claims import beat, reclaim, register_worker, sign_off

log = structlog.get_logger()

# A worker that could not beat for this share of the lease puts nothing more on the wire, so that
# it has stopped before anyone may declare it dead.
_TRUSTED_SHARE = 0.5


class Lease:
    """Registers the process as a worker, beats in a thread of its own, buries dead workers."""

    def __init__(self, db: Database, seconds: float) -> None:
        self._db = db
        self._seconds = seconds
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._confirmed_at = 0.0
        self.worker_id = 0
        self.generation = 0

    def start(self) -> None:
        """Register, then keep the lease. Raises what the database raises."""
        self._register()
        self._thread.start()

    def stop(self) -> None:
        """End in good order: give back whatever is still held."""
        self._ending.set()
        self._thread.join()
        with self._db.transaction() as session:
            sign_off(session, self.worker_id)

    @property
    def is_held(self) -> bool:
        """Whether what this worker claimed is surely still its own."""
        return time.monotonic() - self._confirmed_at < self._seconds * _TRUSTED_SHARE

    def _register(self) -> None:
        started = time.monotonic()
        with self._db.transaction() as session:
            self.worker_id = register_worker(session, socket.gethostname(), os.getpid())
        self.generation += 1
        self._confirmed_at = started

    def _run(self) -> None:
        while not self._ending.wait(self._seconds / 6):
            try:
                self._beat()
            except SQLAlchemyError as error:
                log.error("heartbeat_not_written", error=str(error))

    def _beat(self) -> None:
        started = time.monotonic()
        with self._db.transaction() as session:
            is_known = beat(session, self.worker_id)
        if is_known:
            self._confirmed_at = started
        else:
            log.warning("worker_was_declared_dead", worker=self.worker_id)
            self._register()
        with self._db.transaction() as session:
            count = reclaim(session, timedelta(seconds=self._seconds))
        if count:
            log.warning("rows_of_dead_workers_taken_up", count=count)
