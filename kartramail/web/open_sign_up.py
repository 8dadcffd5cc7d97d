"""What the browser that signed up remembers until the address is confirmed (R-SIGNUP).

It holds what was typed and nothing that was looked up: alike for known addresses and others.
"""

from dataclasses import dataclass
from datetime import datetime

from flask import session

_KEY = "signup"
_MOST_CHARACTERS = 1200  # a cookie has room for 4,093 octets, signed and encoded


@dataclass(frozen=True, slots=True)
class OpenSignUpNote:
    """The sign-up that this browser made last."""

    email: str
    business_name: str
    full_name: str
    asked_at: datetime


def remember_sign_up(note: OpenSignUpNote) -> None:
    """Keep the note in the session; names that would burst the cookie are left out."""
    escaped = len(ascii(note.business_name)) + len(ascii(note.full_name))
    fits = escaped <= _MOST_CHARACTERS
    session[_KEY] = {
        "email": note.email,
        "business_name": note.business_name if fits else "",
        "full_name": note.full_name if fits else "",
        "asked_at": note.asked_at.isoformat(),
    }


def recall_sign_up() -> OpenSignUpNote | None:
    """The note of this browser, or None where it made no sign-up."""
    kept = session.get(_KEY)
    if not isinstance(kept, dict):
        return None
    return OpenSignUpNote(
        email=kept["email"],
        business_name=kept["business_name"],
        full_name=kept["full_name"],
        asked_at=datetime.fromisoformat(kept["asked_at"]),
    )
