"""A worker's hold on its rows: kept by a heartbeat, known to be lost before others take them."""

import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from kartramail import clock
from kartramail.db import Database
from kartramail.delivery.threads import OnFailure, guarded_thread
from kartramail.outbox.workers import beat, reclaim, register_worker, sign_off

log = structlog.get_logger()

# A worker that could not beat for this share of the lease puts nothing more on the wire, so that
# it has stopped before anyone may declare it dead.
_TRUSTED_SHARE = 0.5

# The monotonic clock of Linux stands still while the machine sleeps; this one does not.
_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def read_clocks() -> tuple[float, ...]:
    """The seconds of every clock that knows whether time has passed.

    The wall clock is among them, as on SQLite it is what others judge a heartbeat by.
    """
    return time.monotonic(), time.clock_gettime(_BOOT_CLOCK), clock.now().timestamp()


class Lease:
    """Registers the process as a worker, beats in a thread of its own, buries dead workers.

    `on_beat` is called in that thread, after each beat; it may raise what the database raises.
    `holds` says how many messages the process has in its hands.
    """

    def __init__(
        self,
        db: Database,
        seconds: float,
        on_failure: OnFailure,
        on_beat: Callable[[], None] = lambda: None,
        holds: Callable[[], int] = lambda: 0,
    ) -> None:
        self._db = db
        self._on_beat = on_beat
        self._holds = holds
        self._seconds = seconds
        self._ending = threading.Event()
        self._beat_now = threading.Event()
        self._thread = guarded_thread("heartbeat", self._run, on_failure)
        self._confirmed_at: tuple[float, ...] | None = None
        self._doubts = 0
        self.worker_id = 0

    def start(self) -> None:
        """Register, then keep the lease. Raises what the database raises."""
        self._register()
        self._thread.start()

    def stop(self) -> None:
        """End in good order: give back whatever is still held.

        What cannot be given back now is taken up by others when the heartbeat is old.
        """
        self.let_go()
        self._thread.join()
        try:
            with self._db.transaction() as session:
                sign_off(session, self.worker_id)
        except SQLAlchemyError as error:
            log.error("worker_not_signed_off", worker=self.worker_id, error=str(error))

    def let_go(self) -> None:
        """Beat no more: what is held is taken up by others when the heartbeat is old."""
        self._ending.set()
        self._beat_now.set()

    @property
    def is_held(self) -> bool:
        """Whether what this worker claimed is surely still its own, by every clock."""
        confirmed_at = self._confirmed_at
        return confirmed_at is not None and all(
            abs(reading - at_beat) < self._seconds * _TRUSTED_SHARE
            for reading, at_beat in zip(read_clocks(), confirmed_at, strict=True)
        )

    def doubt(self) -> None:
        """Something was no longer ours: hold nothing for sure until the next beat, which is now."""
        self._doubts += 1
        self._confirmed_at = None
        self._beat_now.set()

    def _confirm(self, at: tuple[float, ...], doubts: int) -> None:
        if doubts == self._doubts:  # what was asked before a doubt does not dispel it
            self._confirmed_at = at

    def _register(self) -> None:
        started, doubts = read_clocks(), self._doubts
        with self._db.transaction() as session:
            worker_id = register_worker(session, socket.gethostname(), os.getpid())
        self.worker_id = worker_id
        self._confirm(started, doubts)

    def _run(self) -> None:
        while not self._ending.is_set():
            self._beat_now.wait(self._seconds / 6)
            self._beat_now.clear()
            if self._ending.is_set():
                return
            try:
                self._beat()
                self._on_beat()
            except SQLAlchemyError as error:
                log.error("heartbeat_not_written", error=str(error))

    def _beat(self) -> None:
        started, doubts = read_clocks(), self._doubts
        with self._db.transaction() as session:
            is_known = beat(session, self.worker_id, self._holds())
        if is_known:
            self._confirm(started, doubts)
        else:
            log.warning("worker_was_declared_dead", worker=self.worker_id)
            self._register()
        with self._db.transaction() as session:
            count = reclaim(session, timedelta(seconds=self._seconds))
        if count:
            log.warning("rows_of_dead_workers_taken_up", count=count)
