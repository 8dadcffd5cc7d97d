"""The values that DNS answers come in."""

import pytest

from kartramail.rules.dns_answers import (
    MailExchanger,
    TextRecord,
    Unreachable,
    UnreachableReason,
    is_special_use,
    more_telling,
)


def test_the_root_as_mail_exchanger_is_a_null_mx() -> None:
    assert MailExchanger(0, ".").is_null
    assert not MailExchanger(0, "mail.doeinc.test").is_null


def test_text_joins_the_strings_without_a_space() -> None:
    assert TextRecord((b"v=spf1 include:a", b".test -all")).text == "v=spf1 include:a.test -all"


def test_text_marks_what_is_not_ascii() -> None:
    assert TextRecord((b"v=spf1 \xff",)).text == "v=spf1 \ufffd"


def test_of_several_failures_the_most_telling_counts_and_all_are_named() -> None:
    failure = more_telling(
        [
            Unreachable(UnreachableReason.TIMEOUT, "a: silent"),
            Unreachable(UnreachableReason.SERVFAIL, "b: servfail"),
            Unreachable(UnreachableReason.NO_NETWORK, "c: refused"),
        ]
    )
    assert failure == Unreachable(UnreachableReason.SERVFAIL, "a: silent; b: servfail; c: refused")


@pytest.mark.parametrize(
    "name", ["test", "doeinc.test", "A.B.TEST.", "localhost", "example.com", "shop.example.org"]
)
def test_a_name_at_or_below_a_reserved_one_is_special_use(name: str) -> None:
    assert is_special_use(name)


@pytest.mark.parametrize("name", ["doeinc.com", "test.com", "mytest", "myexample.com", "com"])
def test_a_name_that_only_looks_like_it_is_not_special_use(name: str) -> None:
    assert not is_special_use(name)
