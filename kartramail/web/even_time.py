"""Work that depends on who is known takes the same time whatever it finds (R-SIGNUP, R-SAFE)."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from time import monotonic, sleep

STEP = 0.1
"""Seconds. Many times what the work takes, so that it ends within the first step either way."""


@contextmanager
def in_even_time() -> Iterator[None]:
    """Round the time that the block takes up to whole steps, also where it fails.

    Only for work that is done after every look-up and hash: what those take is no secret, and would
    carry the block over the edge of a step.
    """
    began = monotonic()
    try:
        yield
    finally:
        took = monotonic() - began
        sleep(max(1, ceil(took / STEP)) * STEP - took)
