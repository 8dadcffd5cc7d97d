"""What one recipient domain is like just now: how long it takes, and whether it asked for a pause.

Times are seconds of a monotonic clock; whoever calls holds the lock.
"""

from bisect import bisect_left, bisect_right

from kartramail.delivery.slots import Slots
from kartramail.rules.replies import Accepted, Deferred, Refused, Reply, Stage
from kartramail.rules.streams import Stream

SLOW_SECONDS = 1.0
"""Below this an answer is never slow, however quick all others are."""

LONGEST_PAUSE = 15 * 60.0
_SOONEST_SLOT = 1.0
_SHORTEST_HORIZON = 5.0
_HORIZON = 2.0  # how far ahead, by how long the trouble has lasted
_FIRST_PAUSE = 30.0
_PAUSE_SPREAD = 0.2  # so that several processes do not come back together
_ABOUT_A_RECIPIENT = frozenset({Stage.RCPT, Stage.DATA, Stage.END_OF_DATA})
_SLOW_WEIGHT = 4  # one slow answer in five makes a domain slow, if it goes on like that
_SCORE_ABOVE = 8  # and so many quick ones in a row make it quick again
_LEARNING = 0.3
_FIRST_GUESS = 0.05


def is_about_recipient(reply: Reply) -> bool:
    """Whether an answer came from the conversation about a recipient.

    What a relay says at MAIL or before is about the relay.
    """
    return isinstance(reply, Accepted) or reply.stage in _ABOUT_A_RECIPIENT


def asks_to_slow_down(reply: Reply) -> bool:
    """True for 421 and for 4.7.x, security or policy (RFC 3463 §3.8), about a recipient.

    Not for greylisting that is said so: it is about one recipient and passes by itself, and a
    domain that greylists everybody would never get beyond its first messages (RFC 6647 §2.1).
    """
    if not isinstance(reply, Deferred) or reply.stage not in _ABOUT_A_RECIPIENT:
        return False
    if reply.code == 421:
        return True
    is_policy = (reply.enhanced_code or "").startswith("4.7.")
    words = reply.words.lower()
    return is_policy and "greylist" not in words and "graylist" not in words


def _codes(reply: Reply) -> str:
    """What others may be told: no words, as they name whose message it was about.

    All accounts with mail for the domain read it, and servers like to repeat the recipient, or the
    domain that signed: "421 4.7.28 … from your DKIM domain [doeinc.com]".
    """
    return " ".join(str(one) for one in (reply.code, reply.enhanced_code) if one)


