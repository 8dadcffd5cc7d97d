"""What a form, a calendar or a product may be called: any script of the world, in one line."""

import re
import unicodedata

from kartramail.rules.verdict import OK, Status, Verdict

MAX_ASSET_NAME = 200

_TURNS_AROUND = re.compile("[\u202a-\u202e\u2066-\u2069]")
_INVISIBLE_CATEGORIES = {"Cc", "Cs", "Zl", "Zp"}


def clean_asset_name(text: str) -> str:
    """The name as it is saved: composed (NFC), without spaces around it and runs of them."""
    return unicodedata.normalize("NFC", re.sub(" +", " ", text).strip(" "))


def judge_asset_name(text: str) -> Verdict:
    """Judge a name as it was typed; spaces around it and runs of them are forgiven."""
    name = clean_asset_name(text)
    if not name:
        return _refusal("name_empty", "Type a name, so that you know it again in lists.")
    if _TURNS_AROUND.search(name) or any(
        unicodedata.category(character) in _INVISIBLE_CATEGORIES for character in name
    ):
        return _refusal(
            "name_control",
            "There is a line break or an invisible character in the name. Type it by hand instead "
            "of pasting it.",
        )
    if len(name) > MAX_ASSET_NAME:
        return _refusal(
            "name_too_long",
            f"The name has {len(name):,} characters, and there is room for {MAX_ASSET_NAME}. "
            "Shorten it.",
        )
    return OK


def _refusal(code: str, message: str) -> Verdict:
    return Verdict(Status.ERROR, code, message)
