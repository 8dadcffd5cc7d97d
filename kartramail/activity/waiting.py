"""What waits in an account, and why, for people (R-FAIR)."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from kartramail.accounts.history import record_change
from kartramail.activity.waiting_words import PLATFORM_TITLE, REASONS, TITLES, count_words
from kartramail.clock import now
from kartramail.config import Settings
from kartramail.ids import show_id
from kartramail.messages.standing import PAUSED, mail_name
from kartramail.outbox import waiting as queue
from kartramail.outbox.lanes import PLATFORM, find_lane, hold_lane, open_lane
from kartramail.outbox.waiting import WaitingLane, WaitReason
from kartramail.rules.streams import Stream

When = tuple[str, datetime]
"""A word such as "since", and the time that follows it."""


@dataclass(frozen=True, slots=True)
class ShownLane:
    """One kind of mail that waits, in words. `badge` as in the macro of that name.

    `asks_first`: pausing it holds up what people wait for.
    """

    shown_id: str
    title: str
    about: str
    count: str
    when: tuple[When, ...]
    badge: str
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
    moment = now()
    return [_show(lane, moment) for lane in found]


def version_of(shown: Sequence[ShownLane]) -> str:
    """Changes whenever the panel would look different."""
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:12]


def pause(session: Session, account_id: int, lane_id: int, *, user_id: int) -> bool | None:
    """Hold a lane: one update, however much waits. False where it was, None where there is none."""
    return _switch(session, account_id, lane_id, user_id, hold_lane, PAUSED)


def resume(session: Session, account_id: int, lane_id: int, *, user_id: int) -> bool | None:
    """Let it leave again. False where it did already, None where there is no such lane."""
    return _switch(session, account_id, lane_id, user_id, open_lane, "lane.resumed")


def _switch(
    session: Session,
    account_id: int,
    lane_id: int,
    user_id: int,
    switch: Callable[[Session, int, int], bool],
    what: str,
) -> bool | None:
    lane = find_lane(session, account_id, lane_id)
    if lane is None or lane.source == PLATFORM:
        return None
    has_changed = switch(session, account_id, lane_id)
    if has_changed:
        record_change(session, account_id, what, user_id=user_id, after=mail_name(lane.stream))
    return has_changed


def _show(lane: WaitingLane, moment: datetime) -> ShownLane:
    title, about = PLATFORM_TITLE if lane.source == PLATFORM else TITLES[lane.stream]
    told = REASONS[lane.reason]
    return ShownLane(
        shown_id=show_id(lane.lane_id),
        title=title,
        about=about,
        count=count_words(lane.count, lane.count_is_more),
        when=tuple(_when(lane, moment)),
        badge=told.badge,
        why=f"{told.why} {lane.words}".strip(),
        advice=told.advice_for(lane.stream),
        is_held=lane.reason is WaitReason.HELD,
        can_be_held=lane.source != PLATFORM,
        asks_first=lane.stream is Stream.TRANSACTIONAL,
    )


def _when(lane: WaitingLane, moment: datetime) -> Iterator[When]:
    told = REASONS[lane.reason]
    if lane.since is not None and lane.since <= moment:
        yield told.since, lane.since
    if lane.until is not None and lane.until > moment:
        yield told.until, lane.until
