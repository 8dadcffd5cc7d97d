"""The mistakes at _dmarc, each with its own code and sentence."""

import pytest

from kartramail.rules.dns_records import Problem, RecordState
from tests.domains.doctoring import DMARC, Practice
from tests.support.dns_server import DnsServer

HOST = "_dmarc.doeinc.com"


def problem_of(dns: DnsServer, *texts: str) -> Problem:
    practice = Practice(dns)
    practice.put_right("_dmarc")
    for text in texts:
        practice.add(HOST, "TXT", text)
    finding = practice.finding("_dmarc")
    assert finding.state is RecordState.WRONG
    assert finding.problem is not None
    assert HOST in finding.problem.message
    assert "_dmarc" in finding.problem.fix
    return finding.problem


def test_it_names_two_dmarc_records_with_both(dns: DnsServer) -> None:
    problem = problem_of(dns, DMARC, "v=DMARC1; p=reject")
    assert problem.code == "two_dmarc_records"
    assert DMARC in problem.message
    assert "v=DMARC1; p=reject" in problem.message


@pytest.mark.parametrize("text", [f'"{DMARC}"', f"“{DMARC}”", r"v=DMARC1\; p=none"])
def test_it_names_quotation_marks(dns: DnsServer, text: str) -> None:
    assert problem_of(dns, text).code == "quoted_value"


@pytest.mark.parametrize("text", [f" {DMARC}", "v=DMARC1\u00a0; p=none"])
def test_it_names_spaces_that_receivers_stumble_over(dns: DnsServer, text: str) -> None:
    assert problem_of(dns, text).code == "spaces_in_value"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("v=spf1 -all", "no DMARC record"),
        ("v=DMARC1 p=none", "semicolon"),
        ("v=dmarc1; p=none", "exactly these letters"),
        ("v=DMARC1; p=all", "p=all"),
        ("v=DMARC1", "has no p="),
    ],
)
def test_it_names_what_is_no_record(dns: DnsServer, text: str, what: str) -> None:
    problem = problem_of(dns, text)
    assert problem.code == "not_a_record"
    assert what in problem.message
