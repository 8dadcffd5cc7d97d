"""For how long messages stay with workers that were killed."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from kartramail.db import Database
from kartramail.outbox.models import Message, Worker
from tests.chaos.crew import Crew

# With the number itself where there is no such worker any more: held by nobody.
_HOLDERS = (
    select(Message.worker_id, Worker.pid)
    .where(col(Message.worker_id).is_not(None))
    .outerjoin(Worker, col(Worker.id) == col(Message.worker_id))
    .distinct()
)


class Undertaker:
    """Looks, in a thread of its own.

    What counts is the time in which somebody could take them up: the database is there, and one
    and the same worker all the while, for a lease before a beat of its is due.
    """

    def __init__(self, url: str, crew: Crew, lease: float) -> None:
        self._db, self._crew, self._lease = Database(url), crew, lease
        self._ending = threading.Event()
        self._living: dict[int, float] = {}  # since when each worker is there
        self._nobodys: dict[int, float] = {}
        self.longest = 0.0
        self._pool = ThreadPoolExecutor(1, "undertaker")

    def __enter__(self) -> "Undertaker":
        self._looking = self._pool.submit(self._run)
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._pool.shutdown()
        self._db.dispose()
        self._looking.result()  # who did not look has seen nothing

    def _run(self) -> None:
        while not self._ending.wait(0.1):
            try:
                self._look(time.monotonic())
            except SQLAlchemyError:  # while the database is away nobody can take anything up
                self._living = {}

    def _look(self, at: float) -> None:
        living = self._crew.registered()
        self._living = {pid: self._living.get(pid, at) for pid in living}
        dead = self._crew.dead
        with self._db.reading() as session:
            holders = session.execute(_HOLDERS).all()
        died = [dead[pid] for _, pid in holders if pid in dead and pid not in living]
        nobodys = [number for number, pid in holders if pid is None]
        self._nobodys = {number: self._nobodys.get(number, at) for number in nobodys}
        if self._living:
            heir_since = min(self._living.values())
            for since in (*died, *self._nobodys.values()):
                # An heir that came later than the lease was over has only its beat to wait for.
                self.longest = max(self.longest, at - max(since, heir_since - self._lease))
