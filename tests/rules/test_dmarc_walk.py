"""R-DMARC: which names are asked, and whose domain is whose (RFC 9989 §4.10)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartramail.rules.dmarc import (
    DmarcRecord,
    Policy,
    ends_walk,
    governing_domain,
    organization_of,
    walk_names,
)


def records(**psd_by_name: str) -> dict[str, DmarcRecord]:
    return {
        name.replace("_", "."): DmarcRecord("v=DMARC1; p=none", Policy.NONE, psd=psd)
        for name, psd in psd_by_name.items()
    }


def test_it_asks_the_domain_and_all_above_it() -> None:
    assert walk_names("a.mail.doeinc.com") == (
        "a.mail.doeinc.com", "mail.doeinc.com", "doeinc.com", "com",
    )  # fmt: skip
    assert walk_names("com") == ("com",)


def test_a_long_name_is_cut_to_its_last_seven_labels() -> None:
    """The example of RFC 9989 §4.10."""
    assert walk_names("a.b.c.d.e.f.g.h.i.j.mail.example.com") == (
        "a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "g.h.i.j.mail.example.com",
        "h.i.j.mail.example.com",
        "i.j.mail.example.com",
        "j.mail.example.com",
        "mail.example.com",
        "example.com",
        "com",
    )


@pytest.mark.parametrize(("labels", "names"), [(7, 7), (8, 8), (9, 8), (40, 8)])
def test_it_asks_at_most_eight_names(labels: int, names: int) -> None:
    assert len(walk_names(".".join(f"l{number}" for number in range(labels)))) == names


LABELS = st.lists(st.text("abc-0", min_size=1, max_size=6), min_size=1, max_size=60)


@given(LABELS)
def test_every_name_is_the_domain_or_above_it_and_the_walk_ends_at_the_top(
    labels: list[str],
) -> None:
    domain = ".".join(labels)
    names = walk_names(domain)
    assert len(names) == len(set(names)) <= 8
    assert names[0] == domain
    assert names[-1] == labels[-1]
    assert all(domain == name or domain.endswith(f".{name}") for name in names)


@pytest.mark.parametrize(
    ("found", "organization"),
    [
        ({}, "a.mail.doeinc.com"),
        ({"doeinc_com": "u"}, "doeinc.com"),
        ({"mail_doeinc_com": "u", "doeinc_com": "u"}, "doeinc.com"),
        ({"mail_doeinc_com": "n"}, "mail.doeinc.com"),
        ({"a_mail_doeinc_com": "u", "mail_doeinc_com": "u"}, "mail.doeinc.com"),
        ({"com": "y"}, "doeinc.com"),
        ({"doeinc_com": "u", "com": "y"}, "doeinc.com"),
        ({"doeinc_com": "y"}, "mail.doeinc.com"),
        ({"a_mail_doeinc_com": "y"}, "a.mail.doeinc.com"),
        ({"a_mail_doeinc_com": "n"}, "a.mail.doeinc.com"),
    ],
)
def test_it_finds_the_organization(found: dict[str, str], organization: str) -> None:
    """RFC 9989 §4.10.2: psd=n, then one below psd=y, then the shortest name with a record."""
    assert organization_of("a.mail.doeinc.com", records(**found)) == organization


@pytest.mark.parametrize(
    ("found", "governing"),
    [
        ({}, None),
        ({"a_mail_doeinc_com": "u", "doeinc_com": "u"}, "a.mail.doeinc.com"),
        ({"mail_doeinc_com": "u", "doeinc_com": "u"}, "doeinc.com"),
        ({"doeinc_com": "u", "com": "y"}, "doeinc.com"),
        ({"com": "y"}, "com"),
        ({"mail_doeinc_com": "u", "com": "y"}, "com"),
    ],
)
def test_it_finds_whose_record_governs(found: dict[str, str], governing: str | None) -> None:
    """RFC 9989 §4.10.1: the domain's own, the organization's, the public suffix's."""
    assert governing_domain("a.mail.doeinc.com", records(**found)) == governing


@pytest.mark.parametrize(("psd", "ends"), [("y", True), ("n", True), ("u", False)])
def test_the_walk_ends_where_a_record_says_where_the_organization_begins(
    psd: str, ends: bool
) -> None:
    assert ends_walk(DmarcRecord("v=DMARC1; p=none", Policy.NONE, psd=psd)) is ends
