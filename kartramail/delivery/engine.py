"""The engine of one delivery process: claim, prepare, send over several connections, record.

feeder (the caller's thread)   claims rows and prepares envelopes, into a short queue
connection threads             take envelopes one by one, each over its own SMTP connection
recorder                       commits results together; a connection waits for its own
lease                          heartbeat; takes up what dead workers held

None of them may end by itself: where one does, the engine is broken and `run` raises, so that the
process ends and whoever keeps it starts it again.
"""

import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from kartramail.adapters.transport import Envelope, Transport
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.delivery.breaker import Breaker
from kartramail.delivery.lease import Lease
from kartramail.delivery.outages import is_outage
from kartramail.delivery.prepare import Preparer, Ready
from kartramail.delivery.recorder import Recorder
from kartramail.delivery.threads import guarded_thread
from kartramail.errors import KartraMailError
from kartramail.outbox.claims import Claimed, WorkerGone, claim, release, release_others
from kartramail.outbox.results import Failed, Result
from kartramail.rules.replies import Deferred

log = structlog.get_logger()

# Rows that are held for each connection: four that wait and the one on the wire. What is held when
# a process is killed counts as a death of each: the fewer, the better. With fewer than this,
# connections wait for claims.
_HELD_PER_CONNECTION = 5
_IDLE_PAUSE = 0.25
_FULL_PAUSE = 0.002
_IDLE_CONNECTION = 20.0


class EngineBroken(KartraMailError):
    """A thread of the engine ended by itself: nothing more can be delivered by this process."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A message that can go on the wire, and the number that its row was claimed under."""

    ready: Ready
    worker_id: int