class Destination:
    """One domain: what is under way, how slow it is, its pause, and its next free slot."""

    __slots__ = (
        "closed_until",
        "concurrency",
        "is_known",
        "last_quick",
        "pauses",
        "score",
        "seconds",
        "slots",
        "starts",
        "successes",
        "touched",
        "words",
    )

    def __init__(self, at: float) -> None:
        self.starts: list[float] = []  # when what is under way was admitted, oldest first
        self.is_known = False  # whether it has answered at all
        self.last_quick = at  # when it last answered in good time
        self.score = 0  # slow answers, by their weight, more than quick ones
        self.seconds = 0.0  # of its answers, the last ones weigh most
        self.closed_until = 0.0
        self.pauses = 0  # how often it asked for one since it was last at ease
        self.concurrency: int | None = None  # at most so many while it recovers
        self.successes = 0
        self.slots: dict[Stream, Slots] = {}  # each has its own: urgent mail waits for no other
        self.words = ""  # the codes with which it asked for a pause
        self.touched = at

    @property
    def is_idle(self) -> bool:
        """Nothing of it is under way."""
        return not self.starts

    def has_asked(self, at: float) -> bool:
        """Whether it is closed now."""
        return at < self.closed_until

    def seems_slow(self, at: float, slow_from: float, enough: int) -> bool:
        """Whether much of what it answered lately took too long, or has no answer yet.

        `enough` slow ones are needed, so that a few by chance do no harm; of a domain that never
        answered, one that hangs is enough. While it goes on answering others, none hangs.
        """
        starts, slow_since = self.starts, at - slow_from
        is_silent = starts and self.last_quick < slow_since
        hanging = bisect_left(starts, slow_since) if is_silent else 0
        if not self.is_known:
            return hanging > 0
        return self.score + hanging * _SLOW_WEIGHT >= enough * _SLOW_WEIGHT

    def expected_seconds(self, at: float) -> float:
        """How long an answer takes, also going by what has none yet."""
        waited = at - self.starts[0] if self.starts else 0.0
        return max(self.seconds if self.is_known else _FIRST_GUESS, waited)

    def take_from_wire(self, at: float, seconds: float) -> None:
        """One that was under way for `seconds` is so no more."""
        starts = self.starts
        if starts:
            position = bisect_right(starts, at - seconds)
            starts.pop(min(position, len(starts) - 1))

    def excuse(self, since: float) -> None:
        """The last one that was under way by `since` does not count any more."""
        position = bisect_right(self.starts, since) - 1
        if position >= 0:
            del self.starts[position]

    def learn_seconds(self, at: float, seconds: float, slow_from: float, enough: int) -> None:
        """An answer took so long."""
        is_slow = seconds > slow_from
        bar = enough * _SLOW_WEIGHT
        if not self.is_known:
            self.is_known = True
            self.seconds = seconds
            self.score = bar if is_slow else 0
        else:
            self.seconds += _LEARNING * (seconds - self.seconds)
            if is_slow:
                self.score = min(self.score + _SLOW_WEIGHT, bar + _SCORE_ABOVE)
        if not is_slow:
            self.last_quick = at
            if self.score:
                self.score -= 1
                if self.score == bar - 1:  # what was put off from now on need not wait as long
                    self.slots.clear()

    def learn_reply(self, at: float, reply: Reply, most: int, chance: float) -> None:
        """Pause when it asks for one; more at once again with each success after a pause."""
        if asks_to_slow_down(reply):
            if not self.has_asked(at):  # what was under way when it closed says nothing new
                self._pause(at, reply, chance)
        elif self.concurrency is not None and isinstance(reply, Accepted | Refused):
            self._recover(most)

    def _pause(self, at: float, reply: Reply, chance: float) -> None:
        seconds = _FIRST_PAUSE * 2 ** min(self.pauses, 10) * (1 + _PAUSE_SPREAD * chance)
        self.close(at + min(seconds, LONGEST_PAUSE), _codes(reply))
        self.pauses += 1

    def close(self, until: float, words: str) -> None:
        """Nothing more until then, and one at a time afterwards."""
        self.closed_until = max(until, self.closed_until)
        self.concurrency = 1
        self.successes = 0
        self.slots.clear()
        self.words = words

    def _recover(self, most: int) -> None:
        self.successes += 1
        limit = self.concurrency or 1
        if self.successes >= limit:
            self.successes = 0
            self.concurrency = limit + 1
        if limit >= most:
            self.concurrency, self.pauses = None, 0
            self.slots.clear()

    def slot(self, at: float, stream: Stream, spacing: float, chance: float) -> float:
        """When one more of it should be tried again: 1 s to `LONGEST_PAUSE` from now, or when its
        pause is over.

        What finds no place waits twice as long as the trouble has lasted: a hiccup delays nobody
        for minutes, and what lasts for hours is seldom looked at.
        """
        begin = max(at + _SOONEST_SLOT, self.closed_until)
        last = max(begin, at + LONGEST_PAUSE)
        wanted = begin + max(_SHORTEST_HORIZON, _HORIZON * (begin - self.last_quick))
        slots = self.slots.setdefault(stream, Slots())
        return slots.take(begin, min(wanted, last), last, spacing, chance)

    def latest_slot(self) -> float:
        """The last one that was given away."""
        return max((slots.next_at for slots in self.slots.values()), default=0.0)
