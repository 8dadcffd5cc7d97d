"""What a mail program makes a link of, in names that strangers get to read in our mail (R-SAFE).

Whoever signs up chooses the name of a business and any address to have it mailed to: a name must
not carry them further than to our own page.
"""

import re
import unicodedata

MAX_SHOWN = 40

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_DOTS = str.maketrans("。․", "..")
_DOMAIN = r"(?:[\w-]+\.)+(?:[^\W\d_]{2,}|xn--[\w-]+)"
_NUMBER = r"\d{1,3}(?:\.\d{1,3}){3}"
_LINK = re.compile(
    r"://|\bwww\."
    r"|\b(?:https?|ftps?|mailto|tel|sms|callto|skype|whatsapp):\S"
    rf"|\S@{_DOMAIN}"
    rf"|\b(?:{_DOMAIN}|{_NUMBER})\.?(?::\d|[/\\]|[?#]\S)",
    re.IGNORECASE,
)
_PHONE_NUMBER = re.compile(r"(?:\d[\s()./+-]*){7,}")
_DOT_WITHIN = re.compile(r"\.(?=\w)")


def holds_link(text: str) -> bool:
    """Whether it holds a web address with a path, one with its scheme, or a mail address.

    A bare domain may be a name: Booking.com.
    """
    return _LINK.search(_plain(text)) is not None


def shown_to_stranger(name: str, otherwise: str) -> str:
    """A name as a mail to somebody who never asked for it may show it: short, and no link.

    `otherwise` stands for a name that could not be shown like that.
    """
    plain = _plain(name)
    if holds_link(name) or _PHONE_NUMBER.search(plain):
        return otherwise
    spaced = _DOT_WITHIN.sub(". ", plain if "." in plain else name)
    return spaced if len(spaced) <= MAX_SHOWN else f"{spaced[: MAX_SHOWN - 1].rstrip()}…"


def _plain(text: str) -> str:
    """As a reader sees it: wide letters made narrow, without what hides between letters."""
    return unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).translate(_DOTS)
