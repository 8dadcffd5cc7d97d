"""Passwords are hashed cheaply here; test_passwords.py looks at the real parameters.

Nor does anybody wait here for time to be even; test_even_time.py looks at that.
"""

import pytest


@pytest.fixture(autouse=True)
def _cheap_hashing(cheap_hashing: None) -> None:
    """See above."""


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """See above."""
    monkeypatch.setattr("kartramail.web.even_time.sleep", lambda seconds: None)
