"""Headers read back as they were written, and no value ever adds a line (R-SAFE, R-NAME)."""

import re
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kartramail.errors import KartraMailError, UnsafeHeader
from kartramail.rules.headers import Mailbox
from kartramail.rules.mime import Fixed, MessageHeaders, MessageSource, compile_message

HEADERS = MessageHeaders(
    sender=Mailbox("alice@doeinc.com", "Alice Doe"),
    to=Mailbox("bob@example.net"),
    message_id="<0d5e@doeinc.com>",
    date=datetime(2025, 3, 9, 8, 7, 6, 500, tzinfo=UTC),
)
BREAKS = ["\r\n", "\r", "\n", "\0", "\t", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x7f"]
BREAKS += ["\x85", "\u2028", "\u2029"]

NO_ADDRESSES = ["", "jane", "@doeinc.com", "jane@", "zoë@doeinc.com", "a b@doeinc.com"]
NO_ADDRESSES += ["<jane@doeinc.com>", "jane@doe inc.com", "jane@a,b@c.com", "jane..doe@x.com"]
NO_ADDRESSES += ["jane@x.com>", "jane@[127.0.0.1]", "jane@-ä-.com", '"a"b"@x.com']
NO_ADDRESSES += [f"jane@{'x' * 300}.com"]
NO_EXTRA_FIELDS = [("X-A", "é"), ("X-A", "x" * 1000), ("X A", "x"), ("X:A", "x"), ("", "x")]
NO_EXTRA_FIELDS += [("X-A", "a  b"), ("From", "x"), ("bcc", "x"), ("SUBJECT", "x")]
NO_EXTRA_FIELDS += [("Content-Type", "x")]

printable = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])
words = st.lists(
    st.one_of(
        st.text(printable, max_size=30),
        st.sampled_from(["=?utf-8?q?x?=", '"', "\\", ",", "<", "@", "  ", " ", "👩‍👩‍👧", "x" * 90]),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60),
    ),
    max_size=8,
).map("".join)


def build(headers: MessageHeaders = HEADERS, subject: str = "Hi") -> bytes:
    return compile_message(MessageSource(Fixed(subject), Fixed("x\n"))).fill(headers, {})


def field(data: bytes, name: str) -> object:
    message = message_from_bytes(data, policy=policy.default)
    assert not message.defects
    values = message.get_all(name)
    assert values is not None
    assert len(values) == 1
    return values[0]


def assert_lines_are_folded(data: bytes) -> None:
    for line in data.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        assert line.strip()
        assert len(line) <= (76 if b"=?utf-8?" in line else 78)
        assert all(len(word) <= 75 for word in re.findall(rb"=\?utf-8\?\S*", line))


@settings(max_examples=300, deadline=None)
@given(subject=words)
def test_a_subject_in_any_script_reads_back_as_written(subject: str) -> None:
    data = build(subject=subject)
    assert data.isascii()
    assert_lines_are_folded(data)
    assert str(field(data, "Subject")) == subject


@settings(max_examples=300, deadline=None)
@given(name=words)
def test_a_name_in_any_script_reads_back_as_written(name: str) -> None:
    data = build(HEADERS._replace(sender=Mailbox("alice@doeinc.com", name)))
    assert data.isascii()
    assert_lines_are_folded(data)
    # Not by policy.default: up to Python 3.12 it puts a blank between the encoded words of a name.
    written, address = parseaddr(str(message_from_bytes(data)["From"]))
    assert str(make_header(decode_header(written))) == name.strip(" ")
    assert address == "alice@doeinc.com"


@settings(max_examples=200, deadline=None)
@given(value=st.text(max_size=20), brk=st.sampled_from(BREAKS), rest=st.text(max_size=20))
def test_no_value_with_a_line_break_passes(value: str, brk: str, rest: str) -> None:
    hostile = f"{value}{brk}{rest}"
    for headers, subject in [
        (HEADERS, hostile),
        (HEADERS._replace(sender=Mailbox("alice@doeinc.com", hostile)), "Hi"),
        (HEADERS._replace(sender=Mailbox(f"{hostile}@doeinc.com")), "Hi"),
        (HEADERS._replace(to=Mailbox(f"bob@{hostile}")), "Hi"),
        (HEADERS._replace(to=Mailbox("bob@example.net", hostile)), "Hi"),
        (HEADERS._replace(reply_to=Mailbox("bob@example.net", hostile)), "Hi"),
        (HEADERS._replace(message_id=f"<{hostile}@x>"), "Hi"),
        (HEADERS._replace(extra=(("X-KartraMail-Message", hostile),)), "Hi"),
        (HEADERS._replace(extra=((f"X-{hostile}", "x"),)), "Hi"),
    ]:
        with pytest.raises(UnsafeHeader):
            build(headers, subject)


