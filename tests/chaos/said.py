"""What the crew wrote into its log: who ended by itself, who was declared dead."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.chaos.kills import Outage

_KILLED = -9
_LATE = timedelta(seconds=10)
"""After the database is back: who began without it may still be about to end."""


def read_log(log: Path) -> list[dict[str, Any]]:
    """The events; what is no JSON (the words of Python itself) is left out."""
    return list(_events(log))


def _events(log: Path) -> Iterator[dict[str, Any]]:
    for line in log.read_text(errors="replace").splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


def find_fallen(events: Sequence[dict[str, Any]], outages: Sequence[Outage]) -> list[str]:
    """Workers that their supervisor saw end by themselves, and that nobody killed.

    One that begins while the database is away may end without it.
    """
    return [
        f"{event['process']} with {event['status']} at {event['timestamp']}"
        for event in events
        if event.get("event") == "process_ended_by_itself"
        and event["status"] != _KILLED
        and not any(_is_within(outage, event["timestamp"]) for outage in outages)
    ]


def _is_within(outage: Outage, timestamp: str) -> bool:
    return outage.began_at <= datetime.fromisoformat(timestamp) <= outage.ended_at + _LATE


def count_declared_dead(events: Sequence[dict[str, Any]]) -> int:
    """Lives that ended while the process went on: it could not beat in time."""
    return sum(event.get("event") == "worker_was_declared_dead" for event in events)
