"""The engine of one delivery process: claim, prepare, send over several connections, record.

feeder (the caller's thread)   claims rows and prepares envelopes, into a short queue
connection threads             take envelopes one by one, each over its own SMTP connection
recorder                       commits results together; a connection waits for its own
lease                          heartbeat; takes up what dead workers held
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from kartramail.adapters.transport import Envelope, Transport
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.delivery.lease import Lease
from kartramail.delivery.prepare import Preparer, Ready
from kartramail.delivery.recorder import Recorder
from kartramail.outbox.claims import Claimed, claim, release
from kartramail.outbox.results import Failed, Result
from kartramail.rules.replies import Deferred

log = structlog.get_logger()

_CLAIM = 100
_IDLE_PAUSE = 0.25
_IDLE_CONNECTION = 20.0
_BREAKER_PAUSES = (0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class _Held:
    """A prepared message, and in which life of this worker it was claimed."""

    ready: Ready
    generation: int


class Breaker:
    """Opens when no connection can be made, so that one dead server is not asked by everybody."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0

    def trip(self) -> None:
        """A connection could not be made."""
        with self._lock:
            if time.monotonic() < self._open_until:
                return
            pause = _BREAKER_PAUSES[min(self._failures, len(_BREAKER_PAUSES) - 1)]
            self._failures += 1
            self._open_until = time.monotonic() + pause

    def reset(self) -> None:
        """A server answered."""
        self._failures = 0

    @property
    def is_open(self) -> bool:
        """Whether to leave the server alone for a moment."""
        return time.monotonic() < self._open_until


class Engine:
    """Delivers until it is told to stop."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        make_transport: Callable[[], Transport],
        stopping: threading.Event,
    ) -> None:
        self._db = db
        self._settings = settings
        self._make_transport = make_transport
        self._stopping = stopping
        self._lease = Lease(db, settings.worker_lease)
        self._on_wire: list[dict[int, int]] = []  # one for each connection
        self._recorder = Recorder(db, lambda: self._lease.worker_id, self._count_on_wire)
        self._preparer = Preparer(settings)
        self._queue: queue.SimpleQueue[_Held] = queue.SimpleQueue()
        self._breaker = Breaker()

    def run(self) -> None:
        """Deliver; returns after `stopping` was set and what was on the wire is settled."""
        self._lease.start()
        self._recorder.start()
        connections = [
            threading.Thread(target=self._connection, name=f"smtp-{n}", daemon=True)
            for n in range(self._settings.worker_connections)
        ]
        for thread in connections:
            thread.start()
        while not self._stopping.is_set():
            if not self._feed():
                self._stopping.wait(_IDLE_PAUSE)
        for thread in connections:
            thread.join()
        self._recorder.stop()
        self._lease.stop()

    # -- the feeder ---------------------------------------------------------------------------

    def _feed(self) -> bool:
        """Claim and prepare one batch where there is room; returns whether there was work."""
        if self._breaker.is_open or not self._lease.is_held:
            self._give_back()
            return False
        if self._queue.qsize() >= _CLAIM // 2:
            time.sleep(0.002)
            return True
        try:
            generation, batch = self._claim()
            if batch:
                self._prepare(batch, generation)
            return bool(batch)
        except SQLAlchemyError as error:
            log.error("claim_failed", error=str(error))
            self._stopping.wait(1)
            return False

    def _claim(self) -> tuple[int, list[Claimed]]:
        generation = self._lease.generation
        with self._db.transaction() as session:
            return generation, claim(session, self._lease.worker_id, _CLAIM)

    def _prepare(self, batch: list[Claimed], generation: int) -> None:
        try:
            ready, failed = self._preparer.prepare(self._db, batch)
        except SQLAlchemyError:
            self._release([message.id for message in batch])
            raise
        except Exception as error:  # one message must not stop the mail of all others
            if len(batch) > 1:
                for message in batch:
                    self._prepare([message], generation)
                return
            log.error("message_not_prepared", exc_info=error)
            ready, failed = (
                [],
                [Result(batch[0].id, Failed(f"It could not be built: {error}"), None)],
            )
        for result in failed:
            self._recorder.record(result)
        for item in ready:
            self._queue.put(_Held(item, generation))

    def _give_back(self) -> None:
        """Rows that wait here while no server can be reached are due again, at no cost."""
        ids = []
        while True:
            try:
                ids.append(self._queue.get_nowait().ready.envelope.id)
            except queue.Empty:
                break
        if ids:
            self._release(ids)

    def _release(self, ids: list[int]) -> None:
        try:
            with self._db.transaction() as session:
                release(session, self._lease.worker_id, ids)
        except SQLAlchemyError as error:
            # They stay ours until the end of this process, or until it is declared dead.
            log.error("rows_not_released", count=len(ids), error=str(error))

    # -- the connections ----------------------------------------------------------------------

    def _connection(self) -> None:
        transport = self._make_transport()
        current: dict[int, int] = {}
        self._on_wire.append(current)
        while not self._stopping.is_set():
            current.clear()
            for message_id, reply in transport.deliver(self._take(current)):
                self._recorder.record(Result(message_id, reply, current.pop(message_id, None)))
                if isinstance(reply, Deferred) and not reply.costs_attempt:
                    self._breaker.trip()
                else:
                    self._breaker.reset()

    def _count_on_wire(self) -> int:
        return sum(map(len, self._on_wire))

    def _take(self, current: dict[int, int]) -> Iterator[Envelope]:
        """Envelopes for one connection; ends when there was nothing for a while."""
        idle_since = time.monotonic()
        while not self._stopping.is_set() and time.monotonic() - idle_since < _IDLE_CONNECTION:
            if self._breaker.is_open or not self._lease.is_held:
                time.sleep(0.05)
                continue
            try:
                held = self._queue.get(timeout=0.2)
            except queue.Empty:
                continue
            if held.generation != self._lease.generation:
                continue  # claimed in an earlier life: others have it now
            current[held.ready.envelope.id] = held.ready.resolved_id
            yield held.ready.envelope
            idle_since = time.monotonic()
