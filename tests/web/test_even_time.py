"""Time tells nobody who has an account (R-SIGNUP). The clock is ours: nothing is measured."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from kartramail.web import even_time
from tests.support.cast import Actor, post

FIELDS = {
    "business_name": "Doe Inc.",
    "full_name": "Jane Doe",
    "password": "a sentence that Jane remembers",
}


class Clock:
    """Shows the times it is given, and notes for how long anybody sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.slept: list[float] = []
        self.times: Iterator[float] = iter(())
        monkeypatch.setattr(even_time, "monotonic", lambda: next(self.times, 0.0))
        monkeypatch.setattr(even_time, "sleep", self.slept.append)

    def spend(self, seconds: float) -> float:
        """Let a block take so long; returns when it is over."""
        self.times = iter((7.0, 7.0 + seconds))
        with even_time.in_even_time():
            pass
        return seconds + self.slept[-1]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The only clock of the module under test."""
    return Clock(monkeypatch)


@pytest.mark.parametrize(
    ("took", "over"), [(0, 0.1), (0.0014, 0.1), (0.0032, 0.1), (0.0999, 0.1), (0.12, 0.2)]
)
def test_it_ends_at_whole_steps(clock: Clock, took: float, over: float) -> None:
    assert clock.spend(took) == pytest.approx(over)
    assert clock.slept[-1] >= 0


def test_a_failure_takes_as_long(clock: Clock) -> None:
    with pytest.raises(LookupError), even_time.in_even_time():
        raise LookupError
    assert clock.slept == [pytest.approx(0.1)]


@pytest.mark.usefixtures("cheap_hashing")
@pytest.mark.parametrize("email", ["alice@doeinc.com", "nobody@doeinc.com"])
def test_the_pages_that_could_tell_who_is_known_wait(
    client: FlaskClient, alice: Actor, clock: Clock, email: str
) -> None:
    for path in ("/forgot", "/signup", "/signup/again"):
        clock.slept.clear()
        assert post(client, path, FIELDS | {"email": email}).status_code == 303
        assert len(clock.slept) == 1