def test_the_error_is_a_value_error_of_the_house() -> None:
    assert issubclass(UnsafeHeader, ValueError)
    assert issubclass(UnsafeHeader, KartraMailError)


def test_half_characters_become_replacement_characters() -> None:
    assert field(build(subject="a\ud83db"), "Subject") == "a\ufffdb"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Alice Doe", b"From: Alice Doe <alice@doeinc.com>\r\n"),
        ("", b"From: alice@doeinc.com\r\n"),
        ("Doe, Inc.", b'From: "Doe, Inc." <alice@doeinc.com>\r\n'),
        ('The "Doe" \\', b'From: "The \\"Doe\\" \\\\" <alice@doeinc.com>\r\n'),
        ("bob@bank.example", b'From: "bob@bank.example" <alice@doeinc.com>\r\n'),
        ("Zoë", b"From: =?utf-8?q?Zo=C3=AB?= <alice@doeinc.com>\r\n"),
    ],
)
def test_a_name_is_written_in_its_plainest_form(name: str, written: bytes) -> None:
    assert build(HEADERS._replace(sender=Mailbox("alice@doeinc.com", name))).startswith(written)


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("Jane.Doe@DoeInc.com", "Jane.Doe@doeinc.com"),
        ("jane@bäckerei.de", "jane@xn--bckerei-5wa.de"),
        ("jane@例え.テスト", "jane@xn--r8jz45g.xn--zckzah"),
        ('"jane doe"@doeinc.com', '"jane doe"@doeinc.com'),
    ],
)
def test_an_address_is_written_in_ascii(address: str, written: str) -> None:
    assert f"To: {written}\r\n".encode() in build(HEADERS._replace(to=Mailbox(address)))


@pytest.mark.parametrize(
    "address",
    NO_ADDRESSES,
)
def test_what_is_no_address_does_not_pass(address: str) -> None:
    with pytest.raises(UnsafeHeader):
        build(HEADERS._replace(to=Mailbox(address)))


def test_it_writes_the_fields_of_every_message_once() -> None:
    headers = HEADERS._replace(
        reply_to=Mailbox("support@doeinc.com"),
        extra=(("X-KartraMail-Message", "0d5e"), ("Feedback-ID", "a:b:c:kartramail")),
    )
    message = message_from_bytes(build(headers), policy=policy.default)
    assert dict(message.items()) == {
        "From": "Alice Doe <alice@doeinc.com>",
        "To": "bob@example.net",
        "Reply-To": "support@doeinc.com",
        "Subject": "Hi",
        "Date": "Sun, 09 Mar 2025 08:07:06 +0000",
        "Message-ID": "<0d5e@doeinc.com>",
        "X-KartraMail-Message": "0d5e",
        "Feedback-ID": "a:b:c:kartramail",
        "MIME-Version": "1.0",
        "Content-Type": 'text/plain; charset="us-ascii"',
        "Content-Transfer-Encoding": "7bit",
    }


def test_without_a_reply_to_there_is_no_such_field() -> None:
    """R-PREFILL"""
    assert b"Reply-To" not in build()


def test_a_long_link_in_an_extra_field_stays_whole() -> None:
    link = f"<https://mail.doeinc.com/u/{'x' * 200}>, <mailto:u@doeinc.com?subject=out>"
    data = build(HEADERS._replace(extra=(("List-Unsubscribe", link),)))
    assert field(data, "List-Unsubscribe") == link
    assert data.count(b"\r\n <mailto:") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    NO_EXTRA_FIELDS,
)
def test_an_extra_field_that_cannot_be_one_does_not_pass(name: str, value: str) -> None:
    with pytest.raises(UnsafeHeader):
        build(HEADERS._replace(extra=((name, value),)))


def test_a_date_without_a_time_zone_does_not_pass() -> None:
    with pytest.raises(ValueError, match="time zone"):
        build(HEADERS._replace(date=HEADERS.date.replace(tzinfo=None)))


def test_a_date_keeps_its_time_zone() -> None:
    tokyo = HEADERS.date.astimezone(timezone(timedelta(hours=9))) + timedelta(hours=1)
    assert b"Date: Sun, 09 Mar 2025 18:07:06 +0900\r\n" in build(HEADERS._replace(date=tokyo))
