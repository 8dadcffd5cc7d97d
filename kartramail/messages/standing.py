"""How a message stands and what to do: said here for all pages and the API (R-TEST, R-LOG)."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from kartramail.accounts.history import changes_since
from kartramail.outbox.lanes import PLATFORM, find_lane
from kartramail.outbox.models import LaneState, Message, MessageState
from kartramail.rules.streams import Stream

PAUSED = "lane.paused"
"""What the history calls it when somebody pauses mail."""

_WAITING = (MessageState.SCHEDULED, MessageState.QUEUED, MessageState.DEFERRED)


@dataclass(frozen=True, slots=True)
class Pause:
    """That a message waits because its mail is paused. `by` is empty where no person did it."""

    since: datetime | None
    by: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is the matter, and what to do about it."""

    problem: str
    advice: str


def mail_name(stream: Stream) -> dict[str, str]:
    """The mail of a stream as the history names it where it is paused and resumed."""
    return {"mail": f"{stream.value} mail"}


def find_pause(session: Session, message: Message) -> Pause | None:
    """The pause that keeps this message back; None where none does. The account is the message's.

    What a worker holds leaves, whatever is paused meanwhile.
    """
    if message.state not in _WAITING:
        return None
    lane = find_lane(session, message.account_id, message.lane_id)
    if lane is None or lane.state is not LaneState.HELD or lane.source == PLATFORM:
        return None
    return Pause(lane.held_at, _who_paused(session, message, lane.held_at))


def _who_paused(session: Session, message: Message, since: datetime | None) -> str | None:
    if since is None:
        return None
    named = mail_name(message.stream)
    changes = changes_since(session, message.account_id, PAUSED, since)
    return next((change.who for change in changes if change.after == named), None)


def explain(message: Message, pause: Pause | None) -> Explanation | None:
    """What keeps it, or what went wrong; None where all is well, or nothing is left to be done."""
    server = message.server or "the mail server"
    match message.state:
        case MessageState.QUEUED | MessageState.SCHEDULED | MessageState.DEFERRED if pause:
            return Explanation(
                f"It waits: {message.stream.value} mail is paused.",
                "It leaves when that is resumed.",
            )
        case MessageState.QUEUED:
            return Explanation(
                "It is still waiting to be sent.",
                "It is not lost, and leaves by itself. The process that delivers mail may be busy, "
                "or not running.",
            )
        case MessageState.SCHEDULED:
            return Explanation("It waits for its time.", "")
        case MessageState.DEFERRED:
            return Explanation(
                f"It has not been delivered yet: {server} did not take it.",
                "It is tried again by itself. If this stays, tell whoever runs this system "
                "what the mail server said.",
            )
        case MessageState.SENDING:
            return Explanation(
                "The mail server has not answered yet.",
                "It may be slow or out of reach. The message is kept and tried again by itself.",
            )
        case MessageState.BOUNCED:
            return Explanation(
                f"{server} refused it for good.",
                "Read what the mail server said. If it is about the address, correct the address.",
            )
        case MessageState.FAILED:
            return Explanation(
                "It could not be delivered.", "Tell whoever runs this system what is said here."
            )
        case _:
            return None
