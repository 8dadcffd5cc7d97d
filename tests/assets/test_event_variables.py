"""What an event fills its messages in with (R-VARS, R-EVENT). Pure."""

from datetime import UTC, datetime
from typing import Any

import pytest

from kartramail.assets.event_variables import variables_of
from kartramail.assets.kinds import TYPES

BOOKED = TYPES["calendar.booked"]
START = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)


def variables(**more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "contact": {"email": "pat@example.net"},
        "variables": {},
        "business_name": "Doe Inc.",
        "asset_name": "Advice",
    }
    return variables_of(BOOKED, **(given | more))


def test_they_are_nested_as_liquid_reads_them() -> None:
    found = variables(variables={"place": "Room 2", "colour": {"wall": "blue"}})
    assert found == {
        "contact": {"email": "pat@example.net"},
        "business": {"name": "Doe Inc."},
        "asset": {"name": "Advice"},
        "event": {"place": "Room 2", "colour": {"wall": "blue"}},
        "place": "Room 2",
    }


def test_no_variable_of_a_program_takes_the_place_of_ours() -> None:
    hostile = {"contact": 1, "business": 2, "asset": 3, "event": 4}
    found = variables(variables=hostile)
    assert found == variables() | {"event": hostile}


@pytest.mark.parametrize(
    ("time_zone", "words", "iso"),
    [
        (
            "Europe/Berlin",
            "Tuesday 24 November 2026 at 14:00 (CET)",
            "2026-11-24T14:00:00+01:00",
        ),
        ("UTC", "Tuesday 24 November 2026 at 13:00 (UTC)", "2026-11-24T13:00:00+00:00"),
        (
            "America/Sao_Paulo",
            "Tuesday 24 November 2026 at 10:00 (UTC-03)",
            "2026-11-24T10:00:00-03:00",
        ),
        (
            "Pacific/Auckland",
            "Wednesday 25 November 2026 at 02:00 (NZDT)",
            "2026-11-25T02:00:00+13:00",
        ),
        ("Gone/Zone", "Tuesday 24 November 2026 at 13:00 (UTC)", "2026-11-24T13:00:00+00:00"),
        ("../etc", "Tuesday 24 November 2026 at 13:00 (UTC)", "2026-11-24T13:00:00+00:00"),
    ],
)
def test_the_start_is_said_in_words_in_the_zone_of_the_account(
    time_zone: str, words: str, iso: str
) -> None:
    found = variables(starts_at=START, time_zone=time_zone)
    assert found["starts_at"] == words
    assert found["starts_at_iso"] == iso
    assert found["event"]["starts_at"] == words


def test_the_start_of_the_event_wins_over_a_variable_of_that_name() -> None:
    found = variables(starts_at=START, variables={"starts_at": "some day"})
    assert found["starts_at"].startswith("Tuesday")
    assert found["event"]["starts_at"] == "some day"
