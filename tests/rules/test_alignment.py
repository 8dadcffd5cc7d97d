"""R-ALIGN and R-SAMPLE: whether what was authenticated speaks for the From address."""

import pytest

from kartramail.rules.alignment import (
    Outcome,
    covers,
    is_aligned,
    judge_verdicts,
    organizational_domain,
)


@pytest.mark.parametrize(
    ("from_domain", "authenticated", "organizational", "is_strict", "aligned"),
    [
        ("doeinc.com", "doeinc.com", "doeinc.com", False, True),
        ("doeinc.com", "km.doeinc.com", "doeinc.com", False, True),
        ("doeinc.com", "km.doeinc.com", "doeinc.com", True, False),
        ("shop.doeinc.com", "doeinc.com", "doeinc.com", False, True),
        ("shop.doeinc.com", "doeinc.com", "doeinc.com", True, False),
        ("shop.doeinc.com", "km.doeinc.com", "doeinc.com", False, True),
        ("Doeinc.com.", "DOEINC.com", None, True, True),
        ("doeinc.com", "km.doeinc.com", None, False, True),
        ("doeinc.co.uk", "other.co.uk", None, False, False),
        ("doeinc.com", "kartra.com", "doeinc.com", False, False),
        ("doeinc.com", "evildoeinc.com", "doeinc.com", False, False),
        ("doeinc.com", "anotherbrand.com", None, False, False),
        ("shop.doeinc.com", "doeinc.com", "shop.doeinc.com", False, False),
        ("doeinc.com", "km.doeinc.com", "unrelated.com", False, True),
    ],
)
def test_it_says_whether_two_domains_align(
    from_domain: str,
    authenticated: str,
    organizational: str | None,
    is_strict: bool,
    aligned: bool,
) -> None:
    """RFC 9989 §4.4: the same organization, or in strict mode the same name."""
    assert (
        is_aligned(from_domain, authenticated, organizational=organizational, is_strict=is_strict)
        is aligned
    )


def test_the_tree_walk_decides_and_the_public_suffix_list_stands_in() -> None:
    assert organizational_domain("a.b.doeinc.co.uk") == "doeinc.co.uk"
    assert organizational_domain("a.b.doeinc.co.uk", "b.doeinc.co.uk") == "b.doeinc.co.uk"
    assert organizational_domain("a.doeinc.com", "other.com") == "doeinc.com"


@pytest.mark.parametrize(
    ("from_domain", "is_dkim_strict", "covered"),
    [
        ("doeinc.com", False, True),
        ("doeinc.com", True, True),
        ("shop.doeinc.com", False, True),
        ("shop.doeinc.com", True, False),
        ("anotherbrand.com", False, False),
        ("xdoeinc.com", False, False),
        ("com", False, False),
    ],
)
def test_an_authenticated_domain_covers_itself_and_names_below(
    from_domain: str, is_dkim_strict: bool, covered: bool
) -> None:
    assert covers("doeinc.com", from_domain, is_dkim_strict=is_dkim_strict) is covered


JUDGED = {
    "from_domain": "doeinc.com",
    "signing_domain": "doeinc.com",
    "return_path_domain": "km.doeinc.com",
    "organizational": "doeinc.com",
    "is_dkim_strict": False,
    "is_spf_strict": False,
    "spf_includes_us": True,
}


def judged(**changes: object) -> tuple[str, bool, str, bool, str]:
    verdicts = judge_verdicts(**(JUDGED | changes))  # type: ignore[arg-type]
    assert len(verdicts.sentences) == 3
    assert all(sentence.endswith(".") and "!" not in sentence for sentence in verdicts.sentences)
    return (
        verdicts.spf,
        verdicts.spf_aligned,
        verdicts.dkim,
        verdicts.dkim_aligned,
        verdicts.dmarc,
    )


def test_an_authenticated_domain_passes_all() -> None:
    assert judged() == ("pass", True, "pass", True, "pass")


def test_strict_spf_leaves_the_signature_alone() -> None:
    """R-SPF: with aspf=s DKIM alone aligns."""
    assert judged(is_spf_strict=True) == ("pass", False, "pass", True, "pass")


def test_a_strict_record_on_both_still_passes_by_the_signature_of_the_domain_itself() -> None:
    assert judged(is_spf_strict=True, is_dkim_strict=True)[-1] == "pass"


def test_a_name_below_does_not_pass_a_strict_record() -> None:
    result = judged(from_domain="shop.doeinc.com", is_spf_strict=True, is_dkim_strict=True)
    assert result == ("pass", False, "pass", False, "fail")


def test_a_signature_of_the_platform_speaks_for_the_platform_only() -> None:
    result = judged(signing_domain="kartra.com", return_path_domain="bounces.kartra.com")
    assert result == ("pass", False, "pass", False, "fail")


def test_mail_from_a_placeholder_passes_by_the_platform() -> None:
    result = judged(
        from_domain="kartra.com",
        signing_domain="kartra.com",
        return_path_domain="bounces.kartra.com",
        organizational=None,
    )
    assert result == ("pass", True, "pass", True, "pass")


def test_without_a_signature_spf_alone_can_pass() -> None:
    assert judged(signing_domain=None) == ("pass", True, "fail", False, "pass")


def test_what_is_not_known_is_not_called_a_failure() -> None:
    assert judged(spf_includes_us=None) == ("unknown", True, "pass", True, "pass")
    assert judged(spf_includes_us=None, signing_domain=None)[-1] == "unknown"
    assert judged(spf_includes_us=None, signing_domain=None, is_spf_strict=True)[-1] == "fail"


def test_a_return_path_that_does_not_list_us_fails() -> None:
    assert judged(spf_includes_us=False)[0] == Outcome.FAIL
    assert judged(spf_includes_us=False, signing_domain=None)[-1] == "fail"
