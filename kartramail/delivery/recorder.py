"""Group commit: the results of all connections of a process are written together.

A connection waits here until its last result is durable before it begins the next message. That is
what bounds duplicates to one message a connection (R-OUTBOX).
"""

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from kartramail.db import Database
from kartramail.delivery.outages import is_outage
from kartramail.delivery.threads import OnFailure, guarded_thread
from kartramail.outbox.results import Failed, Result, record_results
from kartramail.rules.replies import Accepted, Deferred, Refused

log = structlog.get_logger()

_BATCH = 200
_GATHERED_FOR = 0.0005  # seconds at most; less than a commit and the hand-over of a thread cost
_LOOK_EVERY = 0.0003
_LONGEST_PAUSE = 5.0
_UNWRITABLE = "The words that belong here could not be written down."


@dataclass(slots=True)
class _Waiting:
    """A result, the number that its row was claimed under, and the gate that its connection waits
    at: a lock, which costs least."""

    result: Result
    worker_id: int
    gate: threading.Lock = field(default_factory=threading.Lock)


class Recorder:
    """One thread that commits what the connection threads hand in.

    `count_on_wire` says how many messages are on the wire now: while there are any, a commit waits
    for their results a moment, so that it is shared. One message alone is committed at once.
    `on_lost` is told, before any connection goes on, when a row was no longer its worker's;
    `on_failure`, when the recorder cannot go on.
    """

    def __init__(
        self,
        db: Database,
        *,
        count_on_wire: Callable[[], int] = lambda: 0,
        on_lost: Callable[[], None],
        on_failure: OnFailure,
    ) -> None:
        self._db = db
        self._count_on_wire = count_on_wire
        self._on_lost = on_lost
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = guarded_thread("recorder", self._run, on_failure)

    def start(self) -> None:
        """Begin to commit."""
        self._thread.start()

    def stop(self) -> None:
        """Commit what is there, then end."""
        self._queue.put(None)
        self._thread.join()

    def record(self, result: Result, worker_id: int) -> None:
        """Hand in a result of a row that was claimed under this number.

        Returns when it is durable, however long the database is away.
        """
        waiting = _Waiting(result, worker_id)
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
            self._commit(batch)
            for waiting in batch:
                waiting.gate.release()

    def _let_others_join(self) -> None:
        end = time.monotonic() + _GATHERED_FOR
        while self._count_on_wire() and time.monotonic() < end:
            time.sleep(_LOOK_EVERY)

    def _commit(self, batch: Sequence[_Waiting]) -> None:
        by_worker: dict[int, list[Result]] = defaultdict(list)
        for waiting in batch:
            by_worker[waiting.worker_id].append(waiting.result)
        if not by_worker:
            return
        try:
            self._write(by_worker)
        except Exception as error:  # one result must not keep those of all others from the disk
            log.error("results_written_one_by_one", count=len(batch), error=type(error).__name__)
            for waiting in batch:
                self._commit_alone(waiting.worker_id, waiting.result)

    def _commit_alone(self, worker_id: int, result: Result) -> None:
        """Without the server's words where they are what cannot be written. Raises if not."""
        try:
            self._write({worker_id: [result]})
        except Exception as error:
            log.error("words_not_written", message=result.message_id, exc_info=error)
            self._write({worker_id: [_without_words(result)]})

    def _write(self, by_worker: Mapping[int, Sequence[Result]]) -> None:
        """Commit these, however long it takes. Raises what is not the database's own failure."""
        pause = 0.1
        while True:
            try:
                written = 0
                with self._db.transaction() as session:
                    for worker_id, results in by_worker.items():
                        written += record_results(session, worker_id, results)
            except Exception as error:
                if not is_outage(error):
                    raise
                # Disk full, database away: nothing goes on the wire until this is written down.
                log.error("results_not_written", error=str(error))
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                if written < sum(map(len, by_worker.values())):
                    self._on_lost()
                return


def _without_words(result: Result) -> Result:
    match result.outcome:
        case Failed():
            return replace(result, outcome=Failed(_UNWRITABLE))
        case Accepted() | Deferred() | Refused() as reply:
            return replace(result, outcome=replace(reply, words=_UNWRITABLE, server=""))