class Engine:
    """Delivers until it is told to stop. `broken` is set when it cannot any more."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        make_transport: Callable[[], Transport],
        stopping: threading.Event,
    ) -> None:
        self.broken = threading.Event()
        self._db = db
        self._connections = settings.worker_connections
        self._make_transport = make_transport
        self._stopping = stopping
        self._lease = Lease(db, settings.worker_lease, self._break)
        self._on_wire: list[dict[int, _Prepared]] = []  # one for each connection
        self._recorder = Recorder(
            db,
            count_on_wire=self._count_on_wire,
            on_lost=self._lease.doubt,
            on_failure=self._break,
        )
        self._preparer = Preparer(settings)
        # Not a SimpleQueue: with several readers its `get` may wait for ever, whatever the timeout,
        # when another one was quicker just as the time ran out.
        self._queue: queue.Queue[_Prepared] = queue.Queue()
        self._held: set[tuple[int, int]] = set()  # message, and the number it was claimed under
        self._is_in_doubt = False  # whether the database may count rows as ours that we do not hold
        self._breaker = Breaker()

    def run(self) -> None:
        """Deliver; returns after `stopping` was set and what was on the wire is settled.

        Raises EngineBroken when one of the threads ended by itself; what was on the wire then is
        taken up by others.
        """
        self._lease.start()
        self._recorder.start()
        connections = [
            guarded_thread(f"smtp-{n}", self._connection, self._break)
            for n in range(self._connections)
        ]
        for thread in connections:
            thread.start()
        try:
            self._keep_feeding()
        except BaseException as error:
            self._break("feeder", error)
            raise
        for thread in connections:
            while thread.is_alive() and not self.broken.is_set():
                thread.join(_IDLE_PAUSE)
        if self.broken.is_set():
            self._give_back()
            raise EngineBroken("A thread of the delivery process ended; the log says of what.")
        self._recorder.stop()
        self._lease.stop()

    @property
    def _is_ending(self) -> bool:
        return self._stopping.is_set() or self.broken.is_set()

    def _break(self, _thread: str, _error: BaseException) -> None:
        self.broken.set()
        self._lease.let_go()

    # -- the feeder ---------------------------------------------------------------------------

    def _keep_feeding(self) -> None:
        while not self._is_ending:
            if not self._feed():
                self._stopping.wait(_IDLE_PAUSE)

    def _feed(self) -> bool:
        """Claim and prepare one batch where there is room; returns whether there was work."""
        if self._breaker.is_open or not self._lease.is_held:
            self._give_back()
            return False
        room = _HELD_PER_CONNECTION * self._connections - len(self._held)
        if self._queue.qsize() > self._connections or room <= 0:
            time.sleep(_FULL_PAUSE)
            return True
        try:
            if self._is_in_doubt:
                self._reconcile()
            worker_id, batch = self._claim(room)
            self._prepare(batch, worker_id)
            return bool(batch)
        except WorkerGone:
            self._lease.doubt()
        except SQLAlchemyError as error:
            # Whether a commit came to pass whose answer was lost is not known: it is asked later.
            self._is_in_doubt = True
            log.error("claim_failed", error=str(error))
            self._stopping.wait(1)
        return False

    def _claim(self, limit: int) -> tuple[int, list[Claimed]]:
        worker_id = self._lease.worker_id
        with self._db.transaction() as session:
            batch = claim(session, worker_id, limit)
        self._held |= {(message.id, worker_id) for message in batch}
        return worker_id, batch

    def _prepare(self, batch: list[Claimed], worker_id: int) -> None:
        if not batch:
            return
        try:
            ready, failed = self._preparer.prepare(self._db, batch)
        except Exception as error:
            if is_outage(error):
                self._release([message.id for message in batch], worker_id)
                raise
            if len(batch) > 1:  # one message must not stop the mail of all others
                for message in batch:
                    self._prepare([message], worker_id)
                return
            log.error("message_not_prepared", exc_info=error)
            failure = Failed(f"It could not be built: {error}")
            ready, failed = [], [Result(batch[0].id, failure, None)]
        for result in failed:
            self._record(result, worker_id)
        for item in ready:
            self._queue.put(_Prepared(item, worker_id))

    def _give_back(self) -> None:
        """Rows that wait here while no server can be reached are due again, at no cost."""
        waiting: dict[int, list[int]] = defaultdict(list)
        while True:
            try:
                prepared = self._queue.get_nowait()
            except queue.Empty:
                break
            waiting[prepared.worker_id].append(prepared.ready.envelope.id)
        for worker_id, ids in waiting.items():
            self._release(ids, worker_id)

    def _release(self, ids: list[int], worker_id: int) -> None:
        """Rows that were claimed under this number and never on the wire."""
        self._held -= {(message_id, worker_id) for message_id in ids}
        try:
            with self._db.transaction() as session:
                release(session, worker_id, ids)
        except SQLAlchemyError as error:
            self._is_in_doubt = True
            log.error("rows_not_released", count=len(ids), error=str(error))

    def _reconcile(self) -> None:
        """Give back what the database counts as ours though we do not hold it."""
        me = self._lease.worker_id
        held = [message_id for message_id, worker_id in list(self._held) if worker_id == me]
        with self._db.transaction() as session:
            count = release_others(session, me, held)
        self._is_in_doubt = False
        if count:
            log.warning("rows_given_back", count=count)

    # -- the connections ----------------------------------------------------------------------

    def _connection(self) -> None:
        transport = self._make_transport()
        current: dict[int, _Prepared] = {}
        self._on_wire.append(current)
        while not self._is_ending:
            for message_id, reply in transport.deliver(self._take(current)):
                sent = current.pop(message_id)
                self._record(Result(message_id, reply, sent.ready.resolved_id), sent.worker_id)
                if isinstance(reply, Deferred) and not reply.costs_attempt:
                    self._breaker.trip()
                else:
                    self._breaker.reset()

    def _record(self, result: Result, worker_id: int) -> None:
        self._recorder.record(result, worker_id)
        self._held.discard((result.message_id, worker_id))

    def _count_on_wire(self) -> int:
        return sum(map(len, self._on_wire))

    def _take(self, current: dict[int, _Prepared]) -> Iterator[Envelope]:
        """Envelopes for one connection; ends when there was nothing for a while."""
        idle_since = time.monotonic()
        while not self._is_ending and time.monotonic() - idle_since < _IDLE_CONNECTION:
            if self._breaker.is_open or not self._lease.is_held:
                time.sleep(0.05)
                continue
            try:
                prepared = self._queue.get(timeout=0.2)
            except queue.Empty:
                continue
            message_id = prepared.ready.envelope.id
            if prepared.worker_id != self._lease.worker_id:  # claimed in an earlier life of ours:
                self._held.discard((message_id, prepared.worker_id))  # others have it now
                continue
            if not self._lease.is_held:  # it was lost while we waited for the queue
                self._queue.put(prepared)
                continue
            current[message_id] = prepared
            yield prepared.ready.envelope
            idle_since = time.monotonic()
