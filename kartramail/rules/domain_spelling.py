"""Domains that were mistyped, and domains that are made to look like a provider's (R-BUSINESS).

Both judge conservatively: a real organization whose name happens to lie near a provider's must
pass, so only long, well-known names are compared, and never across the first letter (email.com,
ymail.com and mail.com are real).
"""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from kartramail.rules.providers import ProviderKind, is_under_registry, provider_kind


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
    "yandex": ("ru", "com", "by", "kz", "ua", "com.tr"),
}
# Names too short or too like a word to be compared by distance: only their ending may slip.
_ENDING_ONLY = {
    "aol": ("com",),
    "att": ("net",),
    "gmx": ("de", "net", "com", "at", "ch", "fr", "es", "it", "eu", "us", "co.uk"),
    "live": ("com", "fr", "nl", "de", "it", "ca", "co.uk", "com.au"),
    "mail": ("ru",),
    "msn": ("com",),
    "orange": ("fr",),
    "proton": ("me",),
    "web": ("de",),
}
# Slips that distance does not find, because it is larger or the name is too short for it.
_SLIPS_OF_BRANDS = {
    "icould": "icloud",
    "liev": "live",
    "lvie": "live",
    "oragne": "orange",
    "orang": "orange",
    "ornage": "orange",
    "ornge": "orange",
}
_ENDINGS = _WELL_KNOWN | _ENDING_ONLY

_SLIPS_OF_COM = _words(
    "c cm cmo cim ckm clm co coj cok coom com.com comm comn con conm cop cox cpm cum cvom dom om "
    "ocm vom von xom"
)
_SLIPS_OF_NET = _words("ne ent met nte ner nett bet")

# Real names that lie one slip from a well-known one.
_REAL = _words(
    "aol.co gmx.co gmaily.com gmails.com outlooks.com outlock.com icloud9.com iclouds.com "
    "yahoos.com yahoot.com hotmails.com verizon.com versizon.net comcast.com"
)

# Scripts with letters that people take for another's: no word of any language is written in two
# of them. Latin letters stand only beside Chinese, Japanese and Korean ones, which nobody takes
# for them (UTS #39 §5.2, and what the registries of .com and most countries hold to).
_ALIKE_SCRIPTS = _words("ARMENIAN CHEROKEE COPTIC CYRILLIC GEORGIAN GREEK LATIN LISU")
_BESIDE_LATIN = _words("BOPOMOFO CJK HANGUL HIRAGANA IDEOGRAPHIC KATAKANA KATAKANA-HIRAGANA LATIN")
_OF_NO_SCRIPT = _words("COMBINING MODIFIER")

# Letters that people cannot tell from a Latin one (a part of Unicode UTS #39), by lower case.
_LOOK_ALIKES = str.maketrans(
    "аеорсухіїјѕԁһԛԝҽѵӏոյսօցհгпкмтвнүαεικνορτυχωγσϲɑɡıɩɪʟᴍᴏʏɣᶌỿꭚᴜʋꞟꭎꭒᴄᴢᴡɯᴠᴛʜʙƅᴋɴᴘʀꭇꭈᴅᴇꬲꜱᴊǀᶃƍᴑꬽ",
    "aeopcyxiijsdhqwevlnjuoghrnkmtbhyaeikvoptuxwyocagiiilmoyyyyyuuuuuczwwvthbbknprrrdeesjlggoo",
)
_DIGITS = str.maketrans("015", "ols")


@lru_cache(maxsize=4096)
def corrected_domain(domain: str) -> str | None:
    """Return the well-known domain that `domain` (A-label) was probably meant to be, or None."""
    brand, _, ending = domain.partition(".")
    if domain in _REAL or ending in _ENDINGS.get(brand, ()):
        return None
    for known in _meant_brands(brand):
        meant = _meant_ending(ending, _ENDINGS[known], is_brand_right=brand == known)
        if meant is not None:
            return f"{known}.{meant}"
    return None


def completed_domain(label: str) -> str | None:
    """Return the well-known domain that was typed without its dots (`gmailcom`), or None."""
    return _WITHOUT_DOTS.get(label.lower())


_WITHOUT_DOTS = {
    f"{brand}{ending}".replace(".", ""): f"{brand}.{ending}"
    for brand, endings in _ENDINGS.items()
    for ending in endings
}


