"""Several SMTP connections in one thread: messages in, what became of them out (R-OUTBOX).

The gate: a connection sends the final dot of its next message only after `confirm` was called for
the result of its last one. What may go out twice is so at most one message a connection.

Only making a connection takes a thread, as TLS and sign-in are a conversation of their own.
"""

import contextlib
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Collection, Iterable
from typing import NamedTuple, Self

from kartramail.adapters.envelopes import Envelope, refuse_locally
from kartramail.adapters.smtp_connection import QUIT_TIMEOUT, Connection
from kartramail.adapters.smtp_conversation import Conversation
from kartramail.adapters.smtp_handshake import NotConnected
from kartramail.adapters.smtp_message import OutgoingMessage
from kartramail.adapters.smtp_settings import SmtpSettings
from kartramail.adapters.smtp_slot import Slot
from kartramail.rules.replies import Deferred, Reply, Stage

_LOOK_EVERY = 0.05  # seconds between two looks at the time
_IDLE_CONNECTION = 20.0
_MOMENT = 0.01  # seconds: what an answer takes that is worth waiting for before others are kept


class Settled(NamedTuple):
    """What became of a message; the server took `seconds` for its answers."""

    id: int
    reply: Reply
    seconds: float


class Courier:
    """Carries messages over up to `connections` connections. One thread calls; any may `wake`."""

    def __init__(self, settings: SmtpSettings, connections: int) -> None:
        self._settings = settings
        self._slots = [Slot() for _ in range(connections)]
        # Of messages whose results are not durable yet. One that others gave back to us may be
        # settled again before its result of then is written down.
        self._slots_of: dict[int, list[Slot]] = {}
        self._waiting: deque[OutgoingMessage] = deque()  # for another connection
        self._settled: list[Settled] = []
        self._held_up: list[int] = []
        self._made: deque[tuple[Slot, Connection | BaseException]] = deque()
        self._farewells: list[threading.Thread] = []
        self._selector = selectors.DefaultSelector()
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._ear.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ, None)
        self._looked_at = time.monotonic()
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- what the owner does ------------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        """Whether a message is under way, or waits to be."""
        return bool(self._waiting) or any(slot.is_busy for slot in self._slots)

    @property
    def may_settle_more(self) -> bool:
        """Whether there is a place whose next result does not wait for what is not durable yet."""
        at = time.monotonic()
        return any(slot.may_settle(at) for slot in self._slots)

    @property
    def is_about_to_settle(self) -> bool:
        """Whether a final dot was sent a moment ago, so that its answer may come in the next."""
        soon = time.monotonic() - _MOMENT
        return any(slot.was_finished_since(soon) for slot in self._slots)

    @property
    def room(self) -> int:
        """How many more messages to hand over now."""
        if self._waiting:
            return 0
        at = time.monotonic()
        return sum(slot.has_room(at) for slot in self._slots)

    def send(self, envelopes: Iterable[Envelope]) -> None:
        """Hand over messages, as many as there is `room` for."""
        for envelope in envelopes:
            refusal = refuse_locally(envelope)
            if refusal is None:
                self._waiting.append(OutgoingMessage.of(envelope))
            else:
                self._settled.append(Settled(envelope.id, refusal, 0.0))
        self._distribute(finishes=True)

    def _distribute(self, *, finishes: bool) -> None:
        """Give what waits its places, the best ones first.

        First those whose next dot may go, so that the message after it is announced along with it;
        then idle ones, new ones, and at last the others.
        """
        if not self._waiting:
            return
        at = time.monotonic()
        free = sorted((slot for slot in self._slots if slot.has_room(at)), key=_rank)
        for slot in free[: len(self._waiting)]:
            slot.following = self._waiting.popleft()
            self._move(slot, finishes=finishes)

    def take_held_up(self) -> list[int]:
        """Messages that were announced behind one whose answer takes long: it is not about them.

        Each is said again, every twentieth of a second, as long as it is so.
        """
        held_up, self._held_up = self._held_up, []
        return held_up

    def confirm(self, message_id: int) -> None:
        """The result of this message is durable: of several, the oldest."""
        slots = self._slots_of.get(message_id)
        if slots is None:
            return
        slots.pop(0).unconfirmed -= 1
        if not slots:
            del self._slots_of[message_id]

    def go_on(self) -> None:
        """Send the final dots that may go, and announce what follows."""
        for slot in self._slots:
            if slot.may_finish or slot.may_open:
                self._move(slot, finishes=True)

    def wake(self) -> None:
        """End the `work` that waits now, or the next one. For other threads."""
        with contextlib.suppress(OSError):
            self._bell.send(b"!")

    def work(self, seconds: float) -> list[Settled]:
        """Read and write what can be now, waiting for it up to `seconds`; what was settled.

        No final dot is sent by this: whether a message is still ours is the owner's to know.
        """
        if self._settled:
            seconds = 0.0
        for key, events in self._selector.select(min(seconds, _LOOK_EVERY)):
            if key.data is None:
                self._hear_bell()
            else:
                self._serve(key.data, events)
        while self._made:
            self._take_in(*self._made.popleft())
        at = time.monotonic()
        if at - self._looked_at >= _LOOK_EVERY:
            self._look_at_time(at)
        self._distribute(finishes=False)
        settled, self._settled = self._settled, []
        return settled

    def withdraw(self) -> list[int]:
        """Take back what no server has heard of."""
        taken = [message.id for message in self._waiting]
        self._waiting.clear()
        for slot in self._slots:
            if slot.following is not None:
                taken.append(slot.following.id)
                slot.following = None
        return taken

    def abandon(self, ids: Collection[int]) -> list[int]:
        """These are no longer ours: send nothing more of them; those that are dropped by that.

        What was sent whole already is settled in its time.
        """
        dropped = [message.id for message in self._waiting if message.id in ids]
        self._waiting = deque(m for m in self._waiting if m.id not in ids)
        for slot in self._slots:
            if slot.following is not None and slot.following.id in ids:
                dropped.append(slot.following.id)
                slot.following = None
            if slot.connection is None:
                continue
            conversation = slot.connection.conversation
            if conversation.opening is not None and conversation.opening.id in ids:
                dropped.append(conversation.opening.id)
                conversation.drop_opening()
                slot.is_condemned = True
                self._end_condemned(slot)
        return dropped

    def close(self) -> None:
        """Say goodbye to all servers. What is under way is left."""
        self._is_closed = True
        for slot in self._slots:
            if slot.connection is not None:
                self._part(slot)
        end = time.monotonic() + QUIT_TIMEOUT
        for thread in self._farewells:
            thread.join(max(0.0, end - time.monotonic()))
        self._selector.close()
        self._bell.close()
        self._ear.close()

    # -- one connection -----------------------------------------------------------------------

    def _move(self, slot: Slot, *, finishes: bool) -> None:
        """Do all that can be done here now; `finishes`: the owner lets final dots go."""
        connection = slot.connection
        if connection is None:
            if slot.following is not None and not slot.is_connecting:
                self._connect(slot)
            return
        if finishes and slot.may_finish:
            connection.conversation.finish(time.monotonic())
        if slot.may_open:
            if not slot.needs_new_connection:
                message, slot.following = slot.following, None
                if message is not None:
                    connection.send(message)
            elif connection.is_idle:
                self._part(slot)
                self._connect(slot)
                return
        self._write(slot, connection)
        self._collect(slot, connection)

    def _write(self, slot: Slot, connection: Connection) -> None:
        was_full = connection.has_unwritten
        connection.flush()
        if connection.has_unwritten != was_full:
            self._watch(slot, connection)

    def _watch(self, slot: Slot, connection: Connection) -> None:
        events = selectors.EVENT_READ
        if connection.has_unwritten:
            events |= selectors.EVENT_WRITE
        self._selector.modify(connection, events, slot)

    def _serve(self, slot: Slot, events: int) -> None:
        connection = slot.connection
        if connection is None:
            return
        if events & selectors.EVENT_READ:
            connection.receive()
        self._collect(slot, connection)
        if slot.connection is connection and connection.has_output:
            self._write(slot, connection)  # what it was asked for, and what did not fit before
            self._collect(slot, connection)

    def _collect(self, slot: Slot, connection: Connection) -> None:
        """Take what the conversation has settled; hang up where it is over."""
        conversation = connection.conversation
        if not (conversation.has_news or slot.is_condemned):
            return
        if conversation.over is not None:
            self._selector.unregister(connection)
            slot.connection = None
            connection.hang_up()
        for message, reply in conversation.settled:
            self._settle(slot, message, reply)
        conversation.settled.clear()
        for message in conversation.unsent:
            if conversation.count > 1:
                self._put_first(slot, message)
            else:
                self._settle(slot, message, self._never_worked(conversation))
        conversation.unsent.clear()
        if slot.is_condemned:
            self._end_condemned(slot)
        elif slot.connection is None and slot.following is not None:
            self._connect(slot)

    def _never_worked(self, conversation: Conversation) -> Deferred:
        """A new connection that ends before MAIL FROM is none: the next would end as well, at once
        and for ever. It is free, as where none can be made, and whoever owns this waits a moment.
        """
        return Deferred(Stage.EHLO, None, conversation.over or "", self._settings.server)

    def _put_first(self, slot: Slot, message: OutgoingMessage) -> None:
        """It goes over the next connection here, and before what would have followed it."""
        if slot.following is not None:
            self._waiting.appendleft(slot.following)
        slot.following = message

    def _settle(self, slot: Slot, message: OutgoingMessage, reply: Reply) -> None:
        slot.unconfirmed += 1
        self._slots_of.setdefault(message.id, []).append(slot)
        self._settled.append(Settled(message.id, reply, message.seconds))

    def _end_condemned(self, slot: Slot) -> None:
        """Hang up as soon as nothing is in doubt here, and drop what was announced."""
        connection = slot.connection
        if connection is not None:
            conversation = connection.conversation
            if conversation.closing is not None:
                return
            self._selector.unregister(connection)
            slot.connection = None
            connection.hang_up()
        slot.is_condemned = False

    # -- making and ending connections --------------------------------------------------------

    def _connect(self, slot: Slot) -> None:
        slot.is_connecting = True
        threading.Thread(target=self._make, args=(slot,), name="smtp-connect", daemon=True).start()

    def _make(self, slot: Slot) -> None:
        """In a thread of its own."""
        connection = Connection(self._settings)
        made: Connection | BaseException = connection
        try:
            connection.__enter__()
        except BaseException as error:
            made = error
        if self._is_closed:
            connection.__exit__()
            return
        self._made.append((slot, made))
        self.wake()

    def _take_in(self, slot: Slot, made: Connection | BaseException) -> None:
        slot.is_connecting = False
        if isinstance(made, Connection):
            slot.connection = made
            self._selector.register(made, selectors.EVENT_READ, slot)
            self._move(slot, finishes=False)
        elif isinstance(made, NotConnected):
            message, slot.following = slot.following, None
            if message is not None:
                self._settle(slot, message, made.reply)
        else:
            raise made

    def _part(self, slot: Slot) -> None:
        """Say goodbye in a thread of its own, as the server may take its time."""
        connection, slot.connection = slot.connection, None
        if connection is None:
            return
        self._selector.unregister(connection)
        thread = threading.Thread(target=connection.__exit__, name="smtp-quit", daemon=True)
        thread.start()
        self._farewells = [each for each in self._farewells if each.is_alive()]
        self._farewells.append(thread)

    # -- time ---------------------------------------------------------------------------------

    def _look_at_time(self, at: float) -> None:
        self._looked_at = at
        self._held_up = [opening.id for slot in self._slots if (opening := slot.held_up(at))]
        for slot in self._slots:
            connection = slot.connection
            if connection is None:
                continue
            connection.check_time(at)
            if slot.following is not None and slot.is_held_up(at):
                self._waiting.append(slot.following)  # it need not wait for a slow one
                slot.following = None
            if connection.conversation.over is not None:
                self._collect(slot, connection)
            elif (
                slot.following is None
                and connection.is_idle
                and at - connection.used_at > _IDLE_CONNECTION
            ):
                self._part(slot)

    def _hear_bell(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._ear.recv(4096)


def _rank(slot: Slot) -> int:
    if slot.may_finish:
        return 0
    if slot.connection is None:
        return 2
    return 1 if slot.connection.is_idle else 3
