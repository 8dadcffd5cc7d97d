"""The messages that the transport has, and what their answers say of their recipient domains."""

from collections.abc import Sequence
from typing import NamedTuple

from kartramail.adapters.transport import LOCAL, Settled
from kartramail.delivery.destinations import Destinations
from kartramail.outbox.claims import Claimed


class Sent(NamedTuple):
    """A message that the transport has: the number of its claim, and the sender it leaves as."""

    worker_id: int
    resolved_id: int
    domain: str
    since: float  # of the monotonic clock
    is_excused: bool = False  # it waits behind a message of another domain


class UnderWay:
    """By message. Each was admitted by its domain, and is settled or withdrawn there as well."""

    def __init__(self, destinations: Destinations) -> None:
        self._destinations = destinations
        self._sent: dict[int, Sent] = {}

    def __contains__(self, message_id: int) -> bool:
        return message_id in self._sent

    def add(self, message: Claimed, worker_id: int, resolved_id: int, at: float) -> None:
        """It is handed to the transport now, `at` on the monotonic clock."""
        self._sent[message.id] = Sent(worker_id, resolved_id, message.to_domain, at)

    def settle(self, settled: Settled) -> Sent:
        """It has its answer, of which its domain learns; one of our own says nothing of it."""
        sent = self._sent.pop(settled.id)
        if settled.reply.server != LOCAL:
            self._destinations.settle(
                sent.domain, settled.seconds, settled.reply, is_excused=sent.is_excused
            )
        elif not sent.is_excused:
            self._destinations.withdraw(sent.domain)
        return sent

    def withdraw(self, message_id: int) -> int:
        """No server has heard of it. Returns the number of its claim."""
        sent = self._sent.pop(message_id)
        if not sent.is_excused:
            self._destinations.withdraw(sent.domain)
        return sent.worker_id

    def excuse(self, held_up: Sequence[int]) -> None:
        """What waits behind the message of another domain says nothing of its own."""
        for message_id in held_up:
            sent = self._sent.get(message_id)
            if sent is not None and not sent.is_excused:
                self._destinations.excuse(sent.domain, sent.since)
                self._sent[message_id] = sent._replace(is_excused=True)

    def claimed_before(self, worker_id: int) -> set[int]:
        """Those that were claimed under another number than this one of ours."""
        return {number for number, sent in self._sent.items() if sent.worker_id != worker_id}
