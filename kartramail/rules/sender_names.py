"""What a sender may be called (R-NAME). Any script of the world is welcome.

Refused is what would let a name pass for something else: line breaks and control characters, text
that runs backwards, invisible letters, and an address inside the name (display-name spoofing).
"""

import re
import unicodedata

from kartramail.rules.verdict import OK, Status, Verdict

MAX_SENDER_NAME = 64  # code points after NFC and trimming; most inboxes show fewer

_JOINERS = frozenset("\u200c\u200d")  # ZWNJ, ZWJ: Persian, Indic scripts and emoji need them
_DIRECTION_MARKS = frozenset("\u200e\u200f\u061c")  # harmless, and part of Hebrew and Arabic text
_ALLOWED_FORMATS = _JOINERS | _DIRECTION_MARKS
_NUMBER_SIGNS = range(0x0600, 0x0606)  # Arabic signs that are seen, though called format characters
_FLAG_TAGS = range(0xE0020, 0xE0080)  # the flags of England, Scotland and Wales are made of these
_BLACK_FLAG = "\U0001f3f4"

_FALLBACK = "Our business"
# `jane@doe`, also spaced out where a domain with a dot follows: `jane @ doe . com`. One letter
# beside the @ makes no address without such a domain: `C@fe`, `R@D`.
_PART = r"[^\s@()<>\"'“”‘’«»]"
_ADDRESS = re.compile(rf"{_PART}{{2,}}@{_PART}{{2,}}|{_PART}\s*@\s*[\w-]+(\s*\.\s*[\w-]+)+|\S@\[")


def judge_sender_name(text: str) -> Verdict:
    """Judge a sender name as it was typed; spaces around it and runs of them are forgiven."""
    name = clean_sender_name(text)
    if any(_is_forbidden(name, index) for index in range(len(name))):
        return _refusal(
            "name_control",
            "The name holds a line break or an invisible character. Type it again by hand.",
        )
    if not _has_something_to_see(name):
        return _refusal("name_empty", "Type the name that people should see beside your mail.")
    if len(name) > MAX_SENDER_NAME:
        return _refusal(
            "name_too_long",
            f"The name has {len(name)} characters. Shorten it to {MAX_SENDER_NAME}, so that "
            "inboxes show it whole.",
        )
    if _holds_address(name):
        return _refusal(
            "name_address",
            "An address inside the name makes mail look forged. Type a name only, and leave the @ "
            "out.",
        )
    return OK


def clean_sender_name(text: str) -> str:
    """Return the name as it is saved: composed (NFC), trimmed, with single spaces.

    Only spaces are touched: a line break or control character stays, and is refused.
    """
    spaced = "".join(" " if _is_space(letter) else letter for letter in text)
    return unicodedata.normalize("NFC", re.sub(" +", " ", spaced).strip(" "))


def fit_sender_name(business_name: str) -> str:
    """Make a legal sender name of any business name, itself where it is one (R-PREFILL)."""
    name = clean_sender_name(business_name)
    if judge_sender_name(name) == OK:
        return name
    kept = "".join(_replacement(name, index) for index in range(len(name)))
    name = clean_sender_name(kept)
    if _holds_address(name):
        name = clean_sender_name(re.sub("[@＠﹫]", " at ", name))
    name = clean_sender_name(name[:MAX_SENDER_NAME])
    return name if judge_sender_name(name) == OK else _FALLBACK


def _refusal(code: str, message: str) -> Verdict:
    return Verdict(Status.ERROR, code, message)


def _holds_address(name: str) -> bool:
    """Also with a wide or small @ sign, and with joiners between the letters."""
    plain = "".join(letter for letter in name if letter not in _ALLOWED_FORMATS)
    return _ADDRESS.search(unicodedata.normalize("NFKC", plain)) is not None


def _has_something_to_see(name: str) -> bool:
    return any(
        unicodedata.category(letter)[0] in "LNPS" and letter not in _BLANK_LETTERS
        for letter in name
    )


_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # fillers that show as nothing


def _is_space(letter: str) -> bool:
    return unicodedata.category(letter) == "Zs"


def _is_forbidden(name: str, index: int) -> bool:
    letter = name[index]
    category = unicodedata.category(letter)
    if category in ("Cc", "Cs", "Zl", "Zp"):
        return True
    if category == "Cf":
        return not _is_allowed_format(name, index)
    return category == "Cn" and (ord(letter) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(letter) <= 0xFDEF)


def _is_allowed_format(name: str, index: int) -> bool:
    letter = name[index]
    if letter in _ALLOWED_FORMATS or ord(letter) in _NUMBER_SIGNS:
        return True
    before = name[:index].rstrip("".join(map(chr, _FLAG_TAGS)))
    return ord(letter) in _FLAG_TAGS and before.endswith(_BLACK_FLAG)


def _replacement(name: str, index: int) -> str:
    """A space for a line break, nothing for what is invisible, else the letter itself."""
    if not _is_forbidden(name, index):
        return name[index]
    return " " if unicodedata.category(name[index]) in ("Cc", "Zl", "Zp") else ""
