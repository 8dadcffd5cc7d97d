"""R-REPLY: whether a domain can receive mail, judged from what DNS said."""

import pytest

from kartramail.rules.dns_answers import (
    Absent,
    AbsentReason,
    Found,
    MailExchanger,
    Unreachable,
    UnreachableReason,
)
from kartramail.rules.mail_hosts import judge_mail_host
from kartramail.rules.verdict import OK, Status

NODATA = Absent(AbsentReason.NODATA)
NXDOMAIN = Absent(AbsentReason.NXDOMAIN)
TIMEOUT = Unreachable(UnreachableReason.TIMEOUT)
MX = Found((MailExchanger(10, "mail.doeinc.com"),), 300)
NULL_MX = Found((MailExchanger(0, "."),), 300)
ADDRESS = Found(("192.0.2.1",), 300)


def test_a_domain_with_an_mx_receives_mail() -> None:
    assert judge_mail_host("doeinc.com", MX, None) == OK


def test_an_address_record_stands_in_for_the_mx() -> None:
    assert judge_mail_host("doeinc.com", NODATA, ADDRESS) == OK


def test_a_null_mx_beside_a_real_one_does_not_count() -> None:
    """RFC 7505 §3 forbids the mixture; the real one is what senders will use."""
    mixture = Found((MailExchanger(0, "."), MailExchanger(10, "mail.doeinc.com")), 300)
    assert judge_mail_host("doeinc.com", mixture, None) == OK


def test_a_null_mx_is_refused_whatever_its_address() -> None:
    verdict = judge_mail_host("doeinc.com", NULL_MX, ADDRESS)
    assert (verdict.status, verdict.code) == (Status.ERROR, "null_mx")
    assert "doeinc.com" in verdict.message


def test_a_domain_that_does_not_exist_is_refused() -> None:
    verdict = judge_mail_host("doeincc.com", NXDOMAIN, None)
    assert (verdict.status, verdict.code) == (Status.ERROR, "no_mail_server")
    assert "doeincc.com" in verdict.message
    assert "no such domain" in verdict.message


def test_a_name_that_cannot_exist_is_refused() -> None:
    verdict = judge_mail_host("doe..com", Absent(AbsentReason.IMPOSSIBLE_NAME), None)
    assert (verdict.status, verdict.code) == (Status.ERROR, "no_mail_server")


@pytest.mark.parametrize("address", [NODATA, NXDOMAIN])
def test_a_domain_without_mx_and_address_is_refused(address: Absent) -> None:
    verdict = judge_mail_host("doeinc.com", NODATA, address)
    assert (verdict.status, verdict.code) == (Status.ERROR, "no_mail_server")
    assert "no mail server" in verdict.message


@pytest.mark.parametrize(("mx", "address"), [(TIMEOUT, None), (NODATA, TIMEOUT)])
def test_without_an_answer_it_is_unknown_and_may_be_saved(
    mx: Absent | Unreachable, address: Unreachable | None
) -> None:
    verdict = judge_mail_host("doeinc.com", mx, address)
    assert (verdict.status, verdict.code) == (Status.UNKNOWN, "dns_unreachable")
    assert not verdict.is_error
    assert "doeinc.com" in verdict.message
    assert "You can save it" in verdict.message


@pytest.mark.parametrize("why", list(UnreachableReason))
def test_every_failure_says_why_and_what_to_do_in_two_sentences(why: UnreachableReason) -> None:
    """R-WORDS."""
    message = judge_mail_host("doeinc.com", Unreachable(why, "192.0.2.1:53: x"), None).message
    assert message.count(". ") == 1
    assert message.endswith(".")
    assert "192.0.2.1" not in message
    assert "!" not in message


def test_it_does_not_guess_when_the_addresses_were_never_asked_for() -> None:
    with pytest.raises(ValueError, match="asked for"):
        judge_mail_host("doeinc.com", NODATA, None)
