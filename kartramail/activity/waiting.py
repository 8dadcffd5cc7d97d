"""What waits in an account, and why, for people (R-FAIR)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, select

from kartramail.accounts.history import record_change
from kartramail.config import Settings
from kartramail.ids import show_id
from kartramail.outbox import waiting as queue
from kartramail.outbox.lanes import PLATFORM, find_lane, hold_lane, open_lane
from kartramail.outbox.models import Lane, LaneState
from kartramail.outbox.waiting import WaitReason
from kartramail.rules.streams import Stream

_TITLES: dict[str, tuple[str, str]] = {
    Stream.TRANSACTIONAL: ("Transactional mail", "Receipts, confirmations, reminders"),
    Stream.COMMERCIAL: ("Commercial mail", "News and offers"),
    PLATFORM: ("Mail of this system", "Links to confirm, to join, to reset"),
}

_NOTHING = "Nothing to do."
_OPERATOR = "Tell whoever runs this system, if this stays."

_REASONS: dict[WaitReason, tuple[str, str, str]] = {
    WaitReason.HELD: ("paused", "It is paused.", "Resume it when it may leave."),
    WaitReason.DAILY_LIMIT: (
        "waiting",
        "This is all for today.",
        "Nothing to do: the rest follows by itself. Whoever runs this system can raise the limit.",
    ),
    WaitReason.NOT_DUE: (
        "deferred",
        "It waits for its time, or for its next try.",
        "Nothing to do: it leaves by itself. The page of a message can ask for its next try now.",
    ),
    WaitReason.NO_WORKER: ("warning", "The process that delivers mail is not running.", _OPERATOR),
    WaitReason.SERVER: ("warning", "The mail server cannot be reached.", _OPERATOR),
    WaitReason.DESTINATION: (
        "waiting",
        "The servers of some recipients are slow, or asked for a pause.",
        "Nothing to do: mail to others goes on.",
    ),
    WaitReason.ON_ITS_WAY: ("sending", "It is on its way.", _NOTHING),
}
"""The badge, why, and what to do. What the outbox says of a case stands behind why."""


@dataclass(frozen=True, slots=True)
class ShownLane:
    """One kind of mail that waits. `since` is when the oldest of it was due."""

    shown_id: str
    title: str
    about: str
    count: str
    badge: str
    since: datetime | None
    until: datetime | None
    why: str
    advice: str
    is_held: bool
    can_be_held: bool
    asks_first: bool


def show_waiting(session: Session, account_id: int, settings: Settings) -> list[ShownLane]:
    """The lanes of the account in which something waits, or that are paused."""
    found = queue.waiting(
        session,
        account_id,
        has_limits=settings.has_sending_limits,
        lease=timedelta(seconds=settings.worker_lease),
    )
    shown = [
        _show(
            Lane(id=one.lane_id, account_id=account_id, stream=one.stream, source=one.source),
            _count(one.count, one.count_is_more),
            one.reason,
            one.oldest_due_at,
            until=one.until,
            words=one.words,
        )
        for one in found
    ]
    met = {one.lane_id for one in found}
    return shown + [
        _show(lane, "No message", WaitReason.HELD, lane.held_at)
        for lane in _held(session, account_id)
        if lane.id not in met
    ]


def _show(
    lane: Lane,
    count: str,
    reason: WaitReason,
    since: datetime | None,
    until: datetime | None = None,
    words: str = "",
) -> ShownLane:
    title, about = _TITLES[PLATFORM if lane.source == PLATFORM else lane.stream]
    badge, why, advice = _REASONS[reason]
    return ShownLane(
        shown_id=show_id(lane.id),
        title=title,
        about=about,
        count=count,
        badge=badge,
        since=since,
        until=until,
        why=f"{why} {words}".strip(),
        advice=advice,
        is_held=reason is WaitReason.HELD,
        can_be_held=lane.source != PLATFORM,
        asks_first=lane.stream is Stream.TRANSACTIONAL,
    )


def version_of(shown: Sequence[ShownLane]) -> str:
    """Changes whenever the panel would look different."""
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:12]


def pause(session: Session, account_id: int, lane_id: int, *, user_id: int) -> bool | None:
    """Hold a lane: one update, however much waits. False where it was, None where there is none."""
    return _switch(session, account_id, lane_id, user_id, is_pause=True)


def resume(session: Session, account_id: int, lane_id: int, *, user_id: int) -> bool | None:
    """Let it leave again. False where it did already, None where there is no such lane."""
    return _switch(session, account_id, lane_id, user_id, is_pause=False)


def _switch(
    session: Session, account_id: int, lane_id: int, user_id: int, *, is_pause: bool
) -> bool | None:
    lane = find_lane(session, account_id, lane_id)
    if lane is None or lane.source == PLATFORM:
        return None
    has_changed = (hold_lane if is_pause else open_lane)(session, account_id, lane_id)
    if has_changed:
        what = "lane.paused" if is_pause else "lane.resumed"
        named = {"mail": f"{lane.stream.value} mail"}
        record_change(session, account_id, what, user_id=user_id, after=named)
    return has_changed


def _held(session: Session, account_id: int) -> list[Lane]:
    """Also those in which nothing waits just now: they hold back whatever comes."""
    return list(
        session.exec(
            select(Lane)
            .where(Lane.account_id == account_id, Lane.state == LaneState.HELD)
            .order_by(Lane.id)  # type: ignore[arg-type]
        )
    )


def _count(count: int, is_more: bool) -> str:
    if is_more:
        return f"More than {count:,} messages"
    return "1 message" if count == 1 else f"{count:,} messages"
