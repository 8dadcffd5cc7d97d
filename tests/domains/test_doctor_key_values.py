"""The mistakes in the value of a DKIM key, each with its own code and sentence."""

import pytest

from kartramail.rules.dns_records import Finding, Problem, RecordState
from tests.domains.doctoring import Practice, key_record, public_key
from tests.support.dns_server import DnsServer

HOST = "km1._domainkey.doeinc.com"
TXT = key_record("km1")
KEY = public_key("km1")
WRAPPED = "\n".join(TXT[at : at + 64] for at in range(0, len(TXT), 64))


def look(dns: DnsServer, *texts: str | bytes) -> Finding:
    """The finding for the first selector, where `texts` stand, each in a record."""
    practice = Practice(dns)
    practice.put_right("km1")
    for text in texts:
        practice.add(HOST, "TXT", text)
    return practice.finding("km1")


def problem_of(finding: Finding, state: RecordState = RecordState.WRONG) -> Problem:
    assert finding.state is state
    assert finding.problem is not None
    assert HOST in finding.problem.message
    assert "km1._domainkey" in finding.problem.fix
    return finding.problem


@pytest.mark.parametrize(
    "text",
    [
        f'"{TXT}"',
        f"'{TXT}'",
        f"“{TXT}”",
        f'{TXT[:200]}" "{TXT[200:]}',
        f'v=DKIM1; k=rsa; p="{KEY}"',
    ],
)
def test_it_names_quotation_marks_in_the_value(dns: DnsServer, text: str) -> None:
    problem = problem_of(look(dns, text))
    assert problem.code == "quoted_value"
    assert "quotation marks" in problem.message
    assert text[:30] in problem.message or "“v=DKIM1" in problem.message
    assert "without quotation marks" in problem.fix


def test_it_names_backslashes_in_the_value(dns: DnsServer) -> None:
    problem = problem_of(look(dns, TXT.replace(";", "\\;")))
    assert problem.code == "quoted_value"
    assert "backslashes" in problem.message


def test_spaces_that_verifiers_tolerate_are_found_with_a_warning(dns: DnsServer) -> None:
    """RFC 6376 §3.6.1 allows white space within p=."""
    finding = look(dns, TXT[:150] + " " + TXT[150:300] + "  " + TXT[300:])
    problem = problem_of(finding, RecordState.FOUND)
    assert problem.code == "spaces_in_value"


@pytest.mark.parametrize("blank", ["\u00a0", "\u200b", "\u2009"])
def test_it_names_invisible_characters_that_verifiers_do_not_tolerate(
    dns: DnsServer, blank: str
) -> None:
    problem = problem_of(look(dns, TXT[:150] + blank + TXT[150:]))
    assert problem.code == "spaces_in_value"
    assert "invisible" in problem.message


@pytest.mark.parametrize("text", [TXT[:255], TXT[:-1], TXT[:200], "v=DKIM1; k=rsa; p=" + KEY[100:]])
def test_it_names_a_truncated_key(dns: DnsServer, text: str) -> None:
    problem = problem_of(look(dns, text))
    assert problem.code == "truncated_key"
    arrived = len(text) - len("v=DKIM1; k=rsa; p=")
    assert f"{arrived} of {len(KEY)} characters" in problem.message
    assert ("cut at 255" in problem.message) == (len(text) == 255)
    assert "zone file" in problem.fix


def test_it_names_a_key_wrapped_by_line_breaks(dns: DnsServer) -> None:
    for text in (WRAPPED, WRAPPED.replace("\n", "\r\n")):
        dns.reset()
        problem = problem_of(look(dns, text))
        assert problem.code == "wrapped_key"
        assert "line breaks" in problem.message


@pytest.mark.parametrize(
    "parts",
    [(TXT[:255], TXT[255:]), (TXT[:140], TXT[140:280], TXT[280:]), (f'"{TXT[:255]}"', TXT[255:])],
)
def test_it_names_a_key_broken_into_several_records(dns: DnsServer, parts: tuple[str, ...]) -> None:
    for texts in (parts, parts[::-1]):
        dns.reset()
        problem = problem_of(look(dns, *texts))
        assert problem.code == "wrapped_key"
        assert f"broken into {len(parts)} records" in problem.message
        assert "one TXT record" in problem.fix


