"""R-DMARC: a record explained in plain words."""

import pytest

from kartramail.rules.dmarc import explain, read_dmarc_record


def told(tags: str, domain: str = "doeinc.com", found_at: str | None = None, **how: bool) -> str:
    return " ".join(explain(read_dmarc_record(f"v=DMARC1; {tags}"), domain, found_at, **how))


def test_no_record_is_explained_too() -> None:
    (sentence,) = explain(None, "doeinc.com")
    assert "doeinc.com does not say" in sentence


@pytest.mark.parametrize(
    ("policy", "what"),
    [("none", "treated like any other"), ("quarantine", "spam folder"), ("reject", "is refused")],
)
def test_it_says_what_happens_to_mail_that_fails(policy: str, what: str) -> None:
    assert what in told(f"p={policy}").split(". ")[0]
    assert "The same holds for all names under doeinc.com" in told(f"p={policy}")


def test_it_says_what_holds_for_names_below() -> None:
    assert "such as shop.doeinc.com, is refused" in told("p=none; sp=reject")
    assert "does not exist, it is refused" in told("p=none; np=reject")
    assert "does not exist" not in told("p=none; sp=reject")


def test_it_says_whose_record_holds() -> None:
    text = told("p=reject; sp=none", "shop.doeinc.com", "doeinc.com")
    assert "shop.doeinc.com but cannot prove it is treated like any other mail" in text
    assert "the one of doeinc.com holds for it" in text


def test_it_says_what_holds_for_a_name_that_does_not_exist() -> None:
    text = told("p=none; np=reject", "x.doeinc.com", "doeinc.com", exists=False)
    assert "x.doeinc.com but cannot prove it is refused" in text


def test_testing_mode_is_explained_where_it_changes_something() -> None:
    text = told("p=reject; t=y")
    assert "cannot prove it goes to the spam folder" in text
    assert "asks for reject" in text
    assert "testing" not in told("p=none; t=y")
    assert "testing" not in told("p=reject")


def test_it_says_who_gets_reports() -> None:
    assert "Nobody gets reports" in told("p=none")
    text = told("p=none; rua=mailto:a@doeinc.com, mailto:b@doeinc.com!5m")
    assert "go to a@doeinc.com and b@doeinc.com." in text


@pytest.mark.parametrize(
    ("tags", "what"),
    [
        ("p=none", "on a name under it, is proof"),
        ("p=none; aspf=s", "the signature alone proves your mail"),
        ("p=none; adkim=s", "set up as domains of their own"),
        ("p=none; adkim=s; aspf=s", "on exactly the domain after the @"),
    ],
)
def test_it_explains_alignment(tags: str, what: str) -> None:
    """R-SPF: with aspf=s DKIM alone aligns, and the page says so."""
    assert what in told(tags)


@pytest.mark.parametrize("tags", ["p=none", "p=reject; t=y; sp=none; np=quarantine; adkim=s"])
def test_it_speaks_calmly_in_whole_sentences(tags: str) -> None:
    for sentence in explain(read_dmarc_record(f"v=DMARC1; {tags}"), "doeinc.com"):
        assert sentence.endswith(".")
        assert "!" not in sentence
