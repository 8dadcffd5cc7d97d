"""The words for what waits: what it is, why it waits, and what to do (R-WORDS)."""

from collections.abc import Mapping
from dataclasses import dataclass

from kartramail.outbox.waiting import WaitReason
from kartramail.rules.backoff import KEPT_FOR
from kartramail.rules.streams import Stream

TITLES: Mapping[Stream, tuple[str, str]] = {
    Stream.TRANSACTIONAL: ("Transactional mail", "Receipts, confirmations and reminders"),
    Stream.COMMERCIAL: ("Commercial mail", "News and offers"),
}
PLATFORM_TITLE = ("Mail of this system", "Links to confirm, to join, to reset")

_NOTHING = "Nothing to do."
_OPERATOR = "Tell whoever runs this system, if this stays."


@dataclass(frozen=True, slots=True)
class Told:
    """Why mail waits, and what to do. What the outbox says of a case stands behind `why`.

    `since` and `until` stand before a time: when the oldest was due (or the lane was paused), and
    when it goes on by itself. `is_kept_back`: its time goes on while it waits (R-RETRY).
    """

    badge: str
    why: str
    advice: str = _NOTHING
    since: str = "since"
    until: str = "until"
    is_kept_back: bool = False

    def advice_for(self, stream: Stream) -> str:
        """What to do about mail of this kind."""
        if not self.is_kept_back:
            return self.advice
        days = KEPT_FOR[stream].days
        return f"{self.advice} What has waited for {days} days by then is not sent any more."


REASONS: Mapping[WaitReason, Told] = {
    WaitReason.HELD: Told(
        "paused",
        "Whatever comes waits, too.",
        "Resume it when it may leave.",
        since="paused since",
        is_kept_back=True,
    ),
    WaitReason.DAILY_LIMIT: Told(
        "waiting",
        "This is all for today.",
        "Nothing to do: the rest follows by itself. Whoever runs this system can raise the limit.",
        is_kept_back=True,
    ),
    WaitReason.NOT_DUE: Told(
        "waiting",
        "This mail waits for its time, or for its next try.",
        "Nothing to do: it leaves by itself. The page of a message can ask for its next try now.",
        until="the next at",
    ),
    WaitReason.NO_WORKER: Told(
        "warning", "The process that delivers mail is not running.", _OPERATOR
    ),
    WaitReason.SERVER: Told(
        "warning", "The mail server cannot be reached.", _OPERATOR, until="the next try at"
    ),
    WaitReason.DESTINATION: Told(
        "waiting",
        "The servers of some recipients are slow, or asked for a pause.",
        "Nothing to do: mail to others goes on.",
    ),
    WaitReason.ON_ITS_WAY: Told("sending", "This mail is on its way."),
}


def count_words(count: int, is_more: bool) -> str:
    """How many messages, for people."""
    if is_more:
        return f"More than {count:,} messages"
    return {0: "No message", 1: "1 message"}.get(count, f"{count:,} messages")
