"""Reading an address: what is written, hostile input too (R-BUSINESS)."""

import pytest
from email_validator import validate_email
from hypothesis import given
from hypothesis import strategies as st

from kartramail.rules.addresses import Address, AddressPolicy, address_key, parse_address
from kartramail.rules.verdict import Status, Verdict

POLICY = AddressPolicy("kartra.com")


def refused(text: str) -> Verdict:
    answer = parse_address(text, POLICY)
    assert isinstance(answer, Verdict), f"{text!r} was read as {answer}"
    assert answer.status is Status.ERROR
    assert answer.message
    return answer


def read(text: str) -> Address:
    answer = parse_address(text, POLICY)
    assert isinstance(answer, Address), f"{text!r} was refused: {answer}"
    return answer


def test_it_reads_a_plain_address() -> None:
    assert read("jane@doeinc.com") == Address("jane", "doeinc.com")


def test_it_forgives_white_space_around_it() -> None:
    assert read("  jane@doeinc.com\t\r\n").text == "jane@doeinc.com"


def test_the_domain_is_lower_case_and_the_local_part_as_written() -> None:
    address = read("Jane.Doe@DoeInc.COM")
    assert address.text == "Jane.Doe@doeinc.com"
    assert address.key == "jane.doe@doeinc.com"


def test_a_domain_in_its_own_script_becomes_a_labels_and_is_shown_as_written() -> None:
    address = read("jane@münchen-bäckerei.de")
    assert address.domain == "xn--mnchen-bckerei-dib09a.de"
    assert address.display == "jane@münchen-bäckerei.de"


@pytest.mark.parametrize("domain", ["пример.рф", "例え.jp", "DOEINC。com", "ｄｏｅｉｎｃ.com"])
def test_any_script_of_the_world_may_name_a_domain(domain: str) -> None:
    assert read(f"jane@{domain}").domain.isascii()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "jane",
        "jane.doeinc.com",
        "@doeinc.com",
        "jane@",
        "jane@@doeinc.com",
        "a@b@doeinc.com",
        "jane doe@doeinc.com",
        "jane@doe inc.com",
        ".jane@doeinc.com",
        "jane.@doeinc.com",
        "ja..ne@doeinc.com",
        "jane@doe..com",
        "jane@.com",
        "jane@-doe.com",
        "jane@doe-.com",
        "jane@doe_inc.com",
        "jane@doeinc.com..",
        "jane@.",
        '"jane doe"@doeinc.com',
        '"jane"@doeinc.com',
        "jané@doeinc.com",
        "jane@doeinc.com, bob@doeinc.com",
        "jane@doeinc.com;bob@doeinc.com",
        "jane(comment)@doeinc.com",
        "<jane@doeinc.com",
        "jane@doeinc.com>",
        "a" * 65 + "@doeinc.com",
        "jane@" + "a" * 64 + ".com",
        "jane@" + ".".join(["a" * 60] * 5) + ".com",
        "jane@" + "a" * 5000,
        "jane@xn--zzzzzz99999.com",
        "alice@doeinc.com <bob@other.com>, x",
        '"alice@doeinc.com" <bob@other.com> (@evil.com)',
        "jane@doeinc.com@evil.com",
    ],
)
def test_it_refuses_what_is_no_bare_address(text: str) -> None:
    assert refused(text).code == "syntax"


@pytest.mark.parametrize(
    "sign",
    list("\x00\x01\x08\x0b\x0c\x1b\x1c\x1d\x1e\x7f\x85\u200b\u200e\u2028\u2029\u202e\ufeff\ud800"),
)
@pytest.mark.parametrize("place", ["{}jane@doeinc.com", "ja{}ne@doeinc.com", "jane@doeinc.com{}"])
def test_it_refuses_control_and_invisible_characters_anywhere(sign: str, place: str) -> None:
    assert refused(place.format(sign)).code == "syntax"


@pytest.mark.parametrize("break_", ["\n", "\r", "\r\n", "\t"])
def test_it_refuses_a_line_break_inside(break_: str) -> None:
    assert refused(f"jane@doeinc.com{break_}Bcc: bob@other.com").code == "syntax"


