"""The engine of one delivery process: one loop that builds, signs and sends over all connections.

the loop (the caller's thread)   builds and signs messages, carries them over the connections
feeder                           claims rows and loads what they need, into a short stock
recorder                         commits results together; no connection goes on before
lease                            heartbeat; takes up what dead workers held

One loop and not a thread for each connection: handing the interpreter from thread to thread at
each step of each conversation cost more than all the work. None of them may end by itself: where
one does, the engine is broken and `run` raises, so that the process ends and whoever keeps it
starts it again.
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import islice

import structlog

from kartramail.adapters.transport import LOCAL, Settled, Transport
from kartramail.clock import now
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.delivery.breaker import Breaker
from kartramail.delivery.destinations import Destinations
from kartramail.delivery.feeder import Feeder
from kartramail.delivery.lease import Lease
from kartramail.delivery.loading import Loaded, Loader
from kartramail.delivery.prepare import Preparer, Ready
from kartramail.delivery.recorder import Recorder, Waiting
from kartramail.delivery.under_way import UnderWay
from kartramail.errors import KartraMailError
from kartramail.messages.compose import Composer
from kartramail.outbox.claims import Claimer
from kartramail.outbox.destinations import load_closed, note_destinations
from kartramail.outbox.results import Result
from kartramail.rules.replies import Deferred

log = structlog.get_logger()

_IDLE_PAUSE = 0.05
_RESULTS_PAUSE = 0.001  # while some wait to be committed
_LOOKED_AT = 200  # rows of closed domains in one go
_BUILT_AT_ONCE = 16  # messages at most; then answers are looked for
_LONG_BUILD = 0.05  # seconds: templates that take so long are built fewer at once
# Seconds at most that a result waits for those of other connections, to be committed with them.
# One message alone is committed at once.
_GATHERED_FOR = 0.025
_OWED_FOR = timedelta(seconds=5)  # then it is looked for again whether an answer has come


class EngineBroken(KartraMailError):
    """A thread of the engine ended by itself: nothing more can be delivered by this process."""


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
        self._stopping = stopping
        self._make_transport = make_transport
        self._transport: Transport | None = None
        self._destinations = Destinations(settings.worker_connections)
        self._under_way = UnderWay(self._destinations)
        self._lease = Lease(
            db,
            settings.worker_lease,
            self._break,
            self._share_destinations,
            lambda: self._feeder.held,
        )
        self._breaker = Breaker()
        composer = Composer()
        self._preparer = Preparer(settings, composer)
        self._recorder = Recorder(
            db, on_written=self._wake, on_lost=self._lease.doubt, on_failure=self._break
        )
        self._feeder = Feeder(
            db,
            Loader(settings, composer),
            self._lease,
            self._breaker,
            Claimer(has_limits=settings.has_sending_limits),
            connections=settings.worker_connections,
            on_failed=self._record_failed,
            on_more=self._wake,
            on_failure=self._break,
        )
        self._at_once = _BUILT_AT_ONCE
        self._results: list[Waiting] = []  # not handed to the recorder yet
        self._results_since = 0.0
        self._worker_id = 0

    def run(self) -> None:
        """Deliver; returns after `stopping` was set and what was on the wire is settled.

        Raises EngineBroken when one of the threads ended by itself; what was on the wire then is
        taken up by others.
        """
        self._lease.start()
        try:
            self._transport = transport = self._make_transport()
            self._worker_id = self._lease.worker_id
            self._recorder.start()
            self._feeder.start()
            self._keep_sending(transport)
        except Exception as error:
            log.critical("thread_ended", thread="loop", exc_info=error)
            self._break("loop", error)
        if self.broken.is_set():
            self._feeder.stop()
            raise EngineBroken("A thread of the delivery process ended; the log says of what.")
        self._feeder.stop()
        transport.close()
        self._recorder.stop()
        self._lease.stop()

    def _break(self, _thread: str, _error: BaseException) -> None:
        self.broken.set()
        self._lease.let_go()
        self._wake()

    def _wake(self) -> None:
        if self._transport is not None:
            self._transport.wake()

    # -- the loop -----------------------------------------------------------------------------

    def _keep_sending(self, transport: Transport) -> None:
        is_idle = False
        while not self.broken.is_set():
            pause = 0.0
            if is_idle:
                pause = _RESULTS_PAUSE if self._results else _IDLE_PAUSE
            for settled in transport.work(pause):
                self._note(settled)
            self._under_way.excuse(transport.take_held_up())
            self._hand_in(transport, is_idle=is_idle)
            for written in self._recorder.take_written():
                transport.confirm(written.result.message_id)
                self._feeder.end(written.result.message_id, written.worker_id)
            if not self._stopping.is_set():
                is_idle = not self._go_on(transport)
            elif self._has_ended(transport):
                return
            else:
                is_idle = True

    def _go_on(self, transport: Transport) -> bool:
        """Send what may be sent; whether there is more that could be built now."""
        is_held = self._lease.is_held  # looked at first: a new life may begin at any moment
        if self._lease.worker_id != self._worker_id:
            self._leave_to_others(transport)
        if not is_held:
            return False
        if self._breaker.is_open:
            self._take_back(transport)
        transport.go_on()  # first, so that servers have something to do while more is built
        if self._breaker.is_open:
            return False
        wanted = min(transport.room, self._at_once)
        batch = list(islice(iter(self._take, None), wanted))
        self._send(transport, batch)
        return 0 < wanted == len(batch)

    def _has_ended(self, transport: Transport) -> bool:
        """Finish what is on the wire, and nothing else.

        That may take minutes, so others have at once what was claimed and is not on it.
        """
        self._feeder.claim_no_more()
        self._take_back(transport)
        if self._lease.is_held and self._lease.worker_id == self._worker_id:
            transport.go_on()
        else:
            self._leave_to_others(transport)
        return not (transport.is_busy or self._results) and self._recorder.is_free

    def _take(self) -> Loaded | None:
        """The row that goes next and whose recipient domain takes one more now."""
        for _ in range(_LOOKED_AT):
            loaded = self._feeder.take()
            if loaded is None:
                return None
            message = loaded.message
            if (
                message.id in self._under_way
            ):  # claimed again, with its answer of an earlier life due
                self._feeder.put_off(message.id, loaded.worker_id, now() + _OWED_FOR)
                continue
            if self._destinations.admit(message.to_domain):
                return loaded
            due = self._destinations.next_slot(message.to_domain, message.stream)
            self._feeder.put_off(message.id, loaded.worker_id, due)
        return None

    def _send(self, transport: Transport, batch: Sequence[Loaded]) -> None:
        at = time.monotonic()
        built = self._preparer.build(self._db, batch)
        is_long = time.monotonic() - at > _LONG_BUILD
        self._at_once = (
            max(1, self._at_once // 2) if is_long else min(_BUILT_AT_ONCE, self._at_once * 2)
        )
        envelopes = []
        for loaded, ready in zip(batch, built, strict=True):
            message = loaded.message
            if isinstance(ready, Ready):
                self._under_way.add(message, loaded.worker_id, ready.resolved_id, at)
                is_quick = self._destinations.is_quick(message.to_domain)
                envelopes.append(
                    ready.envelope if is_quick else ready.envelope._replace(is_alone=True)
                )
                continue
            self._destinations.withdraw(message.to_domain)
            if ready is None:
                self._feeder.give_back(message.id, loaded.worker_id)
            else:
                self._record(ready, loaded.worker_id)
        transport.send(envelopes)

    def _note(self, settled: Settled) -> None:
        reply = settled.reply
        sent = self._under_way.settle(settled)
        if reply.server != LOCAL:  # what we refused ourselves says nothing of any server
            if isinstance(reply, Deferred) and not reply.costs_attempt:
                self._breaker.trip()
            else:
                self._breaker.reset()
        self._record(Result(settled.id, reply, sent.resolved_id), sent.worker_id)

    # -- results ------------------------------------------------------------------------------

    def _record(self, result: Result, worker_id: int) -> None:
        if not self._results:
            self._results_since = time.monotonic()
        self._results.append(Waiting(result, worker_id))

    def _record_failed(self, result: Result, worker_id: int) -> None:
        """By the feeder: no connection waits for it."""
        self._recorder.record([Waiting(result, worker_id)])

    def _hand_in(self, transport: Transport, *, is_idle: bool) -> None:
        """Have results committed, as many together as come in a moment.

        While there is something to build they wait for those that it will bring, where there is a
        place that may bring any; when there is not, only for answers that are about to come. A
        server that takes its time does not keep the results of others.
        """
        if not self._results or not self._recorder.is_free:
            return
        is_young = time.monotonic() - self._results_since < _GATHERED_FOR
        if is_young and (transport.is_about_to_settle if is_idle else transport.may_settle_more):
            return
        batch, self._results = self._results, []
        self._recorder.record(batch)

    # -- what does not leave ------------------------------------------------------------------

    def _take_back(self, transport: Transport) -> None:
        for message_id in transport.withdraw():
            self._feeder.give_back(message_id, self._under_way.withdraw(message_id))

    def _leave_to_others(self, transport: Transport) -> None:
        """We were declared dead: what was claimed in that life is others' now."""
        lost = self._under_way.claimed_before(self._lease.worker_id)
        for message_id in transport.abandon(lost):
            self._feeder.forget(message_id, self._under_way.withdraw(message_id))
        self._worker_id = self._lease.worker_id

    def _share_destinations(self) -> None:
        """Tell other processes which domains are slow or closed, and learn it from them."""
        with self._db.transaction() as session:
            note_destinations(session, self._destinations.notes())
            found = load_closed(session, now())
        self._destinations.learn(found)
