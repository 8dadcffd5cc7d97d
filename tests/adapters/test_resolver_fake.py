"""The fake beside the resolver answers as the real one would."""

import pytest

from kartramail.adapters.fake_resolver import FakeResolver
from kartramail.rules.dns_answers import (
    Absent,
    AbsentReason,
    Found,
    MailExchanger,
    RecordType,
    Unreachable,
    UnreachableReason,
)
from kartramail.rules.mail_hosts import judge_mail_host


@pytest.fixture
def resolver() -> FakeResolver:
    return FakeResolver()


def test_it_answers_from_its_table(resolver: FakeResolver) -> None:
    resolver.add("doeinc.com", RecordType.MX, MailExchanger(10, "mail.doeinc.com"))
    answer = resolver.lookup("DoeInc.com", RecordType.MX)
    assert isinstance(answer, Found)
    assert answer.records == (MailExchanger(10, "mail.doeinc.com"),)
    assert resolver.lookup("doeinc.com", RecordType.TXT) == Absent(AbsentReason.NODATA)
    assert resolver.lookup("other.com", RecordType.TXT) == Absent(AbsentReason.NXDOMAIN)


def test_it_fails_as_told(resolver: FakeResolver) -> None:
    resolver.add_mail_host("doeinc.com")
    resolver.fail("doeinc.com", UnreachableReason.SERVFAIL)
    answer = resolver.lookup("doeinc.com", RecordType.MX)
    assert isinstance(answer, Unreachable)
    assert answer.why is UnreachableReason.SERVFAIL


def test_it_remembers_nothing_and_lists_what_was_asked(resolver: FakeResolver) -> None:
    assert isinstance(resolver.lookup("doeinc.com", RecordType.MX), Absent)
    resolver.add_mail_host("doeinc.com")
    assert isinstance(resolver.lookup("doeinc.com", RecordType.MX), Found)
    assert resolver.asked == [("doeinc.com", RecordType.MX)] * 2


@pytest.mark.parametrize(
    ("host", "code"), [("mail.doeinc.com", None), (".", "null_mx"), (None, "no_mail_server")]
)
def test_its_mail_hosts_can_be_judged(
    resolver: FakeResolver, host: str | None, code: str | None
) -> None:
    if host is not None:
        resolver.add_mail_host("doeinc.com", host)
    assert judge_mail_host("doeinc.com", *resolver.mail_hosts("doeinc.com")).code == code
