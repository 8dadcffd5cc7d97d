"""What people may type for the name of a business or a person, and for a postal address.

Any script of the world; nothing that breaks a line, hides, turns the text around or leads away
(R-SAFE).
"""

import re
import unicodedata

from kartramail.accounts.linkable import holds_link
from kartramail.rules.verdict import OK, Status, Verdict

MAX_NAME = 200
MAX_POSTAL_ADDRESS = 500

_BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_INVISIBLE_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}


def judge_name(text: str, what: str, limit: int = MAX_NAME) -> Verdict:
    """Whether `text` (trimmed) can be a name; `what` says whose, as in "your business name"."""
    if not text:
        return Verdict(Status.ERROR, "name_empty", f"Type {what}.")
    if _is_unprintable(text):
        return _unprintable(what)
    if len(text) > limit:
        return _too_long(what, len(text), limit)
    if holds_link(text):
        return Verdict(
            Status.ERROR,
            "name_address",
            "There is a web address or a mail address in it, which mail programs make a link of. "
            f"Type only {what}.",
        )
    if not any(character.isalnum() for character in text):
        return Verdict(
            Status.ERROR, "name_empty", f"There is no letter in it. Type {what} as people know it."
        )
    return OK


def judge_postal_address(text: str) -> Verdict:
    """Whether `text` (lines end in LF) can be a postal address; an empty one may be saved."""
    if _is_unprintable(text.replace("\n", " ")):
        return _unprintable("the postal address")
    if len(text) > MAX_POSTAL_ADDRESS:
        return _too_long("the postal address", len(text), MAX_POSTAL_ADDRESS)
    return OK


def _is_unprintable(text: str) -> bool:
    return bool(_BIDI_CONTROLS.search(text)) or any(
        unicodedata.category(character) in _INVISIBLE_CATEGORIES for character in text
    )


def _unprintable(what: str) -> Verdict:
    return Verdict(
        Status.ERROR,
        "name_control",
        f"There is a line break or an invisible character in it. Type {what} by hand "
        "instead of pasting it.",
    )


def _too_long(what: str, length: int, limit: int) -> Verdict:
    return Verdict(
        Status.ERROR,
        "name_too_long",
        f"That is {length:,} characters long, and there is room for {limit}. Shorten {what}.",
    )
