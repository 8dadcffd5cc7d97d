"""When a message is tried again (R-RETRY)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartramail.rules.backoff import (
    due_again,
    is_greylisted,
    is_mailbox_full,
    kept_for,
    next_wait,
    told_wait,
    tried_for,
    wait_after,
)
from kartramail.rules.replies import Deferred, Stage
from kartramail.rules.streams import Stream
from kartramail.rules.warm_up import daily_limit

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
def test_a_message_is_tried_as_long_as_its_stream_says(stream: str, days: int) -> None:
    assert tried_for(stream) == timedelta(days=days)


@pytest.mark.parametrize("time_of", [tried_for, kept_for])
def test_there_is_no_time_for_what_is_no_stream(time_of: Callable[[str], timedelta]) -> None:
    with pytest.raises(KeyError):
        time_of("carrier pigeon")


def test_a_list_waits_for_the_warm_up_of_a_new_account() -> None:
    days, count = 0, 0
    while count < 500_000:
        count += daily_limit(Stream.COMMERCIAL, days, None)
        days += 1
    assert timedelta(days=days) < kept_for("commercial")


def test_a_connection_that_is_not_made_is_soon_tried_again_however_often() -> None:
    reply = Deferred(Stage.CONNECT, None, "Connection refused", "relay:25")
    waits = [wait_after(reply, tries, MIDDLE) for tries in (1, 2, 3, 30)]
    assert waits == [timedelta(minutes=minutes) for minutes in (1, 3, 5, 5)]


NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wait", "left", "due"),
    [
        (60, 120, 60),
        (60, 119, None),
        (3_600, 45 * 60, 44 * 60),
        (3_600, 120, 60),
        (3_600, 119, None),
        (60, 0, None),
        (60, -86_400, None),
    ],
)
def test_the_last_try_is_a_minute_before_the_end(wait: int, left: int, due: int | None) -> None:
    ends_at = NOON + timedelta(seconds=left)
    found = due_again(NOON, timedelta(seconds=wait), ends_at)
    assert found == (None if due is None else NOON + timedelta(seconds=due))


@pytest.mark.parametrize("jitter", [-0.1, 1.0, 2.0, float("nan")])
def test_chance_is_between_zero_and_one(jitter: float) -> None:
    with pytest.raises(ValueError, match="jitter"):
        next_wait(1, jitter)


@given(st.integers(), st.floats(0, 1, exclude_max=True))
def test_every_wait_is_within_bounds_and_the_next_is_no_shorter(tries: int, jitter: float) -> None:
    assert timedelta(seconds=48) <= next_wait(tries, jitter) <= timedelta(hours=4.8)
    assert next_wait(tries, jitter) <= next_wait(min(tries, 10**6) + 1, jitter)


def deferred(code: int | None, words: str) -> Deferred:
    return Deferred(Stage.RCPT, code, words, "mx.example.net:25")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (450, "4.2.0 <r@example.net>: Recipient address rejected: Greylisted, see the page"),
        (451, "4.7.1 Please try again later"),
        (450, "4.7.1 You have been grey-listed"),
        (421, "4.7.0 graylisted"),
        (451, "Greylisting in action, please come back later"),
    ],
)
def test_greylisting_is_known_and_tried_again_soon(code: int, words: str) -> None:
    reply = deferred(code, words)
    assert is_greylisted(reply)
    waits = [wait_after(reply, tries, MIDDLE) for tries in range(1, 5)]
    assert waits == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]


@pytest.mark.parametrize(
    ("code", "words"),
    [(450, "4.2.0 Mailbox busy"), (452, "4.7.1 too many"), (451, "4.3.0 error"), (None, "gone")],
)
def test_other_delays_are_no_greylisting(code: int | None, words: str) -> None:
    reply = deferred(code, words)
    assert not is_greylisted(reply)
    assert wait_after(reply, 2, MIDDLE) == next_wait(2, MIDDLE)


def test_who_is_greylisted_for_hours_waits_as_with_any_answer() -> None:
    reply = deferred(451, "4.7.1 Greylisted")
    assert wait_after(reply, 20, MIDDLE) == next_wait(20, MIDDLE)


@pytest.mark.parametrize(
    "words",
    [
        "4.2.2 The email account that you tried to reach is over quota",
        "Mailbox full",
        "4.0.0 mailbox is full",
        "Requested action aborted: exceeded storage quota",
    ],
)
def test_a_full_mailbox_is_tried_slowly(words: str) -> None:
    reply = deferred(452, words)
    assert is_mailbox_full(reply)
    waits = [wait_after(reply, tries, MIDDLE) for tries in range(1, 7)]
    assert waits == [timedelta(hours=hours) for hours in (1, 2, 4, 6, 6, 6)]


def test_a_server_whose_disk_is_full_is_no_full_mailbox() -> None:
    assert not is_mailbox_full(deferred(452, "4.3.1 Insufficient system storage"))


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Greylisted, try again in 300 seconds", 300),
        ("4.7.1 please retry after 5 minutes", 300),
        ("greylisted for 120s", 120),
        ("try again in 1 second", 30),
        ("try again in 9 hours", 3600),
    ],
)
def test_a_server_that_says_how_long_is_believed_within_bounds(words: str, seconds: int) -> None:
    reply = deferred(451, words)
    assert told_wait(reply) == timedelta(seconds=seconds)
    told = timedelta(seconds=seconds)
    assert told <= wait_after(reply, 1, 0.0) <= wait_after(reply, 1, 0.99) <= told * 1.2


@pytest.mark.parametrize(
    "words", ["Try again later", "4.3.0 error 30 in module 5", "see RFC 5321 in section 4"]
)
def test_other_numbers_are_no_waits(words: str) -> None:
    assert told_wait(deferred(451, words)) is None


@given(st.text(), st.integers(400, 499), st.integers(), st.floats(0, 1, exclude_max=True))
def test_whatever_a_server_says_the_wait_is_bounded(
    words: str, code: int, tries: int, jitter: float
) -> None:
    wait = wait_after(deferred(code, words), tries, jitter)
    assert timedelta(seconds=30) <= wait <= timedelta(hours=7.2)
