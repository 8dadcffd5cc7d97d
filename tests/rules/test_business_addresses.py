"""Whose address it is (R-BUSINESS, R-SIGNUP, R-PLACEHOLDER)."""

import pytest

from kartramail.rules.addresses import (
    AddressPolicy,
    Judged,
    is_same_domain,
    judge_business_address,
    judge_recipient_address,
    judge_signup_address,
)
from kartramail.rules.verdict import OK, Status

POLICY = AddressPolicy("kartra.com", own_placeholder="doe-inc@kartra.com")


def judge(domain: str) -> Judged:
    return judge_business_address(f"jane@{domain}", POLICY)


def code(domain: str) -> str | None:
    return judge(domain).verdict.code


@pytest.mark.parametrize(
    "domain",
    [
        "doeinc.com",
        "mail.doeinc.co.uk",
        "münchen-bäckerei.de",
        "пример.рф",
        "例え.jp",
        "doe.github.io",
        "facebook.com",
        "google.com",
        "nus.edu.sg",
        "mit.edu",
        "rub.de",
        "senfin.berlin.de",
        "live.mdx.ac.uk",
        "live.org",
        "gmx.io",
        "hotmailer-systems.com",
        "cabinet.gov.uk",
        "gov.in",
        "staff.corp.mail.ru",
        "straße.de",
        "tシャツ.jp",
        "한국abc.kr",
        "hawaiʻi.com",
        "l·l.cat",
        "đồnghồ.vn",
        "ελλάδα.gr",
        "ไทย.com",
        "საქართველო.ge",
    ],
)
def test_a_business_address_passes(domain: str) -> None:
    assert judge(domain).verdict == OK


@pytest.mark.parametrize(
    "domain",
    [
        "gmail.com",
        "GMAIL.com",
        "googlemail.com",
        "mail.yahoo.com",
        "yahoo.co.jp",
        "hotmail.co.nz",
        "live.fi",
        "outlook.co.uk",
        "msn.co.uk",
        "gmx.fr",
        "gmx.net",
        "web.de",
        "t-online.de",
        "orange.fr",
        "libero.it",
        "qq.com",
        "163.com",
        "mail.ru",
        "yandex.kz",
        "naver.com",
        "daum.net",
        "seznam.cz",
        "wp.pl",
        "rediffmail.com",
        "uol.com.br",
        "zohomail.eu",
        "tuta.io",
        "proton.me",
        "hey.com",
        "mailbox.org",
        "posteo.nl",
        "disroot.org",
        "icloud.com",
        "aol.co.uk",
        "comcast.net",
        "privaterelay.appleid.com",
        "duck.com",
        "mozmail.com",
        "anonaddy.me",
        "8alias.com",
    ],
)
def test_a_free_provider_is_refused_with_a_way_out(domain: str) -> None:
    verdict = judge(domain).verdict
    assert (verdict.status, verdict.code) == (Status.ERROR, "free_provider")
    assert domain.lower() in verdict.message
    assert "a domain of your own" in verdict.message
    assert judge(domain).is_free


@pytest.mark.parametrize("domain", ["mailinator.com", "x.mailinator.com", "guerrillamail.com"])
def test_a_disposable_provider_is_refused(domain: str) -> None:
    assert code(domain) == "disposable"


@pytest.mark.parametrize("domain", ["kartra.com", "KARTRA.com", "news.kartra.com"])
def test_the_platforms_own_domain_is_refused(domain: str) -> None:
    assert code(domain) == "platform_domain"


def test_only_the_own_placeholder_passes_and_only_where_it_may() -> None:
    own = "Doe-Inc@kartra.com"
    assert judge_business_address(own, POLICY, allow_own_placeholder=True).verdict == OK
    assert judge_business_address(own, POLICY).verdict.code == "platform_domain"
    other = judge_business_address("bob@kartra.com", POLICY, allow_own_placeholder=True)
    assert other.verdict.code == "platform_domain"


@pytest.mark.parametrize("domain", ["co.uk", "com.au", "github.io", "blogspot.com"])
def test_a_public_suffix_is_refused(domain: str) -> None:
    assert code(domain) == "public_suffix"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("gmil.com", "gmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("yaho.com", "yahoo.com"),
        ("yahoo.cm", "yahoo.com"),
        ("outlok.com", "outlook.com"),
        ("iclould.com", "icloud.com"),
        ("comcast.ent", "comcast.net"),
        ("aol.con", "aol.com"),
        ("icould.com", "icloud.com"),
        ("gmail.como", "gmail.com"),
        ("gmail.ccom", "gmail.com"),
        ("gmail.comk", "gmail.com"),
        ("gmail.coml", "gmail.com"),
        ("hotmail.couk", "hotmail.co.uk"),
        ("hotmail.co.ku", "hotmail.co.uk"),
        ("yahoo.co.ul", "yahoo.co.uk"),
        ("lvie.com", "live.com"),
        ("orang.fr", "orange.fr"),
        ("orange.ft", "orange.fr"),
        ("gmx.d", "gmx.de"),
        ("web.dde", "web.de"),
        ("mail.ri", "mail.ru"),
        ("yandx.ru", "yandex.ru"),
        ("laposte.nt", "laposte.net"),
        ("comcast.nt", "comcast.net"),
        ("comcast.ney", "comcast.net"),
        ("att.ne", "att.net"),
        ("bellsouth.nt", "bellsouth.net"),
        ("t-online.d", "t-online.de"),
        ("proton.em", "proton.me"),
    ],
)
def test_a_typo_of_a_well_known_domain_is_asked_about(typed: str, meant: str) -> None:
    verdict = judge(typed).verdict
    assert (verdict.code, verdict.suggestion) == ("did_you_mean", f"jane@{meant}")
    assert verdict.message == f"Did you mean jane@{meant}?"
    assert verdict.status in (Status.WARNING, Status.ERROR)


