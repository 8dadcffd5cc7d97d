"""The rows beside what arrived, and beside what the web told the program that asked it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import select

from kartramail.db import Database
from kartramail.ids import show_id
from kartramail.outbox.models import Message, MessageState
from tests.chaos.arrivals import Arrival
from tests.chaos.client import Client
from tests.chaos.plan import Plan


@dataclass(frozen=True, slots=True)
class ByApi:
    """What became of messages that were handed in over HTTP."""

    asked: int = 0
    accepted: int = 0
    refused: Sequence[str] = ()
    broken: int = 0  # requests that got no answer
    retried: int = 0  # messages that needed more than one request
    taken_unheard: int = 0  # of these: an earlier request had been taken, its answer was lost
    missing: int = 0  # accepted, and there is no row, or it is another one, or it did not arrive
    double: int = 0  # more rows than one


@dataclass(frozen=True, slots=True)
class Tally:
    """All of it."""

    states: Counter[MessageState]
    arrivals: Sequence[Arrival]
    lost: int
    strangers: int
    api: ByApi

    def by_api(self) -> list[str]:
        """What did not hold of messages that came over HTTP, in words."""
        api = self.api
        promises = {
            f"{api.missing} messages were accepted and are not there, or not sent": api.missing,
            f"{api.double} messages are there twice after a repeat": api.double,
            f"{len(api.refused)} requests were refused: {api.refused[:1]}": api.refused,
            f"{api.asked - api.accepted} messages were never accepted": api.asked != api.accepted,
        }
        return [words for words, is_broken in promises.items() if is_broken]


def count(db: Database, plan: Plan, arrivals: Sequence[Arrival], client: Client | None) -> Tally:
    """Look at the rows, and compare."""
    with db.reading() as session:
        rows = list(session.exec(select(Message)))
    arrived = {arrival.id for arrival in arrivals}
    sent = {show_id(row.id) for row in rows if row.state is MessageState.SENT}
    return Tally(
        states=Counter(row.state for row in rows),
        arrivals=arrivals,
        lost=max(0, plan.messages - len(rows)) + len(sent - arrived),
        strangers=len(arrived - {show_id(row.id) for row in rows})
        + max(0, len(rows) - plan.messages),
        api=ByApi() if client is None else _by_api(client, plan, rows, arrived),
    )


def _by_api(client: Client, plan: Plan, rows: Sequence[Message], arrived: set[str]) -> ByApi:
    ids: dict[str, list[str]] = {}
    made_at = {}
    for row in rows:
        ids.setdefault(row.to_addr, []).append(show_id(row.id))
        made_at[show_id(row.id)] = row.created_at
    retried = [one for one in client.accepted if one.tries > 1]
    return ByApi(
        asked=plan.by_web,
        accepted=len({one.to for one in client.accepted}),
        refused=client.refused,
        broken=client.broken,
        retried=len(retried),
        taken_unheard=sum(
            one.id in made_at and made_at[one.id] < one.last_try_at for one in retried
        ),
        missing=sum(
            one.id not in ids.get(one.to, ()) or one.id not in arrived for one in client.accepted
        ),
        double=sum(len(ids.get(one.to, ())) > 1 for one in client.accepted),
    )
