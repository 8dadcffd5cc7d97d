"""What is to be done now and then: features export rounds, the worker runs them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kartramail.installation import Installation


@dataclass(frozen=True, slots=True)
class Round:
    """A job that one worker of the installation does every so often.

    `run` gets the installation, opens its own short transactions, and can be run again at any time.
    `lease` is how long others wait for a worker that is at it, before they take it for dead.
    """

    name: str
    every: timedelta
    run: "Callable[[Installation], None]"
    lease: timedelta = timedelta(minutes=10)
