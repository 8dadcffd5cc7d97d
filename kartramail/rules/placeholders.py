"""Local parts for generated addresses, made of a business name (R-PLACEHOLDER).

Whether a name is taken only the database can say; here stand the names to try, and the names that
are never handed out because people would take them for the platform itself.
"""

import re
import secrets
import unicodedata
from collections.abc import Iterator

from anyascii import anyascii

MAX_LOCAL_PART = 40
_NEUTRAL = "business"

_MAX_SUFFIX = 7
_MAX_BASE = MAX_LOCAL_PART - _MAX_SUFFIX - 1
# No vowels and no look-alikes: a suffix spells no word and can be read out.
_SUFFIX_LETTERS = "bcdfghjkmnpqrstvwxz23456789"
_LONG_NAME = 4  # a shorter name of the platform stands inside too many words
_SUFFIX = re.compile(f"-[{_SUFFIX_LETTERS}]{{3,{_MAX_SUFFIX}}}")

# What the language itself writes for a letter that ASCII does not have.
_DIGRAPHS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "å": "aa", "æ": "ae", "ø": "oe", "œ": "oe"}
    | {"þ": "th", "ð": "d", "&": " and ", "+": " plus ", "@": " at "}
)
_APOSTROPHES = re.compile("['’‘ʼʻ`´＇]")

# RFC 2142, and what mail systems and platforms write from.
_ROLES = (
    "abuse account accounts admin administrator alert alerts api billing bounce bounces "
    "compliance confirm contact copyright daemon delivery dkim dmarc dmca dns domain domains "
    "donotreply email fbl feedback ftp gdpr helpdesk help hostmaster imap info invoice invoices "
    "kontakt legal list listserv login mail mailer mailerdaemon mailing majordomo marketing mta mx "
    "news newsletter nobody noc noreply noreplies notification notifications notify official "
    "operator ops owner password payment payments phishing pop postmaster press privacy receipt "
    "receipts refund refunds register registrar reply replyto reset root sales security service "
    "smtp spam spf staff status subscribe support sysadmin sysop system team test tls trust "
    "unsubscribe usenet user uucp verification verify verp webmaster www"
)
# Words that make a role sound like a department, but say nothing alone.
_DEPARTMENTS = (
    "at center centre company customer department dept desk do for from group member my no not of "
    "office online our platform safety the your"
)
# Words that belong to no business in particular.
_LEGAL_FORMS = "ag and co corp gmbh inc kg limited llc llp ltd plc pty sarl"
_DIGITS_TO_IGNORE = (r"^\d+|\d+$", r"\d+")
_LOOK_ALIKES = str.maketrans("0134578i", "oleastbl")


def local_part(business_name: str) -> str:
    """Make `zoes-baeckerei` of "Zoë's Bäckerei": letters, digits, single hyphens, never empty.

    At most 32 characters, so that a suffix still fits into 40. May be a reserved name.
    """
    text = unicodedata.normalize("NFC", business_name[:200]).lower()
    text = _APOSTROPHES.sub("", text).translate(_DIGRAPHS)
    return _shortened(_hyphenated(anyascii(text).lower())) or _NEUTRAL


def candidates(business_name: str, platform_name: str = "") -> Iterator[str]:
    """Yield names to try until the database takes one: the plain one, then ever longer suffixes.

    Never ends, and needs no count of what exists: a random suffix of growing length soon is free,
    however many are taken and however many ask at the same instant.
    """
    base = _without_reserved_words(local_part(business_name), platform_name)
    yield base
    length = 3
    while True:
        suffix = "".join(secrets.choice(_SUFFIX_LETTERS) for _ in range(length))
        if not is_reserved(f"{base}-{suffix}", platform_name):
            yield f"{base}-{suffix}"
        length = min(length + 1, _MAX_SUFFIX)


def is_made_from(local: str, business_name: str, platform_name: str = "") -> bool:
    """True when `local` is one of the candidates for that business name."""
    base = _without_reserved_words(local_part(business_name), platform_name)
    return local == base or (
        local.startswith(base) and _SUFFIX.fullmatch(local[len(base) :]) is not None
    )


def is_reserved(local: str, platform_name: str = "") -> bool:
    """True for names of the platform's own, and for names that people would take for one.

    `platform_name` is the platform's domain (kartra.com) or its name alone.
    """
    squeezed = _likeness(local)
    own = _likeness(platform_name.partition(".")[0])
    if own and (own == squeezed or (len(own) >= _LONG_NAME and own in squeezed)):
        return True
    forms = (squeezed, *(_likeness(re.sub(digits, "", local)) for digits in _DIGITS_TO_IGNORE))
    return any(_SOUNDS_OFFICIAL.fullmatch(form) for form in forms)


def _hyphenated(text: str) -> str:
    return re.sub("[^a-z0-9]+", "-", text).strip("-")


def _shortened(local: str) -> str:
    """Cut at a word where one ends near the limit."""
    if len(local) <= _MAX_BASE:
        return local
    cut = local[: _MAX_BASE + 1]
    at_word = cut.rpartition("-")[0]
    return at_word if len(at_word) > _MAX_BASE // 2 else local[:_MAX_BASE].strip("-")


def _without_reserved_words(local: str, platform_name: str) -> str:
    """Leave out words that imitate: a business called "Support Desk Ltd" becomes `desk-ltd`."""
    if not is_reserved(local, platform_name):
        return local
    kept = [word for word in local.split("-") if not is_reserved(word, platform_name)]
    says_something = not set(kept) <= set(_LEGAL_FORMS.split())
    shorter = "-".join(kept)
    return shorter if says_something and not is_reserved(shorter, platform_name) else _NEUTRAL


def _likeness(local: str) -> str:
    """Fold what looks alike, so that supp0rt and adrnin are found out."""
    letters = re.sub("[^a-z0-9]", "", local.lower()).translate(_LOOK_ALIKES)
    letters = letters.replace("rn", "m").replace("vv", "w")
    return re.sub(r"(.)\1{2,}", r"\1\1", letters)


def _sounding_like(words: str) -> str:
    """A pattern for these words, with each letter once or twice: suport, supporrt."""
    folded = {re.sub(r"(.)\1+", r"\1", _likeness(word)) for word in words.split()}
    return "|".join("".join(f"{letter}{{1,2}}" for letter in word) for word in sorted(folded))


_OFFICIAL = _sounding_like(_ROLES)
_AROUND_IT = _sounding_like(f"{_DEPARTMENTS} {_LEGAL_FORMS}")
_SOUNDS_OFFICIAL = re.compile(f"(?:{_AROUND_IT})*(?:{_OFFICIAL})(?:{_OFFICIAL}|{_AROUND_IT})*")