def test_it_names_swapped_selectors(dns: DnsServer) -> None:
    practice = Practice(dns)
    practice.put_right("km1", "km2")
    practice.add(practice.host("km1"), "TXT", key_record("km2"))
    practice.add(practice.host("km2"), "TXT", key_record("km1"))
    findings = practice.look().findings
    for key, other in (("km1", "km2"), ("km2", "km1")):
        problem = findings[key].problem
        assert findings[key].state is RecordState.WRONG
        assert problem is not None
        assert problem.code == "swapped_selectors"
        assert practice.host(other) in problem.message


def test_it_names_a_revoked_key(dns: DnsServer) -> None:
    problem = problem_of(look(dns, "v=DKIM1; k=rsa; p="))
    assert problem.code == "revoked_key"
    assert "empty" in problem.message


@pytest.mark.parametrize("other", [key_record("of another service"), "v=spf1 -all"])
def test_it_names_two_records_at_one_host(dns: DnsServer, other: str) -> None:
    """RFC 6376 §3.6.2.2: with several records the result is undefined."""
    problem = problem_of(look(dns, TXT, other))
    assert problem.code == "two_keys"
    assert "2 TXT records" in problem.message
    assert other[:30] in problem.fix


def test_two_foreign_keys_at_one_host_are_named(dns: DnsServer) -> None:
    problem = problem_of(look(dns, key_record("one"), key_record("other")))
    assert problem.code == "two_keys"


def test_the_same_key_twice_passes_with_a_warning(dns: DnsServer) -> None:
    problem = problem_of(look(dns, TXT, f"v=DKIM1; p={KEY}"), RecordState.FOUND)
    assert problem.code == "two_keys"


def test_it_names_the_key_of_somebody_else(dns: DnsServer) -> None:
    problem = problem_of(look(dns, key_record("of another service")))
    assert problem.code == "other_value"
    assert public_key("of another service")[:20] in problem.message


def test_it_names_a_key_that_lost_its_capitals(dns: DnsServer) -> None:
    problem = problem_of(look(dns, f"v=DKIM1; k=rsa; p={KEY.lower()}"))
    assert problem.code == "other_value"
    assert "capital" in problem.message


@pytest.mark.parametrize("tags", ["h=sha1; ", "s=chat; ", "k=ed25519; "])
def test_it_names_tags_that_forbid_our_signature(dns: DnsServer, tags: str) -> None:
    problem = problem_of(look(dns, f"v=DKIM1; {tags}p={KEY}"))
    assert problem.code == "other_value"
    assert "forbid" in problem.message


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (TXT.replace(";", ""), "semicolons"),
        (KEY, "before it"),
        (f"k=rsa; p={KEY}; v=DKIM1", "v=DKIM1"),
        (f"v=DKIM2; k=rsa; p={KEY}", "v=DKIM1"),
        (f"v=DKIM1; k=rsa; p={KEY}; p={KEY}", "twice"),
        ("Hello", "Hello"),
        ("v=DMARC1; p=none", "v=DMARC1"),
        ("v=DKIM1; k=rsa", "v=DKIM1; k=rsa"),
    ],
)
def test_it_names_what_is_no_key_record(dns: DnsServer, text: str, what: str) -> None:
    problem = problem_of(look(dns, text))
    assert problem.code == "not_a_record"
    assert what in problem.message


def test_what_is_shown_as_found_is_what_stands_there(dns: DnsServer) -> None:
    assert look(dns, f'"{TXT}"').found == (f'"{TXT}"',)
    dns.reset()
    assert look(dns, b"\xff\x00caf\xc3\xa9").found == ("\ufffd\x00café",)


def test_an_old_key_beside_the_new_one_is_found_with_a_warning(dns: DnsServer) -> None:
    practice = Practice(dns)
    practice.put_right()
    practice.also("km1", key_record("older"))
    practice.add(HOST, "TXT", key_record("older"))
    problem = problem_of(practice.finding("km1"), RecordState.FOUND)
    assert problem.code == "two_keys"
    assert "different keys" in problem.message
    assert public_key("older")[40:52] in problem.fix
    assert KEY[40:52] not in problem.fix


@pytest.mark.parametrize("flags", ["y", "y:s", " s : y "])
def test_a_key_that_is_marked_as_a_test_is_found_with_a_warning(dns: DnsServer, flags: str) -> None:
    problem = problem_of(look(dns, f"v=DKIM1; t={flags}; p={KEY}"), RecordState.FOUND)
    assert problem.code == "test_mode"
    assert "remove t=y" in problem.fix
