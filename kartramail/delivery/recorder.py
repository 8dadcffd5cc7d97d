"""Group commit: the results of all connections of a process are written together.

A connection waits until its last result is durable before it gives away the next message. That is
what bounds duplicates to one message a connection (R-OUTBOX).
"""

import queue
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import structlog

from kartramail.db import Database
from kartramail.delivery.outages import is_outage
from kartramail.delivery.threads import OnFailure, guarded_thread
from kartramail.outbox.results import Failed, Result, write_results
from kartramail.rules.replies import Accepted, Deferred, Refused

log = structlog.get_logger()

_LONGEST_PAUSE = 5.0
_UNWRITABLE = "The words that belong here could not be written down."


class Waiting(NamedTuple):
    """A result, and the number that its row was claimed under."""

    result: Result
    worker_id: int


class Recorder:
    """One thread that commits what it is handed, while others go on.

    `on_written` is told that `take_written` has something; `on_lost`, before that, when a row was
    no longer its worker's; `on_failure`, when the recorder cannot go on.
    """

    def __init__(
        self,
        db: Database,
        *,
        on_written: Callable[[], None] = lambda: None,
        on_lost: Callable[[], None],
        on_failure: OnFailure,
    ) -> None:
        self._db = db
        self._on_written = on_written
        self._on_lost = on_lost
        self._queue: queue.SimpleQueue[Sequence[Waiting] | None] = queue.SimpleQueue()
        self._under_way = 0  # batches; three threads count
        self._counting = threading.Lock()
        self._written: deque[Waiting] = deque()
        self._thread = guarded_thread("recorder", self._run, on_failure)

    def start(self) -> None:
        """Begin to commit."""
        self._thread.start()

    def stop(self) -> None:
        """Commit what is there, then end."""
        self._queue.put(None)
        self._thread.join()

    @property
    def is_free(self) -> bool:
        """Whether nothing is being committed, so that more would be at once."""
        return not self._under_way

    def record(self, batch: Sequence[Waiting]) -> None:
        """Hand in results, to be committed together however long the database is away."""
        with self._counting:
            self._under_way += 1
        self._queue.put(batch)

    def take_written(self) -> list[Waiting]:
        """What is durable and was not taken yet."""
        taken = []
        while self._written:
            taken.append(self._written.popleft())
        return taken

    def _run(self) -> None:
        while (batch := self._queue.get()) is not None:
            self._commit(batch)
            self._written.extend(batch)
            with self._counting:
                self._under_way -= 1
            self._on_written()

    def _commit(self, batch: Sequence[Waiting]) -> None:
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
                written = write_results(self._db, by_worker)
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
