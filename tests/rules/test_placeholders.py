"""R-PLACEHOLDER: local parts for generated addresses."""

import re
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartramail.rules.placeholders import (
    MAX_LOCAL_PART,
    candidates,
    is_made_from,
    is_reserved,
    local_part,
)

PLATFORM = "kartra.com"
LEGAL = re.compile("[a-z0-9]+(-[a-z0-9]+)*")


@pytest.mark.parametrize(
    ("business", "local"),
    [
        ("Zoë's Bäckerei", "zoes-baeckerei"),
        ("Doe, Inc.", "doe-inc"),
        ("Doe & Sons", "doe-and-sons"),
        ("Smørrebrød Ærø", "smoerrebroed-aeroe"),
        ("Strauß", "strauss"),
        ("Пекарня Зоя", "pekarnya-zoya"),
        ("  A  --  B  ", "a-b"),
        ("O’Neil", "oneil"),
        ("", "business"),
        ("!!!", "business"),
        ("\u200d", "business"),
    ],
)
def test_a_business_name_becomes_a_local_part(business: str, local: str) -> None:
    assert local_part(business) == local


def test_a_name_in_another_script_is_written_in_ascii() -> None:
    assert LEGAL.fullmatch(local_part("株式会社ドウ"))
    assert LEGAL.fullmatch(local_part("مخبز"))


def test_a_long_name_ends_with_a_whole_word() -> None:
    assert local_part("The very long name of a business that goes on") == (
        "the-very-long-name-of-a-business"
    )


def test_the_plain_name_comes_first_and_then_suffixes_that_grow() -> None:
    first, *others = islice(candidates("Doe Inc", PLATFORM), 6)
    assert first == "doe-inc"
    lengths = [len(each) - len("doe-inc-") for each in others]
    assert lengths == [3, 4, 5, 6, 7]


def test_fifty_sign_ups_of_one_name_get_fifty_names_in_few_tries() -> None:
    taken: set[str] = set()
    for _ in range(50):
        tries = list(islice(candidates("Doe Inc", PLATFORM), 6))
        taken.add(next(each for each in tries if each not in taken))
    assert len(taken) == 50


def test_a_million_taken_names_need_no_more_than_a_few_tries() -> None:
    """All short suffixes gone: the fifth try already has fourteen million names to draw from."""
    tries = list(islice(candidates("Doe Inc", PLATFORM), 5))
    assert len(tries[-1]) - len("doe-inc-") == 6


def test_names_that_were_made_of_a_business_name_are_known_again() -> None:
    for each in islice(candidates("Zoë's Bäckerei", PLATFORM), 8):
        assert is_made_from(each, "Zoë's Bäckerei", PLATFORM)
    assert not is_made_from("doe-inc", "Zoë's Bäckerei", PLATFORM)
    assert not is_made_from("zoes-baeckerei-and-cafe", "Zoë's Bäckerei", PLATFORM)


@pytest.mark.parametrize(
    "local",
    [
        "postmaster",
        "abuse",
        "hostmaster",
        "webmaster",
        "notifications",
        "no-reply",
        "noreply",
        "support",
        "billing",
        "security",
        "admin",
        "root",
        "mailer-daemon",
        "bounce",
        "bounces",
        "unsubscribe",
        "fbl",
        "dmarc",
        "info",
        "sales",
        "www",
        "ftp",
        "usenet",
        "news",
        "noc",
        "kartra",
        "kartra-support",
        "my-kartra",
        "kartrahelp",
    ],
)
def test_names_of_the_platform_are_reserved(local: str) -> None:
    assert is_reserved(local, PLATFORM)


@pytest.mark.parametrize(
    "local",
    [
        "supp0rt",
        "n0-reply",
        "no--reply",
        "n0reply123",
        "support-team",
        "supportteam",
        "the-support",
        "customer-support",
        "admin1",
        "4dmin",
        "adrnin",
        "security-alerts",
        "billing-department",
        "suport",
        "supporrt",
        "post-master",
        "postmaster2",
        "k4rtra",
        "kar-tra",
        "notificatlons",
        "do-not-reply",
        "SUPPORT",
        "support.team",
        "supportlimited",
    ],
)
def test_imitations_are_reserved(local: str) -> None:
    assert is_reserved(local, PLATFORM)


