"""Local parts for generated addresses, made of a business name (R-PLACEHOLDER).

Whether a name is taken only the database can say; here stand the names to try, and the names that
are never handed out because people would take them for the platform itself.
"""

import re
import secrets
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from anyascii import anyascii

from kartramail.rules.domain_spelling import is_one_slip, latin_likeness
from kartramail.rules.providers import organizational_domain

MAX_LOCAL_PART = 40
_NEUTRAL = "business"

_MAX_SUFFIX = 7
_MAX_BASE = MAX_LOCAL_PART - _MAX_SUFFIX - 1
# No vowels and no look-alikes: a suffix spells no word and can be read out.
_SUFFIX_LETTERS = "bcdfghjkmnpqrstvwxz23456789"
_LONG_NAME = 4  # a shorter name of the platform stands inside, or one slip from, too many words
_SUFFIX = re.compile(f"-[{_SUFFIX_LETTERS}]{{3,{_MAX_SUFFIX}}}")

# What the language itself writes for a letter that ASCII does not have.
_DIGRAPHS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "å": "aa", "æ": "ae", "ø": "oe", "œ": "oe"}
    | {"þ": "th", "ð": "d", "&": " and ", "+": " plus ", "@": " at "}
)
_APOSTROPHES = re.compile("['’‘ʼʻ`´＇]")

# RFC 2142, what mail systems and platforms write from, and whom certificate authorities ask
# whether a domain is theirs (administrator@, ssladmin@ …).
_ROLES = (
    "abuse account accounting accounts admin administration administrator administrators admins "
    "alert alerts antifraud api autoconfig autodiscover autoreply autoresponder billing bounce "
    "bounces cert certificate certificates clientcare compliance confirm confirmation "
    "confirmations contact copyright csirt customercare daemon delivery dkim dmarc dmca dns domain "
    "domains donotanswer donotreply email everybody everyone fbl feedback finance fraud ftp gdpr "
    "helpdesk help hostmaster imap info invoice invoices invoicing legal list listserv login mail "
    "mailadmin mailer mailerdaemon mailing majordomo marketing membercare mta mtasts mx news "
    "newsletter nobody noanswer noc noreply noreplies noresponse notification notifications notify "
    "official operator ops optin optout order orders owner password payment payments phishing pop "
    "postmaster press privacy psirt receipt receipts refund refunds register registrar reply "
    "replyto reset return returns root sales security servicedesk service services smtp spam spf "
    "ssladmin ssladministrator sslwebmaster staff status subscribe subscription subscriptions "
    "support sysadmin sysop system team test tls tlsrpt trust unsub unsubscribe update updates "
    "usenet user uucp verification verify verp webmail webmaster welcome www"
)
# The same in the languages that people write to a platform in.
_FOREIGN_ROLES = (
    "aide assistance assistenza asistencia atendimento ayuda buchhaltung contacto contato contatto "
    "cuenta datenschutz destek facturacion facturation fatturazione faturamento hilfe "
    "kefu klantenservice kontakt kontakte kundendienst kundenservice kundensupport obsluga "
    "ondersteuning podderzhka pomoc rechnung rechnungen sapoto securite seguranca seguridad "
    "sicherheit sicurezza soporte supporto suporte tuki wsparcie"
)
# Trusted so much, and so unlike any word, that one slip away from them is an imitation.
_IMITATED_ROLES = (
    "administrator hostmaster mailerdaemon noreply notification notifications postmaster security "
    "support sysadmin unsubscribe verification webmaster"
)
# Too short, or too common inside other words, to be looked for in them: only alone.
_ROLES_ALONE = frozenset(
    {"all", "ca", "ceo", "cfo", "cto", "dpo", "hr", "is", "it", "me", "pki", "remove", "soc"}
    | {"ssl", "sudo", "superuser", "toor", "users", "we"}
)
# Words that make a role sound like a department, but say nothing alone.
_DEPARTMENTS = (
    "agent at care center centre client clients company customer customers department dept desk do "
    "for from group it member members my no not of office officer online our payable platform "
    "receivable reports safety tech technical the user users your"
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
    base = _base(business_name, platform_name)
    yield base
    length = 3
    while True:
        suffix = "".join(secrets.choice(_SUFFIX_LETTERS) for _ in range(length))
        if not is_reserved(f"{base}-{suffix}", platform_name):
            yield f"{base}-{suffix}"
        length = min(length + 1, _MAX_SUFFIX)


def is_made_from(local: str, business_name: str, platform_name: str = "") -> bool:
    """True when `local` is one of the candidates for that business name."""
    base = _base(business_name, platform_name)
    return local == base or (
        local.startswith(base) and _SUFFIX.fullmatch(local[len(base) :]) is not None
    )


def is_reserved(local: str, platform_name: str = "") -> bool:
    """True for names of the platform's own, and for names that people would take for one.

    `platform_name` is the platform's domain (kartra.com) or its name alone.
    """
    if local.lower() in _ROLES_ALONE:
        return True
    squeezed = _likeness(local)
    if _is_like_platform(squeezed, platform_name):
        return True
    forms = {squeezed, *(_likeness(re.sub(digits, "", local)) for digits in _DIGITS_TO_IGNORE)}
    return any(_sounds_official(form) for form in forms)


def _base(business_name: str, platform_name: str) -> str:
    """The plain local part; nothing that is, or that people would read as, a reserved name."""
    seen = local_part(latin_likeness(business_name))
    # A Cyrillic "Suррort" is read as another word than the one it is transliterated to.
    if not business_name.isascii() and is_reserved(seen, platform_name):
        return _without_reserved_words(seen, platform_name)
    return _without_reserved_words(local_part(business_name), platform_name)


def _is_like_platform(squeezed: str, platform_name: str) -> bool:
    """The platform's own name also inside others; what stands before it (`mail.`) only alone."""
    own, others = _platform_names(platform_name)
    if not own:
        return False
    if squeezed == own or squeezed in others:
        return True
    return len(own) >= _LONG_NAME and (own in squeezed or is_one_slip(squeezed, own))


@lru_cache(maxsize=16)
def _platform_names(platform_name: str) -> tuple[str, frozenset[str]]:
    """The name that the platform goes by, and further labels before it, as they look."""
    domain = platform_name.lower().rstrip(".")
    organization = organizational_domain(domain)
    before = domain.removesuffix(organization).split(".")
    own = _likeness(organization.partition(".")[0])
    return own, frozenset(_likeness(label) for label in before if label)


def _sounds_official(form: str) -> bool:
    return _SOUNDS_OFFICIAL.fullmatch(form) is not None or any(
        is_one_slip(form, role) for role in _IMITATED
    )


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


_OFFICIAL = _sounding_like(f"{_ROLES} {_FOREIGN_ROLES}")
_IMITATED = tuple(map(_likeness, _IMITATED_ROLES.split()))
_AROUND_IT = _sounding_like(f"{_DEPARTMENTS} {_LEGAL_FORMS}")
_SOUNDS_OFFICIAL = re.compile(f"(?:{_AROUND_IT})*(?:{_OFFICIAL})(?:{_OFFICIAL}|{_AROUND_IT})*")
