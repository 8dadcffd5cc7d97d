"""The thread that keeps the stock of one process filled, and gives rows back."""

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from kartramail.db import Database
from kartramail.delivery.breaker import Breaker
from kartramail.delivery.lease import Lease
from kartramail.delivery.loading import Loaded, Loader
from kartramail.delivery.outages import is_outage
from kartramail.delivery.stock import Stock
from kartramail.delivery.threads import OnFailure, guarded_thread
from kartramail.outbox.claims import Claimed, Claimer, WorkerGone
from kartramail.outbox.releases import postpone, release, release_others
from kartramail.outbox.results import Failed, Result

log = structlog.get_logger()

_IDLE_PAUSE = 0.25
_LEAST_HELD = 5  # rows for each connection
_MOST_HELD = 500
_MOST_CLAIMED = 400  # in one transaction
_LOW = 4  # a quarter is left: more is claimed, as much as makes the claim worth its cost
_HELD_FOR = 0.3  # seconds: what leaves in this time is held
_PUT_OFF_EVERY = 0.3  # seconds: not for each row by itself does everybody wait for a commit
_MEASURED_OVER = 0.05  # seconds at least: two answers that come together are no rate


class Feeder:
    """Claims rows, loads what they need, and puts them into `stock`.

    It holds what leaves in a moment, and never more than some hundred rows: what is held when a
    process is killed counts as a death of each, and what was claimed cannot be overtaken.
    `on_failed` takes the results of rows that cannot be sent at all, `on_more` is told that there
    is something new.
    """

    def __init__(
        self,
        db: Database,
        loader: Loader,
        lease: Lease,
        breaker: Breaker,
        claimer: Claimer,
        *,
        connections: int,
        on_failed: Callable[[Result, int], None],
        on_more: Callable[[], None],
        on_failure: OnFailure,
    ) -> None:
        self.stock = Stock()
        self._db = db
        self._loader = loader
        self._lease = lease
        self._breaker = breaker
        self._claimer = claimer
        self._on_failed = on_failed
        self._on_more = on_more
        self._least = _LEAST_HELD * connections
        self._most = self._least
        self._held: set[tuple[int, int]] = set()  # message, and the number it was claimed under
        self._unused: deque[tuple[int, int]] = deque()  # to be given back
        self._put_off: deque[tuple[int, int, datetime]] = deque()  # and not before then
        self._put_off_at = 0.0  # when rows were last put off
        self._is_in_doubt = False  # whether the database may count rows as ours we do not hold
        self._is_needed = threading.Event()
        self._is_closing = False  # what is on the wire is finished, and nothing else
        self._ending = threading.Event()
        self._left = 0  # rows whose result became durable since the rate was last measured
        self._measured_at = time.monotonic()
        self._thread = guarded_thread("feeder", self._run, on_failure)

    def start(self) -> None:
        """Begin to claim."""
        self._thread.start()

    def claim_no_more(self) -> None:
        """Give back what waits here, now, and what is given back from now on."""
        self._is_closing = True
        self._is_needed.set()

    def stop(self) -> None:
        """Claim no more, give back what waits here. The rest is given back by signing off."""
        self._ending.set()
        self._is_needed.set()
        if self._thread.ident is not None:
            self._thread.join()

    def take(self) -> Loaded | None:
        """The row that goes next; what was claimed in an earlier life of ours is others' now."""
        while (loaded := self.stock.take()) is not None:
            if len(self.stock) == self._most // _LOW:
                self._is_needed.set()
            if loaded.worker_id == self._lease.worker_id:
                if not self.stock:
                    self._is_needed.set()
                return loaded
            self.forget(loaded.message.id, loaded.worker_id)
        return None

    def end(self, message_id: int, worker_id: int) -> None:
        """Its result is durable."""
        self._left += 1
        self.forget(message_id, worker_id)

    def forget(self, message_id: int, worker_id: int) -> None:
        """It is not held any more: others have it."""
        self._held.discard((message_id, worker_id))

    def give_back(self, message_id: int, worker_id: int) -> None:
        """It was taken, and never on the wire."""
        self._unused.append((message_id, worker_id))
        self._is_needed.set()

    @property
    def held(self) -> int:
        """How many messages this process has in its hands."""
        return len(self._held)

    def put_off(self, message_id: int, worker_id: int, due: datetime) -> None:
        """It was taken, and its recipient domain takes nothing before then."""
        self._put_off.append((message_id, worker_id, due))

    # -- the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._ending.is_set():
                if not self._feed():
                    self._is_needed.wait(_IDLE_PAUSE)
                    self._is_needed.clear()
        finally:
            self._give_back_stock()

    def _feed(self) -> bool:
        """Claim and load one batch where there is room; returns whether there may be more work."""
        if self._is_closing or self._breaker.is_open or not self._lease.is_held:
            self._give_back_stock()
            self._ending.wait(_IDLE_PAUSE)
            return False
        self._release_unused()
        room = self._most - len(self._held)
        if len(self.stock) > self._most // _LOW or room < max(1, self._least // 5):
            self._is_needed.wait(0.02)
            self._is_needed.clear()
            return True
        try:
            if self._is_in_doubt:
                self._reconcile()
            worker_id, batch = self._claim(min(room, _MOST_CLAIMED))
            self._load(batch, worker_id)
            return bool(batch)
        except WorkerGone:
            self._lease.doubt()
        except SQLAlchemyError as error:
            # Whether a commit came to pass whose answer was lost is not known: it is asked later.
            self._is_in_doubt = True
            log.error("claim_failed", error=str(error))
            self._ending.wait(1)
        return False

    def _claim(self, limit: int) -> tuple[int, list[Claimed]]:
        worker_id = self._lease.worker_id
        with self._db.transaction() as session:
            batch = self._claimer.claim(session, worker_id, limit)
        self._held |= {(message.id, worker_id) for message in batch}
        self._adapt()
        return worker_id, batch

    def _adapt(self) -> None:
        """Hold what leaves in a moment. What was taken and put off again has not left."""
        at = time.monotonic()
        seconds = at - self._measured_at
        if seconds >= _MEASURED_OVER:
            wanted = int(self._left / seconds * _HELD_FOR)
            self._most = max(self._least, min((self._most + wanted) // 2, _MOST_HELD))
            self._left, self._measured_at = 0, at

    def _load(self, batch: list[Claimed], worker_id: int) -> None:
        if not batch:
            return
        try:
            loaded = self._loader.load(self._db, batch, worker_id)
        except Exception as error:
            if is_outage(error):
                self._release([message.id for message in batch], worker_id)
                raise
            if len(batch) > 1:  # one message must not stop the mail of all others
                self._load_one_by_one(batch, worker_id)
                return
            log.error("message_not_prepared", exc_info=error)
            failure = Failed(f"It could not be built: {error}")
            self._on_failed(Result(batch[0].id, failure, None), worker_id)
        else:
            self.stock.put(loaded)
            self._on_more()

    def _load_one_by_one(self, batch: list[Claimed], worker_id: int) -> None:
        for number, message in enumerate(batch, 1):
            try:
                self._load([message], worker_id)
            except Exception:  # an outage: those that follow are held by nobody here
                self._release([one.id for one in batch[number:]], worker_id)
                raise

    # -- giving back --------------------------------------------------------------------------

    def _give_back_stock(self) -> None:
        """Rows that wait here while no server can be reached are due again, at no cost."""
        while (loaded := self.stock.take()) is not None:
            self._unused.append((loaded.message.id, loaded.worker_id))
        self._release_unused()
        self._postpone()

    def _release_unused(self) -> None:
        waiting: dict[int, list[int]] = defaultdict(list)
        while self._unused:
            message_id, worker_id = self._unused.popleft()
            waiting[worker_id].append(message_id)
        for worker_id, ids in waiting.items():
            self._release(ids, worker_id)
        is_time = time.monotonic() - self._put_off_at >= _PUT_OFF_EVERY
        if is_time or len(self._put_off) >= max(1, self._most // 4):  # they take up room
            self._postpone()

    def _postpone(self) -> None:
        self._put_off_at = time.monotonic()
        later: dict[int, dict[int, datetime]] = defaultdict(dict)
        while self._put_off:
            message_id, worker_id, due = self._put_off.popleft()
            later[worker_id][message_id] = due
        for worker_id, dues in later.items():
            self._release(list(dues), worker_id, dues)

    def _release(
        self, ids: list[int], worker_id: int, due: Mapping[int, datetime] | None = None
    ) -> None:
        """Rows that were claimed under this number and never on the wire."""
        self._held -= {(message_id, worker_id) for message_id in ids}
        try:
            with self._db.transaction() as session:
                if due is None:
                    release(session, worker_id, ids)
                else:
                    postpone(session, worker_id, due)
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
