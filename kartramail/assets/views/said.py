"""What a row of the page says of the change just made, and the way back from it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from flask import session

_KEY = "notification_said"
_MOST_CHARACTERS = 800
"""Of what travels in the session cookie, which has to hold more than this."""


@dataclass(frozen=True, slots=True)
class Said:
    """`words` say what is true now. `undo` are the fields that, sent to `path`, bring it back.

    `takes_focus`: the button that was pressed is gone, so the focus goes to the way back.
    """

    type: str
    words: str
    kind: str = "ok"
    path: str = ""
    undo: Mapping[str, str] = field(default_factory=dict)
    takes_focus: bool = False

    def can_travel(self) -> bool:
        """Whether it is short enough to be carried to the next page."""
        return sum(len(name) + len(value) for name, value in self.undo.items()) < _MOST_CHARACTERS


def keep_said(said: Said, page: str) -> None:
    """For the page that this browser is sent to now."""
    session[_KEY] = {"page": page, "said": asdict(said)}


def take_said(page: str) -> Said | None:
    """What was kept for this page, once."""
    if _KEY not in session:
        return None
    kept: Any = session.pop(_KEY)
    return Said(**kept["said"]) if kept["page"] == page else None
