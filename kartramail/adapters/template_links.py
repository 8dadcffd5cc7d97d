"""Addresses in HTML: which may stay, and what becomes of one that a variable filled in.

A browser ignores blanks and control characters in a scheme (URL §4.4), so they are left out before
judging.
"""

import html
import re

SAFE_SCHEMES = frozenset({"http", "https", "mailto", "tel", "sms", "cid", "webcal"})
URL_ATTRIBUTES = frozenset({"href", "src", "background", "cite"})

_IGNORED = re.compile("[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028\u2029]+")
_SCHEME = re.compile(r"([^:/?#]*)([:/?#]?)")

MAX_BEGINNING = 200
"""Characters in which an address must have shown what it begins with."""

_NAMES = ("href", "src", "background", "cite", "action", "poster")
# Found by what stands before `=`, and looked at without being consumed: a value may hold `href=`,
# and what seems to be its address must not hide the next one.
_BEHIND = "|".join(f"(?<={name}=)" for name in (*_NAMES, r"\s"))
_VALUE = re.compile(
    rf"""=(?:{_BEHIND})(?=(?P<blank>\s*+["']?\s*+)(?P<begins>[^"'>]{{0,{MAX_BEGINNING}}}))""",
    re.IGNORECASE,
)
_CUT_ENTITY = re.compile(r"&#?\w*$")
_SPACED_NAME = re.compile(rf"(?:{'|'.join(_NAMES)})\s{{0,150}}=$", re.IGNORECASE)
_UNDECIDED = r"""[^"'>:/?\#]"""
_WRITTEN_BY_CODE = re.compile(
    rf"""(?:{"|".join(_NAMES)})\s{{0,150}}=\s{{0,150}}["']?"""
    rf"""(?:{_UNDECIDED}{{0,{MAX_BEGINNING}}}?\{{[{{%]|{_UNDECIDED}{{{MAX_BEGINNING}}})""",
    re.IGNORECASE,
)


def is_safe(address: str) -> bool:
    """Whether an address without code is relative or has a scheme that mail may have."""
    scheme, stop = beginning(address)
    return stop != ":" or scheme in SAFE_SCHEMES


def beginning(address: str) -> tuple[str, str]:
    """What stands before the first of `: / ? #`, in lower case, and which of them it is."""
    compact = _IGNORED.sub("", html.unescape(address))
    match = _SCHEME.match(compact)
    return (match[1].lower(), match[2]) if match else ("", "")


def has_written_addresses(source: str) -> bool:
    """Whether code in an HTML template may decide what an address begins with."""
    return bool(_WRITTEN_BY_CODE.search(source))


def defuse_links(rendered: str) -> str:
    """Rendered HTML in which no address of a script works: a variable may have held one.

    An address whose scheme is none that mail may have becomes `#`.
    """
    parts, position = [], 0
    for match in _VALUE.finditer(rendered):
        begin, begins = match.end("blank"), match["begins"]
        if begin < position:
            continue
        is_cut = len(begins) == MAX_BEGINNING
        scheme, stop = beginning(_CUT_ENTITY.sub("", begins) if is_cut else begins)
        is_open = is_cut and not stop
        if scheme in SAFE_SCHEMES or not (stop == ":" or is_open):
            continue
        if not rendered[match.start() - 1].isspace() or _is_spaced_address(rendered, match.end()):
            parts += [rendered[position:begin], "#"]
            position = _end_of_value(rendered, begin, match["blank"])
    return "".join([*parts, rendered[position:]])


def _is_spaced_address(rendered: str, end: int) -> bool:
    return bool(_SPACED_NAME.search(rendered[max(end - 160, 0) : end]))


def _end_of_value(rendered: str, begin: int, blank: str) -> int:
    """Where a value ends: at its quote, or at a blank where it has none."""
    quote = blank.strip()
    ending = re.compile(re.escape(quote) if quote else r"[\s>]").search(rendered, begin)
    return ending.start() if ending else len(rendered)