@pytest.mark.parametrize(
    "local",
    [
        "doe-inc",
        "zoes-baeckerei",
        "alpine-security-systems",
        "adminton",
        "supporters-club",
        "smith",
        "testament",
        "contact-lenses-ny",
        "newsome",
        "maillard",
        "the-bakery",
        "rooted-plants",
    ],
)
def test_honest_names_are_not_reserved(local: str) -> None:
    assert not is_reserved(local, PLATFORM)


_MORE_ROLES = (
    "tech-support technical-support it-support customer-care client-support member-services admins "
    "administration administrators autoreply auto-reply autoresponder do-not-answer noresponse "
    "finance accounting invoicing subscription subscriptions order orders confirmation "
    "confirmations welcome updates return returns unsub optout fraud cert csirt psirt soc dpo "
    "ssladmin ssladministrator sslwebmaster it is tlsrpt autodiscover autoconfig mta-sts webmail "
    "everyone all soporte kundenservice accounts-payable privacy-officer podderzhka"
)
_ONE_SLIP = (
    "notifcations postmster webmster hostmster securty mailerdemon supprt suppport no-replay "
    "cartra karta kartraa kqrtra akrtra kartr"
)


@pytest.mark.parametrize("local", [*_MORE_ROLES.split(), *_ONE_SLIP.split()])
def test_further_roles_and_what_is_one_slip_from_one_are_reserved(local: str) -> None:
    assert is_reserved(local, PLATFORM)


@pytest.mark.parametrize("local", ["ali", "al", "allen", "its-pizza", "orderly", "teal", "isla"])
def test_short_roles_take_no_name_that_only_holds_them(local: str) -> None:
    assert not is_reserved(local, PLATFORM)


@pytest.mark.parametrize("business", ["Suррort", "ѕupport", "Кartra", "ѕесurіtу", "Suррort Теаm"])
def test_a_name_is_judged_as_it_looks_too(business: str) -> None:
    assert next(candidates(business, PLATFORM)) == "business"
    assert is_made_from("business", business, PLATFORM)


@pytest.mark.parametrize("business", ["Kartra", "Kartra Help Team", "Cartra", "MyKartra", "Mail"])
def test_the_platforms_name_is_kept_also_where_its_domain_is_a_subdomain(business: str) -> None:
    assert next(candidates(business, "mail.kartra.com")) == "business"


def test_a_label_before_the_platforms_name_is_reserved_only_alone() -> None:
    assert is_reserved("app", "app.kartra.co.uk")
    assert is_reserved("kartra-help", "app.kartra.co.uk")
    assert not is_reserved("apple-pies", "app.kartra.co.uk")
    assert next(candidates("Mailchimp", "mail.kartra.com")) == "mailchimp"


def test_a_short_platform_name_does_not_take_every_word_that_holds_it() -> None:
    assert is_reserved("go", "go.com")
    assert not is_reserved("golden-bakery", "go.com")


@pytest.mark.parametrize(
    ("business", "local"),
    [
        ("Support Desk Ltd", "desk-ltd"),
        ("Security Alerts", "business"),
        ("Kartra", "business"),
        ("Kartra Bakery", "bakery"),
        ("Admin", "business"),
    ],
)
def test_a_business_that_is_called_like_the_platform_gets_another_name(
    business: str, local: str
) -> None:
    assert next(candidates(business, PLATFORM)) == local


@given(st.text(max_size=60) | st.text(alphabet="support admn01-kartr ä", max_size=60))
def test_any_text_gives_legal_names_that_nobody_reserved(business: str) -> None:
    for local in islice(candidates(business, PLATFORM), 7):
        assert LEGAL.fullmatch(local)
        assert len(local) <= MAX_LOCAL_PART
        assert not is_reserved(local, PLATFORM)
