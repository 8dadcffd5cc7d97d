"""A bounded memory of answers, that forgets the least recently used first and respects TTL.

Complete answers are kept for their TTL, a found one at most a day, an absent one at most three
hours (RFC 2308 §5). A failure is kept for five seconds, by name and type: long enough that typing
on in a form does not wait again for the same dead name, short enough that nobody notices. It is
not kept by server: one domain with dead servers would else take the others with it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

import dns.name

from kartramail.rules.dns_answers import Absent, Answer, Found, Record, RecordType, Unreachable

FOUND_AT_MOST = 86_400
ABSENT_AT_MOST = 10_800
UNREACHABLE_FOR = 5

Question = tuple[dns.name.Name, RecordType]  # names compare without regard to case


@dataclass(frozen=True, slots=True)
class _Entry:
    answer: Answer[Record]
    until: float


class AnswerCache:
    """Answers by question, usable from many threads. `clock` gives seconds and never runs back."""

    def __init__(self, size: int, clock: Callable[[], float]) -> None:
        self._size = size
        self._clock = clock
        self._entries: OrderedDict[Question, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, question: Question) -> Answer[Record] | None:
        """The answer while it is good, with the TTL that is left; None otherwise."""
        with self._lock:
            entry = self._live(question)
            if entry is None:
                return None
            self._entries.move_to_end(question)
            left = entry.until - self._clock()
        if isinstance(entry.answer, Found):
            return replace(entry.answer, ttl=int(left))
        return entry.answer

    def put(self, question: Question, answer: Answer[Record], ttl: int) -> None:
        """Keep `answer` for `ttl` seconds at most. A failure never displaces a good answer."""
        seconds = _keep_for(answer, ttl)
        with self._lock:
            if isinstance(answer, Unreachable) and self._live(question) is not None:
                return
            self._entries.pop(question, None)
            if seconds > 0 and self._size > 0:
                self._entries[question] = _Entry(answer, self._clock() + seconds)
                if len(self._entries) > self._size:
                    self._entries.popitem(last=False)

    def _live(self, question: Question) -> _Entry | None:
        entry = self._entries.get(question)
        if entry is not None and entry.until <= self._clock():
            del self._entries[question]
            return None
        return entry


def _keep_for(answer: Answer[Record], ttl: int) -> int:
    match answer:
        case Found():
            return min(ttl, FOUND_AT_MOST)
        case Absent():
            return min(ttl, ABSENT_AT_MOST)
        case Unreachable():
            return UNREACHABLE_FOR
