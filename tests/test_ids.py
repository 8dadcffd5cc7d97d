"""Ids: 63 bits, ordered by time, shown as base32."""

import threading
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kartramail.clock import now
from kartramail.ids import first_id_at, new_id, read_id, show_id


def test_each_is_greater_than_the_last() -> None:
    made = [new_id() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert made[-1] < 1 << 63


def test_threads_never_get_the_same() -> None:
    made: list[int] = []
    threads = [
        threading.Thread(target=lambda: made.extend(new_id() for _ in range(2_000)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 16_000


@given(st.integers(0, (1 << 63) - 1), st.integers(0, (1 << 63) - 1))
def test_what_is_shown_can_be_read_and_keeps_the_order(one: int, other: int) -> None:
    assert read_id(show_id(one)) == one
    assert (show_id(one) < show_id(other)) == (one < other)


@given(st.text())
def test_anything_else_is_no_id(text: str) -> None:
    number = read_id(text)
    assert number is None or show_id(number) == text


def test_ids_of_a_moment_begin_where_it_says() -> None:
    before = first_id_at(now() - timedelta(seconds=1))
    made = new_id()
    assert before < made < first_id_at(now() + timedelta(seconds=1))
    assert first_id_at(datetime(1999, 1, 1, tzinfo=UTC)) == 0
