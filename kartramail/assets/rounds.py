"""Reminders whose time has come, and those whose time is over. Crosses accounts by its nature."""

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session, col, select, update

from kartramail.assets.kinds import TYPES
from kartramail.assets.letters import Occasion, Scene, letters_for, load_scenes
from kartramail.assets.models import ScheduledEvent
from kartramail.assets.settings import words_to_send
from kartramail.clock import now
from kartramail.installation import Installation
from kartramail.messages.enqueue import Letter, enqueue_letters
from kartramail.outbox.cancellation import cancel_waiting
from kartramail.outbox.contents import Words
from kartramail.rounds import Round

log = structlog.get_logger()

_AT_A_TIME = 50
_LONGEST_ROUND = 20.0
"""Seconds after which a round leaves the rest to the next one, so that other rounds get theirs."""

_PUT_OFF = timedelta(minutes=10)
_TOO_LATE = "what it reminds of had begun before it could leave"


def release_due_reminders(installation: Installation, longest: float = _LONGEST_ROUND) -> int:
    """Let the reminders go whose time has come, the longest waiting first; returns how many.

    The messages and the note that they were made are one transaction: whatever ends a process in
    the middle of it, each leaves once.
    """
    ends_at = time.monotonic() + longest
    done = 0
    while time.monotonic() < ends_at and (due := _due(installation)):
        released = _release_guarded(installation, due)
        if not released:  # others are at these
            break
        done += released
    return done


def _due(installation: Installation) -> list[int]:
    with installation.db.reading() as session:
        return list(
            session.exec(
                select(ScheduledEvent.id)
                .where(col(ScheduledEvent.due_at).is_not(None), col(ScheduledEvent.due_at) <= now())
                .order_by(col(ScheduledEvent.due_at), col(ScheduledEvent.id))
                .limit(_AT_A_TIME)
            )
        )


def _release_guarded(installation: Installation, due: list[int]) -> int:
    """One reminder's fault must not keep the others: where a batch fails, each goes by itself."""
    try:
        return _release(installation, due)
    except Exception as error:
        if len(due) > 1:
            return sum(_release_guarded(installation, [one]) for one in due)
        log.error("reminder_not_sent", reminder=due[0], exc_info=error)
        _put_off(installation, due[0])
        return 0


def _put_off(installation: Installation, number: int) -> None:
    with installation.db.transaction() as session:
        session.connection().execute(
            update(ScheduledEvent)
            .where(col(ScheduledEvent.id) == number, col(ScheduledEvent.due_at).is_not(None))
            .values(due_at=now() + _PUT_OFF)
        )


def _release(installation: Installation, due: Collection[int]) -> int:
    at = now()
    with installation.db.transaction() as session:
        rows = _lock(session, due, at)
        mine = defaultdict(list)
        for row in rows:
            mine[row.account_id].append(row)
        for account_id, reminders in sorted(mine.items()):
            domain = installation.settings.platform_domain
            _release_of_account(session, account_id, reminders, domain, at)
    return len(rows)


def _lock(session: Session, due: Collection[int], at: datetime) -> list[ScheduledEvent]:
    """Those that are still due; what somebody moves just now is theirs."""
    return list(
        session.exec(
            select(ScheduledEvent)
            .where(
                col(ScheduledEvent.id).in_(due),
                col(ScheduledEvent.due_at).is_not(None),
                col(ScheduledEvent.due_at) <= at,
            )
            .order_by(col(ScheduledEvent.due_at), col(ScheduledEvent.id))
            .with_for_update(skip_locked=True)
        )
    )


def _release_of_account(
    session: Session,
    account_id: int,
    reminders: Collection[ScheduledEvent],
    platform_domain: str,
    at: datetime,
) -> None:
    scenes = load_scenes(session, account_id, {row.asset_id for row in reminders})
    words = _words(session, account_id, reminders)
    letters = [(row, list(_letters(session, row, scenes, words))) for row in reminders]
    whole = [letter for _, of_row in letters for letter in of_row]
    enqueued = iter(enqueue_letters(session, account_id, whole, platform_domain))
    for row, of_row in letters:
        row.message_ids = [next(enqueued).id for _ in of_row]
        row.due_at = None
        session.add(row)
        if row.starts_at <= at:
            cancel_waiting(session, account_id, row.message_ids, _TOO_LATE)


def _words(
    session: Session, account_id: int, reminders: Iterable[ScheduledEvent]
) -> dict[tuple[int, str], Words | None]:
    """As they are written now, and None where they are switched off now."""
    wanted = {(row.asset_id, row.type) for row in reminders if row.type in TYPES}
    return {
        (asset_id, name): words_to_send(session, account_id, asset_id, TYPES[name])
        for asset_id, name in sorted(wanted)
    }


def _letters(
    session: Session,
    row: ScheduledEvent,
    scenes: dict[int, Scene],
    words: dict[tuple[int, str], Words | None],
) -> Iterator[Letter]:
    said, scene = words.get((row.asset_id, row.type)), scenes.get(row.asset_id)
    if said is not None and scene is not None:
        occasion = Occasion(row.contact, row.variables, row.starts_at)
        for letter in letters_for(session, scene, TYPES[row.type], occasion, said):
            yield replace(letter, expires_at=row.starts_at)


def forget_past_reminders(installation: Installation) -> None:
    """Drop the reminders of what has begun; what of them still waits in the outbox is too late.

    What a worker holds just now is not tried again: its time ended with the beginning.
    """
    while True:
        with installation.db.transaction() as session:
            past = _past(session)
            for row in past:
                cancel_waiting(session, row.account_id, row.message_ids, _TOO_LATE)
                session.delete(row)
        if len(past) < _AT_A_TIME:
            return


def _past(session: Session) -> list[ScheduledEvent]:
    """Those that went out: what is still due is noted by its release first."""
    return list(
        session.exec(
            select(ScheduledEvent)
            .where(col(ScheduledEvent.starts_at) <= now(), col(ScheduledEvent.due_at).is_(None))
            .order_by(col(ScheduledEvent.starts_at))
            .limit(_AT_A_TIME)
            .with_for_update(skip_locked=True)
        )
    )


def _release_all(installation: Installation) -> None:
    release_due_reminders(installation)


ROUNDS: tuple[Round, ...] = (
    # Several at once do no harm, so nobody waits long for a worker that died at it.
    Round("release_due_reminders", timedelta(seconds=5), _release_all, timedelta(seconds=30)),
    Round("forget_past_reminders", timedelta(minutes=1), forget_past_reminders),
)
