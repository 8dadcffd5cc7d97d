"""Domains that were mistyped, and domains that are made to look like a provider's (R-BUSINESS).

Both judge conservatively: a real organization whose name happens to lie near a provider's must
pass, so only long, well-known names are compared, and never across the first letter (email.com,
ymail.com and mail.com are real).
"""

import unicodedata
from functools import lru_cache

from kartramail.rules.providers import ProviderKind, provider_kind


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Where people's slips end up. The brand is compared by edit distance, the ending by known slips.
_WELL_KNOWN = {
    "gmail": ("com",),
    "googlemail": ("com",),
    "yahoo": ("com", "co.uk", "co.in", "com.br", "fr", "de", "it", "es", "ca", "com.au", "co.jp"),
    "hotmail": ("com", "co.uk", "fr", "de", "it", "es", "com.br", "com.ar"),
    "outlook": ("com", "fr", "de", "es", "it", "com.br"),
    "icloud": ("com",),
    "protonmail": ("com",),
    "rediffmail": ("com",),
    "comcast": ("net",),
    "verizon": ("net",),
    "sbcglobal": ("net",),
    "bellsouth": ("net",),
    "btinternet": ("com",),
    "wanadoo": ("fr",),
    "laposte": ("net",),
    "t-online": ("de",),
}
# Names too short or too like a word to be compared by distance: only their ending may slip.
_ENDING_ONLY = {"aol": ("com",), "live": ("com",), "msn": ("com",), "gmx": ("com", "de", "net")}

_SLIPS_OF_COM = _words(
    "c cm cmo cim ckm clm co coj cok coom com.com comm comn con conm cop cox cpm cum cvom dom om "
    "ocm vom von xom"
)
_SLIPS_OF_NET = _words("ne ent met nte ner nett bet")

# Real names that lie one slip from a well-known one.
_REAL = _words(
    "aol.co gmx.co gmaily.com gmails.com outlooks.com outlock.com iclouds.com "
    "yahoos.com yahoot.com hotmails.com verizon.com versizon.net comcast.com"
)

# Letters that people cannot tell from a Latin one (a part of Unicode UTS #39), by lower case.
_LOOK_ALIKES = str.maketrans(
    "аеорсухіїјѕԁһԛԝҽѵӏոյսօցհгпкмтвнαεικνορτυχωϲɑɡıɩʟᴍᴏ",
    "aeopcyxiijsdhqwevlnjuoghrnkmtbhaeikvoptuxwcagiilmo",
)
_DIGITS = str.maketrans("015", "ols")


@lru_cache(maxsize=4096)
def corrected_domain(domain: str) -> str | None:
    """Return the well-known domain that `domain` (A-label) was probably meant to be, or None."""
    brand, _, ending = domain.partition(".")
    if domain in _REAL or ending in _WELL_KNOWN.get(brand, ()):
        return None
    for known, endings in _WELL_KNOWN.items():
        if brand == known or _is_one_slip(brand, known):
            meant = _meant_ending(ending, endings, is_brand_right=brand == known)
            if meant is not None:
                return f"{known}.{meant}"
    meant = _meant_ending(ending, _ENDING_ONLY.get(brand, ()), is_brand_right=True)
    return f"{brand}.{meant}" if meant else None


@lru_cache(maxsize=4096)
def imitated_provider(domain: str, shown: str) -> str | None:
    """Return the free provider that a domain is made to look like, or None.

    `domain` is the A-label form, `shown` the form that people see.
    """
    if not shown.isascii():
        likeness = _latin_likeness(shown)
        if likeness.isascii() and provider_kind(likeness) is ProviderKind.FREE:
            return likeness
        likeness = _without_marks(likeness)
    else:
        likeness = domain
    likeness = likeness.translate(_DIGITS).replace("rn", "m").replace("vv", "w")
    brand, _, ending = likeness.partition(".")
    is_well_known = ending in _WELL_KNOWN.get(brand, ())
    return likeness if is_well_known and likeness != domain else None


def _meant_ending(ending: str, endings: tuple[str, ...], *, is_brand_right: bool) -> str | None:
    if ending in endings:
        return None if is_brand_right else ending
    if "com" in endings and ending in _SLIPS_OF_COM:
        return "com"
    if "net" in endings and ending in _SLIPS_OF_NET:
        return "net"
    return None


def _is_one_slip(typed: str, meant: str) -> bool:
    """One letter too few, too many, other, or two swapped (Damerau-Levenshtein distance 1)."""
    if abs(len(typed) - len(meant)) > 1 or not typed or typed == meant:
        return False
    start = _common_prefix(typed, meant)
    if start == 0:
        return len(meant) > 1 and typed == meant[1] + meant[0] + meant[2:]
    rest_typed, rest_meant = typed[start:], meant[start:]
    return (
        rest_typed[1:] == rest_meant
        or rest_typed == rest_meant[1:]
        or rest_typed[1:] == rest_meant[1:]
        or (rest_typed[:2] == rest_meant[:2][::-1] and rest_typed[2:] == rest_meant[2:])
    )


def _common_prefix(one: str, other: str) -> int:
    for index, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return index
    return min(len(one), len(other))


def _latin_likeness(shown: str) -> str:
    return unicodedata.normalize("NFKC", shown).lower().translate(_LOOK_ALIKES)


def _without_marks(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
