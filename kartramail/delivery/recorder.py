"""Group commit: the results of all connections of a process are written together.

A connection waits here until its last result is durable before it begins the next message. That is
what bounds duplicates to one message a connection (R-OUTBOX).
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import SQLAlchemyError

from kartramail.db import Database
from kartramail.outbox.results import Result, record_results

log = structlog.get_logger()

_BATCH = 200
_GATHERED_FOR = 0.002  # seconds at most; less than a commit and the hand-over of a thread cost
_LOOK_EVERY = 0.0003
_LONGEST_PAUSE = 5.0


@dataclass(slots=True)
class _Waiting:
    """A result, and the gate that its connection waits at: a lock, which costs least."""

    result: Result
    gate: threading.Lock = field(default_factory=threading.Lock)


class Recorder:
    """One thread that commits what the connection threads hand in.

    `count_on_wire` says how many messages are on the wire now: while there are any, a commit waits
    for their results a moment, so that it is shared. One message alone is committed at once.
    """

    def __init__(
        self,
        db: Database,
        worker_id: Callable[[], int],
        count_on_wire: Callable[[], int] = lambda: 0,
    ) -> None:
        self._db = db
        self._worker_id = worker_id
        self._count_on_wire = count_on_wire
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        """Begin to commit."""
        self._thread.start()

    def stop(self) -> None:
        """Commit what is there, then end."""
        self._queue.put(None)
        self._thread.join()

    def record(self, result: Result) -> None:
        """Hand in a result; returns when it is durable, however long the database is away."""
        waiting = _Waiting(result)
        waiting.gate.acquire()
        self._queue.put(waiting)
        waiting.gate.acquire()  # opened when it is durable

    def _run(self) -> None:
        is_ending = False
        while not is_ending:
            first = self._queue.get()
            batch = [first] if first else []
            is_ending = first is None
            if not is_ending:
                self._let_others_join()
            while len(batch) < _BATCH and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    is_ending = True
                else:
                    batch.append(following)
            self._commit([waiting.result for waiting in batch])
            for waiting in batch:
                waiting.gate.release()

    def _let_others_join(self) -> None:
        end = time.monotonic() + _GATHERED_FOR
        while self._count_on_wire() and time.monotonic() < end:
            time.sleep(_LOOK_EVERY)

    def _commit(self, results: Sequence[Result]) -> None:
        pause = 0.1
        while results:
            try:
                with self._db.transaction() as session:
                    record_results(session, self._worker_id(), results)
                return
            except SQLAlchemyError as error:
                # Disk full, database away: nothing goes on the wire until this is written down.
                log.error("results_not_written", count=len(results), error=str(error))
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
