"""Passwords are hashed cheaply here; test_passwords.py looks at the real parameters."""

import pytest


@pytest.fixture(autouse=True)
def _cheap_hashing(cheap_hashing: None) -> None:
    """See above."""
