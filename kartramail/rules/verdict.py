"""The answer of a rule about one field: what is so, why, and what to do (R-WORDS)."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a field stands. Only ERROR keeps a form from being saved."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of one value.

    `code` is for machines (the list in the API description), `message` is one or two sentences
    for people, `suggestion` is a whole value that would be better for the same field.
    """

    status: Status
    code: str | None = None
    message: str = ""
    suggestion: str | None = None

    @property
    def is_error(self) -> bool:
        """True when the value may not be saved."""
        return self.status is Status.ERROR


OK = Verdict(Status.OK)
