"""Passwords are hashed cheaply in these tests; tests/accounts/test_passwords.py has the real ones."""

import pytest


@pytest.fixture(autouse=True)
def _cheap_hashing(cheap_hashing: None) -> None:
    """See above."""
