"""When a message is tried again (R-RETRY)."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartramail.rules.backoff import lifetime, next_wait

MIDDLE = 0.5


def test_the_first_wait_is_about_a_minute() -> None:
    assert next_wait(1, MIDDLE) == timedelta(minutes=1)
    assert timedelta(seconds=45) < next_wait(1, 0.0) < next_wait(1, 0.999) < timedelta(seconds=75)


def test_a_message_whose_server_was_never_reached_waits_as_after_a_first_try() -> None:
    assert next_wait(0, MIDDLE) == next_wait(1, MIDDLE)


def test_waits_grow_and_level_at_some_hours() -> None:
    waits = [next_wait(tries, MIDDLE) for tries in range(1, 30)]
    assert waits == sorted(waits)
    assert waits[-1] == waits[-10] == timedelta(hours=4)


@pytest.mark.parametrize(("stream", "days"), [("transactional", 5), ("commercial", 2)])
def test_a_message_lives_as_long_as_its_stream_says(stream: str, days: int) -> None:
    assert lifetime(stream) == timedelta(days=days)


def test_there_is_no_lifetime_for_what_is_no_stream() -> None:
    with pytest.raises(KeyError):
        lifetime("carrier pigeon")


@pytest.mark.parametrize("jitter", [-0.1, 1.0, 2.0, float("nan")])
def test_chance_is_between_zero_and_one(jitter: float) -> None:
    with pytest.raises(ValueError, match="jitter"):
        next_wait(1, jitter)


@given(st.integers(), st.floats(0, 1, exclude_max=True))
def test_every_wait_is_within_bounds_and_the_next_is_no_shorter(tries: int, jitter: float) -> None:
    assert timedelta(seconds=48) <= next_wait(tries, jitter) <= timedelta(hours=4.8)
    assert next_wait(tries, jitter) <= next_wait(min(tries, 10**6) + 1, jitter)
