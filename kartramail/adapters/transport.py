"""Delivery by Flask-Mail over SMTP (R-TRANSPORT, R-OUTBOX): what the engine asks of a transport.

Messages are handed over by `send`, where there is `room`; what became of them comes out of `work`.
A connection gives away its next message only after `confirm`: the result of the last is durable.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Protocol

from kartramail.adapters.envelopes import LOCAL, Envelope, refuse_locally
from kartramail.adapters.smtp_courier import Courier, Settled
from kartramail.adapters.smtp_settings import SmtpSettings, Tls
from kartramail.rules.replies import Accepted, Deferred, Refused, Reply

__all__ = [
    "LOCAL",
    "Courier",
    "Envelope",
    "FakeTransport",
    "Settled",
    "SmtpSettings",
    "SmtpTransport",
    "Tls",
    "Transport",
    "deliver",
    "refuse_locally",
]


class Transport(Protocol):
    """What delivers: `Courier` over SMTP, or a fake in a test. One thread calls all but `wake`."""

    @property
    def is_busy(self) -> bool:
        """Whether a message is under way, or waits to be."""

    @property
    def may_settle_more(self) -> bool:
        """Whether there is a place whose next result does not wait for what is not durable yet."""

    @property
    def is_about_to_settle(self) -> bool:
        """Whether a final dot was sent a moment ago, so that its answer may come in the next."""

    @property
    def room(self) -> int:
        """How many more messages to hand over now."""

    def send(self, envelopes: Iterable[Envelope]) -> None:
        """Hand over messages, as many as there is `room` for."""

    def take_held_up(self) -> list[int]:
        """Messages that wait behind one whose answer takes long: it is not about them."""

    def confirm(self, message_id: int) -> None:
        """The result of this message is durable."""

    def go_on(self) -> None:
        """Send the final dots that may go, and announce what follows."""

    def work(self, seconds: float) -> list[Settled]:
        """Read and write, for up to `seconds`; what was settled. It may be nothing, and early."""

    def wake(self) -> None:
        """End the `work` that waits now, or the next one."""

    def withdraw(self) -> list[int]:
        """Take back what no server has heard of."""

    def abandon(self, ids: Collection[int]) -> list[int]:
        """These are others' now: send nothing more of them; those that are dropped by that."""

    def close(self) -> None:
        """Part from all servers."""


def deliver(transport: Transport, envelopes: Iterable[Envelope]) -> Iterator[tuple[int, Reply]]:
    """Send one after the other, and give `(id, reply)` for each.

    The next envelope is taken, and its message sent, only when the next reply is asked for. When
    the server cannot be reached the stream ends: the envelopes that follow were not taken. Raises
    nothing for what a server does.
    """
    try:
        for envelope in envelopes:
            transport.send([envelope])
            while not (settled := transport.work(60)):
                transport.go_on()
            reply = settled[0].reply
            yield envelope.id, reply
            transport.confirm(envelope.id)
            if isinstance(reply, Deferred) and not reply.costs_attempt:
                return
    finally:
        transport.close()


class SmtpTransport:
    """Hands messages to one SMTP server one by one. May be shared by threads."""

    def __init__(self, settings: SmtpSettings) -> None:
        self.settings = settings

    def deliver(self, envelopes: Iterable[Envelope]) -> Iterator[tuple[int, Reply]]:
        """One reply for each envelope, over a connection of this stream's own; see `deliver`."""
        return deliver(Courier(self.settings, 1), envelopes)


class FakeTransport:
    """A transport for tests: answers as told and keeps in `sent` what it was given.

    `answer` makes the reply to an envelope; without it everything is accepted. It refuses locally
    as the real one does.
    """

    def __init__(self, answer: Callable[[Envelope], Reply] | None = None) -> None:
        self.sent: list[Envelope] = []
        self.is_about_to_settle = self.may_settle_more = False
        self.room = 1
        self._settled: list[Settled] = []
        self._answer = answer or (lambda _: Accepted(250, "2.0.0 Ok", "fake:25"))
        self._bell = threading.Event()

    @property
    def is_busy(self) -> bool:
        """Whether there are answers that nobody has asked for yet."""
        return bool(self._settled)

    def send(self, envelopes: Iterable[Envelope]) -> None:
        """Answer at once."""
        for envelope in envelopes:
            reply = refuse_locally(envelope) or self._answer(envelope)
            if not (isinstance(reply, Refused) and reply.server == LOCAL):
                self.sent.append(envelope)
            self._settled.append(Settled(envelope.id, reply, 0.0))

    def take_held_up(self) -> list[int]:
        """None."""
        return []

    def confirm(self, message_id: int) -> None:
        """Nothing waits for it."""

    def go_on(self) -> None:
        """Nothing waits."""

    def work(self, seconds: float) -> list[Settled]:
        """What was answered."""
        if not self._settled:
            self._bell.wait(min(seconds, 0.05))
            self._bell.clear()
        settled, self._settled = self._settled, []
        return settled

    def wake(self) -> None:
        """End a `work` that waits."""
        self._bell.set()

    def withdraw(self) -> list[int]:
        """Nothing is left."""
        return []

    def abandon(self, ids: Collection[int]) -> list[int]:
        """Nothing is left."""
        return []

    def close(self) -> None:
        """Nothing is open."""
