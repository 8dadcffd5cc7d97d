"""A program that hands in messages by API and does not give up: the same Idempotency-Key again.

It tries again where a connection breaks or cannot be made, where no answer comes, and after 5xx.
"""

import http.client
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from kartramail import clock
from tests.benchmarks.letters import LARGE

_TIMEOUT = 20.0
_PAUSE = 0.1
_THREADS = 2


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that was answered 2xx: its recipient, the id that was told, how it went."""

    to: str
    id: str
    tries: int
    last_try_at: datetime


class Client:
    """Hands in so many messages, each when `may_send` of its number says so.

    `accepted` and `refused` (answers that no repeat would change) are to be read when `is_done`.
    """

    def __init__(self, port: int, key: str, count: int, may_send: Callable[[int], bool]) -> None:
        self._port, self._key, self._count, self._may_send = port, key, count, may_send
        self._ending = threading.Event()
        self._under_way: dict[int, int] = {}  # by thread, the message's number
        self.accepted: list[Accepted] = []
        self.refused: list[str] = []
        self.broken = 0  # requests whose connection broke
        self._threads = [
            threading.Thread(target=self._run, args=(range(n, count, _THREADS),))
            for n in range(_THREADS)
        ]

    @property
    def is_asking(self) -> bool:
        """Whether a request is under way."""
        return bool(self._under_way)

    def under_way(self) -> set[str]:
        """The recipients of messages that are handed in now, without an answer yet."""
        return {recipient(number) for number in list(self._under_way.values())}

    @property
    def is_done(self) -> bool:
        """Whether all were answered for good."""
        return len(self.accepted) + len(self.refused) == self._count

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Give up what was not answered."""
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _run(self, numbers: Sequence[int]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT)
        for number in numbers:
            while not self._may_send(number) and not self._ending.wait(0.005):
                pass
            self._hand_in(connection, number)
        connection.close()

    def _hand_in(self, connection: http.client.HTTPConnection, number: int) -> None:
        body, tries = _message(number), 0
        while not self._ending.is_set():
            at, tries = clock.now(), tries + 1
            status, answer = self._ask(connection, number, body)
            if 200 <= status < 300:
                told = json.loads(answer)["id"]
                self.accepted.append(Accepted(recipient(number), told, tries, at))
                return
            if 400 <= status < 500:
                self.refused.append(f"{status} {answer.decode(errors='replace')[:300]}")
                return
            self._ending.wait(_PAUSE)

    def _ask(
        self, connection: http.client.HTTPConnection, number: int, body: bytes
    ) -> tuple[int, bytes]:
        """The status and the body; 0 where no answer came."""
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"chaos-{number}",
        }
        is_sent = False
        self._under_way[threading.get_ident()] = number
        try:
            connection.request("POST", "/api/v1/messages", body, headers)
            is_sent = True
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.broken += is_sent
            connection.close()
            return 0, b""
        finally:
            del self._under_way[threading.get_ident()]


def recipient(number: int) -> str:
    """The address of the message of that number, and of no other one."""
    return f"web{number}@domain{number % 100}.example"


def _message(number: int) -> bytes:
    variables = {"name": f"Person {number}", "number": number}
    words = {"subject": LARGE.subject, "text": LARGE.text, "html": LARGE.html}
    return json.dumps({"to": recipient(number), **words, "variables": variables}).encode()


@contextmanager
def asking(port: int, key: str, count: int, may_send: Callable[[int], bool]) -> Iterator[Client]:
    """A client at work until the block ends."""
    client = Client(port, key, count, may_send)
    client.start()
    try:
        yield client
    finally:
        client.end()
