"""Notifications from event to outbox, rendering included, with one and with 10,000 assets.

An event is fired as the API fires it, in a transaction of its own. What it put into the outbox is
then claimed, resolved and rendered as delivery does it, but for the signature: that costs the same
for everybody, and would only make the two look more alike. Each tenth calendar has another sender
than the default one, of ten, and words of its own, of ten.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import cycle

from sqlalchemy import text
from sqlmodel import Session, delete, insert

from kartramail.assets.events import EventRequest, fire_event, judge_event
from kartramail.assets.kinds import TYPES
from kartramail.assets.models import Asset
from kartramail.assets.settings import change_setting
from kartramail.clock import now
from kartramail.config import load_settings
from kartramail.delivery.build import Builder
from kartramail.ids import new_id
from kartramail.installation import Installation
from kartramail.messages.candidates import Wanted, resolve_all
from kartramail.messages.compose import Composer
from kartramail.onboarding.service import create_confirmed_account
from kartramail.outbox.claims import claim
from kartramail.outbox.contents import load_contents
from kartramail.outbox.models import Message
from kartramail.outbox.workers import register_worker
from kartramail.senders.models import Sender
from tests.benchmarks.figures import Bound, interleave, show_figure, show_heading, show_ratio
from tests.benchmarks.surroundings import DATABASES, environment

FEW, MANY = 1, 10_000
_EVENT = "calendar.booked"
_OWN_WORDS, _OWN_SENDERS = 10, 10
_BATCH = 200  # what a worker claims at a time


def run(rounds: int, *, is_quick: bool) -> bool:
    """Measure and print; returns whether both databases meet the target."""
    many = 1_000 if is_quick else MANY
    count = 200 if is_quick else 2_000
    is_met = True
    for kind, make in DATABASES.items():
        with ExitStack() as stack:
            houses = {
                assets: _House(_installation(stack, stack.enter_context(make())), assets)
                for assets in (FEW, many)
            }
            is_met &= _compare(kind, houses, rounds, count)
    return is_met


def _installation(stack: ExitStack, url: str) -> Installation:
    values = {name.lower(): value for name, value in environment(url).items()}
    wanted = {"database_url", "secret_key", "master_keys", "rate_limits"}
    settings = load_settings(**{name: values[name] for name in wanted})
    found = Installation.of(settings)
    stack.callback(found.db.dispose)
    return found


def _compare(kind: str, houses: dict[int, "_House"], rounds: int, count: int) -> bool:
    subjects: dict[str, Callable[[], float]] = {
        f"{assets:,} assets": partial(house.fire, count) for assets, house in houses.items()
    }
    for warm in subjects.values():
        warm()
    rates = interleave(rounds, subjects)
    few, many = rates
    show_heading(
        f"(f) Notifications from event to outbox, rendered, on {kind}: {rounds} rounds of {count:,}"
    )
    for name, values in rates.items():
        show_figure(name, values, "/s")
    return show_ratio(f"{many} / {few}", rates[many], rates[few], Bound.AT_LEAST, 0.9)


class _House:
    """One account with that many calendars, and a worker that renders what they send."""

    def __init__(self, installation: Installation, assets: int) -> None:
        self._installation = installation
        self._db = installation.db
        self._builder = Builder(installation.settings, Composer())
        with self._db.transaction() as session:
            self._account_id = create_confirmed_account(
                session,
                installation,
                business_name="Doe Inc.",
                full_name="Jane Doe",
                email="jane@doeinc.com",
                password_hash="none",
            ).account_id
            self._worker_id = register_worker(session, "bench", 1)
            calendars = self._open(session, assets)
        for place, number in enumerate(calendars[::10] if assets > 1 else ()):
            self._make_own(number, place)
        with self._db.transaction() as session:
            session.connection().execute(text("ANALYZE"))
        self._calendars = cycle(calendars)

    def _open(self, session: Session, count: int) -> list[int]:
        rows = [
            {
                "id": new_id(),
                "account_id": self._account_id,
                "kind": "calendar",
                "name": f"Calendar {number}",
                "created_at": now(),
            }
            for number in range(count)
        ]
        session.connection().execute(insert(Asset), rows)
        self._senders = [self._add_sender(session, number) for number in range(_OWN_SENDERS)]
        return [int(str(row["id"])) for row in rows]

    def _add_sender(self, session: Session, number: int) -> int:
        sender = Sender(
            account_id=self._account_id,
            name=f"Team {number}",
            send_from=f"team{number}@doeinc.com",
            from_key=f"team{number}@doeinc.com",
            from_domain="doeinc.com",
            reply_to=f"team{number}@doeinc.com",
        )
        session.add(sender)
        session.flush()
        return sender.id

    def _make_own(self, asset_id: int, place: int) -> None:
        changes = {
            "sender_id": self._senders[place % _OWN_SENDERS],
            "subject": f"See you {place % _OWN_WORDS}, {{{{ contact.first_name }}}}",
        }
        with self._db.transaction() as session:
            change_setting(
                session, self._account_id, asset_id, TYPES[_EVENT], changes, user_id=None
            )

    def fire(self, count: int) -> float:
        """Notifications a second, each from its event to its rendered bytes."""
        started = time.perf_counter()
        for _ in range(count // _BATCH):
            for number in range(_BATCH):
                self._fire_one(number)
            self._render()
        rate = count / (time.perf_counter() - started)
        with self._db.transaction() as session:
            session.connection().execute(delete(Message))
        return rate

    def _fire_one(self, number: int) -> None:
        request = EventRequest(
            asset_id=next(self._calendars),
            event=_EVENT,
            contact={"email": f"pat{number}@doeinc.com", "first_name": f"Pat {number}"},
            variables={"place": "Room 4"},
        )
        event, faults = judge_event(request, self._installation.address_policy())
        assert event is not None, faults
        with self._db.transaction() as session:
            fire_event(session, self._installation, self._account_id, event)

    def _render(self) -> None:
        with self._db.transaction() as session:
            batch = claim(session, self._worker_id, _BATCH)
        assert len(batch) == _BATCH
        wanted = [Wanted(m.account_id, m.sender_id, m.asset_id, m.type) for m in batch]
        with self._db.reading() as session:
            contents = {message.content_id or 0 for message in batch}
            words = load_contents(session, self._builder.composer.missing(contents))
            senders = resolve_all(session, set(wanted), self._installation.settings.platform_domain)
        rendered = [
            self._builder.build(
                message, senders[one], words.get(message.content_id or 0), now(), {}
            ).data
            for message, one in zip(batch, wanted, strict=True)
        ]
        assert _all_differ(rendered)


def _all_differ(rendered: Sequence[bytes]) -> bool:
    return len(set(rendered)) == len(rendered)