@pytest.mark.parametrize(
    "text",
    [
        "jane@localhost",
        "jane@doeinc",
        "jane@[127.0.0.1]",
        "jane@[IPv6:::1]",
        "jane@127.0.0.1",
        "jane@2001:db8::1",
        "jane@1.2.3",
    ],
)
def test_single_labels_and_machine_addresses_are_no_domains(text: str) -> None:
    assert refused(text).code == "not_a_domain"


def test_an_address_in_a_name_is_offered_alone() -> None:
    assert refused("Jane Doe <jane@doeinc.com>").suggestion == "jane@doeinc.com"


def test_a_wide_at_sign_is_offered_as_a_plain_one() -> None:
    assert refused("jane＠doeinc.com").suggestion == "jane@doeinc.com"


def test_what_is_offered_could_be_read() -> None:
    assert refused("Jane Doe <jane@1.2.3.4>").suggestion is None
    assert refused("jane＠doeinc").suggestion is None


@pytest.mark.parametrize("dot", [".", "。"])
def test_one_dot_at_the_end_of_a_domain_is_forgiven_and_the_rest_is_judged(dot: str) -> None:
    """RFC 1034 §3.1."""
    assert read(f"jane@doeinc.com{dot}").text == "jane@doeinc.com"
    assert refused(f"jane@1.2.3.4{dot}").code == "not_a_domain"
    assert refused(f"jane@localhost{dot}").code == "not_a_domain"


@pytest.mark.parametrize(
    ("typed", "meant"), [("jane@gmailcom", "jane@gmail.com"), ("j@HotmailCoUk", "j@hotmail.co.uk")]
)
def test_a_well_known_domain_without_its_dots_is_offered_with_them(typed: str, meant: str) -> None:
    verdict = refused(typed)
    assert (verdict.code, verdict.suggestion) == ("not_a_domain", meant)
    assert f"Did you mean {meant}?" in verdict.message


@pytest.mark.parametrize(
    "domain",
    [
        "doe.test",
        "doe.example",
        "example.com",
        "mail.example.org",
        "doe.invalid",
        "doe.local",
        "doe.localhost",
        "doe.onion",
        "1.in-addr.arpa",
        "doe.alt",
        "doe.internal",
        "doe.home.arpa",
    ],
)
def test_special_use_names_are_refused(domain: str) -> None:
    assert refused(f"jane@{domain}").code == "special_use"


@pytest.mark.parametrize("domain", ["doe.test", "doe.example", "example.com"])
def test_names_for_trials_are_ordinary_where_the_operator_allows_them(domain: str) -> None:
    sandbox = AddressPolicy("kartra.com", allow_special_use=True)
    assert isinstance(parse_address(f"jane@{domain}", sandbox), Address)


@pytest.mark.parametrize("domain", ["doe.invalid", "doe.local", "doe.onion"])
def test_names_that_can_never_get_mail_are_refused_even_in_a_sandbox(domain: str) -> None:
    sandbox = AddressPolicy("kartra.com", allow_special_use=True)
    assert isinstance(parse_address(f"jane@{domain}", sandbox), Verdict)


def test_a_key_is_made_of_anything_that_is_typed() -> None:
    assert address_key(" Jane@DOEINC.com ") == "jane@doeinc.com"
    assert address_key(" no address ") == "no address"


@given(st.text(max_size=80) | st.text(alphabet='ab@.<>"\\ ,:;[]()\r\n\x0b\u2028-_é例', max_size=30))
def test_reading_never_fails_and_what_is_read_is_sound(text: str) -> None:
    answer = parse_address(text, POLICY)
    if isinstance(answer, Address):
        validate_email(answer.text, check_deliverability=False, globally_deliverable=False)
        assert answer.text.isascii()
        assert answer.domain == answer.domain.lower()
        assert parse_address(answer.text, POLICY) == answer
        assert not set(answer.text) & set('\r\n\t <>,;"')