def mixes_scripts(shown: str) -> bool:
    """True when a label of a domain is written in two scripts whose letters look alike.

    One script is welcome, whichever it is, and so are Latin letters with marks or beside Chinese,
    Japanese or Korean ones.
    """
    return not shown.isascii() and any(_is_mixed(_scripts(label)) for label in shown.split("."))


@lru_cache(maxsize=4096)
def is_made_to_look_like(shown: str, parent: str) -> bool:
    """True when `shown` would be taken for `parent` (A-labels), or for a name under it."""
    likeness, meant = _likeness(shown), _likeness(parent.lower())
    return likeness == meant or likeness.endswith("." + meant)


@lru_cache(maxsize=4096)
def imitated_provider(domain: str, shown: str) -> str | None:
    """Return the free provider that a domain is made to look like, or None.

    `domain` is the A-label form, `shown` the form that people see.
    """
    if not shown.isascii():
        letters = latin_likeness(shown)
        if letters.isascii() and provider_kind(letters) is ProviderKind.FREE:
            return letters
    likeness = _likeness(shown)
    brand, _, ending = likeness.partition(".")
    is_well_known = ending in _WELL_KNOWN.get(brand, ())
    return likeness if is_well_known and likeness != domain else None


def latin_likeness(text: str) -> str:
    """Return `text` in lower case, with the Latin letters that people would read in it."""
    return unicodedata.normalize("NFKC", text).lower().translate(_LOOK_ALIKES)


def is_one_slip(typed: str, meant: str) -> bool:
    """One letter too few, too many, other, or two swapped (Damerau-Levenshtein distance 1)."""
    if abs(len(typed) - len(meant)) > 1 or typed == meant:
        return False
    start = _common_prefix(typed, meant)
    rest_typed, rest_meant = typed[start:], meant[start:]
    return (
        rest_typed[1:] == rest_meant
        or rest_typed == rest_meant[1:]
        or rest_typed[1:] == rest_meant[1:]
        or (rest_typed[:2] == rest_meant[:2][::-1] and rest_typed[2:] == rest_meant[2:])
    )


def _meant_brands(brand: str) -> Iterator[str]:
    """Yield the known brands that may be meant, the one that was typed first."""
    if brand in _ENDINGS:
        yield brand
    if brand in _SLIPS_OF_BRANDS:
        yield _SLIPS_OF_BRANDS[brand]
    for known in _WELL_KNOWN:
        # Across the first letter only a swap is a slip: another one makes another name of it.
        has_same_start = brand[:1] == known[:1] or brand[:2] == known[1::-1]
        if has_same_start and is_one_slip(brand, known):
            yield known


def _meant_ending(ending: str, endings: tuple[str, ...], *, is_brand_right: bool) -> str | None:
    if ending in endings:
        return None if is_brand_right else ending
    if "com" in endings and ending in _SLIPS_OF_COM:
        return "com"
    if "net" in endings and ending in _SLIPS_OF_NET:
        return "net"
    # Under an ending that exists the name could be somebody's own.
    if is_under_registry(ending):
        return None
    return next((known for known in endings if is_one_slip(ending, known)), None)


def _common_prefix(one: str, other: str) -> int:
    for index, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return index
    return min(len(one), len(other))


def _likeness(shown: str) -> str:
    """Fold what looks alike: other scripts, marks, digits, `rn` and `vv`."""
    plain = shown if shown.isascii() else _without_marks(latin_likeness(shown))
    return plain.translate(_DIGITS).replace("rn", "m").replace("vv", "w")


def _is_mixed(scripts: set[str]) -> bool:
    if "LATIN" in scripts:
        return not scripts <= _BESIDE_LATIN
    return len(scripts & _ALIKE_SCRIPTS) > 1


def _scripts(label: str) -> set[str]:
    """Name the scripts of a label's letters and digits, by the first words of their names.

    Python has no table of scripts; the names of letters begin with theirs.
    """
    letters = [letter for letter in label if unicodedata.category(letter)[0] in "LMN"]
    words = {unicodedata.name(letter, "").partition(" ")[0] for letter in letters}
    return words - _OF_NO_SCRIPT - {"DIGIT"}


def _without_marks(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