def test_a_typo_that_could_be_somebodys_domain_may_be_saved() -> None:
    assert judge("iclould.com").verdict.status is Status.WARNING


@pytest.mark.parametrize("domain", ["mail.com", "email.com", "ymail.com", "gmx.com", "yahoo.co.uk"])
def test_a_real_provider_is_no_typo_of_another(domain: str) -> None:
    assert code(domain) == "free_provider"


@pytest.mark.parametrize(
    "domain",
    [
        "verizon.com",
        "cloud.com",
        "horizon.net",
        "outlooks.com",
        "icloud9.com",
        "mail.co",
        "mail.re",
        "mail.nl",
        "web.com",
        "web.nl",
        "orange.com",
        "orange.fi",
        "orage.fr",
        "proton.ch",
        "photon.me",
        "att.com",
        "wlive.com",
        "gmail.c.uk",
        "mail.cop.uk",
    ],
)
def test_a_real_organization_near_a_provider_is_not_asked(domain: str) -> None:
    assert judge(domain).verdict == OK


@pytest.mark.parametrize(
    "domain", ["gmаil.com", "hоtmаil.com", "уahoo.com", "gmáil.com", "gmai1.com", "grnail.com"]
)
def test_letters_that_only_look_like_a_providers_are_found_out(domain: str) -> None:
    verdict = judge(domain).verdict
    assert verdict.status is Status.ERROR
    assert verdict.code == "free_provider"
    assert "look" in verdict.message


@pytest.mark.parametrize(
    ("domain", "code"),
    [
        ("kаrtra.com", "platform_domain"),
        ("mail.kаrtra.com", "platform_domain"),
        ("kártra.com", "platform_domain"),
        ("үahoo.com", "free_provider"),
        ("γahoo.com", "free_provider"),
        ("yahσo.com", "free_provider"),
        ("oᴜtlook.com", "free_provider"),
        ("gmail.соm", "free_provider"),
        ("ყahoo.com", "syntax"),
        ("protoռmail.com", "syntax"),
        ("gmaᎥl.com", "syntax"),
        ("ⲟutlook.com", "syntax"),
        ("paypаl.com", "syntax"),
        ("doeιnc.com", "syntax"),
        ("doe.inс.com", "syntax"),
        ("жγж.com", "syntax"),
        ("yah૦o.com", "syntax"),
        ("doeⵏnc.com", "syntax"),
    ],
)
def test_letters_of_other_alphabets_cannot_pass_for_latin_ones(domain: str, code: str) -> None:
    verdict = judge(domain).verdict
    assert verdict.status is Status.ERROR
    assert verdict.code == code
    assert "look alike but are others" in verdict.message
    assert judge_signup_address(f"jane@{domain}", POLICY).verdict == verdict
    assert judge_recipient_address(f"jane@{domain}", POLICY).verdict == OK


def test_sign_up_takes_a_free_address_and_refuses_a_disposable_one() -> None:
    free = judge_signup_address("jane@gmail.com", POLICY)
    assert free.verdict == OK
    assert free.is_free
    assert judge_signup_address("jane@mailinator.com", POLICY).verdict.code == "disposable"
    assert judge_signup_address("jane@kartra.com", POLICY).verdict.code == "platform_domain"
    assert judge_signup_address("jane@gmail.con", POLICY).verdict.code == "did_you_mean"


@pytest.mark.parametrize("domain", ["21cn.com", "sify.com"])
def test_an_ordinary_provider_that_a_list_calls_disposable_may_sign_up(domain: str) -> None:
    assert judge_signup_address(f"jane@{domain}", POLICY).verdict == OK


def test_sign_up_knows_a_business_address() -> None:
    assert not judge_signup_address("jane@doeinc.com", POLICY).is_free


def test_any_sound_address_may_be_written_to() -> None:
    for text in ("bob@gmail.com", "bob@mailinator.com", "bob@kartra.com"):
        assert judge_recipient_address(text, POLICY).verdict == OK
    assert judge_recipient_address("bob@doe.test", POLICY).verdict.code == "special_use"
    assert judge_recipient_address("bob", POLICY).address is None


def test_domains_are_compared_after_idna_and_lower_casing() -> None:
    """R-SAME-DOMAIN."""
    one = judge("MÜNCHEN-bäckerei.de").address
    other = judge("xn--mnchen-bckerei-dib09a.DE").address
    third = judge("www.münchen-bäckerei.de").address
    assert one and other and third
    assert is_same_domain(one, other)
    assert not is_same_domain(one, third)
