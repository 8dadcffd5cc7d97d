"""A header that was made once gives what would be made for each message."""

import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kartramail.errors import UnsafeHeader
from kartramail.ids import show_id
from kartramail.rules.headers import Mailbox, is_written_on_one_line, unstructured_field
from kartramail.rules.letterheads import Letterhead
from kartramail.rules.mime import Composed, Filled, MessageHeaders, whole
from kartramail.rules.mime_bodies import encode_part, is_plain
from kartramail.rules.signing import SigningKey, to_be_signed
from tests.rules.test_mime_headers import words

NOW = datetime(2026, 3, 9, 8, 7, 6, 500, tzinfo=UTC)
KEY = SigningKey("doeinc.com", "km1", lambda octets: hashlib.sha256(octets).digest())
FIRST, SECOND = (show_id(number) for number in (1 << 61, (1 << 61) + 12_345))
BODY = Filled(encode_part("plain", "Hello.\n"), 0)
MIME_HEADER, _, CONTENT = BODY.data.partition(b"\r\n\r\n")


def headers(shown: str, to: str, name: str = "Doe Inc", extra: str = "a:b") -> MessageHeaders:
    return MessageHeaders(
        sender=Mailbox("alice@doeinc.com", name),
        to=Mailbox(to),
        message_id=f"<{shown}@kartramail.example>",
        date=NOW,
        reply_to=Mailbox("office@doeinc.com"),
        extra=(("X-KartraMail-Message", shown), ("Feedback-ID", extra)),
    )


def made(name: str = "Doe Inc", extra: str = "a:b") -> Letterhead:
    wanted = headers(FIRST, "first@example.net", name, extra)
    letterhead = Letterhead.make(wanted, FIRST, MIME_HEADER, KEY, NOW)
    assert letterhead is not None
    return letterhead


@settings(max_examples=400, deadline=None)
@given(
    name=st.one_of(words, st.sampled_from(["100 % Doe", "%(to)b", "%b %d", 'A "B" \\'])),
    subject=st.one_of(words, st.text("ab %=?_é ", max_size=90)),
    to=st.sampled_from(
        [
            *("bob@example.net", "a.b+c%d@example.net", "bob@zoë.example", '"b  c"@example.net'),
            *("x" * 64 + "@example.net", "=?utf-8?q?b?=@example.net"),
        ]
    ),
    text=st.text("ab .\n=é", max_size=40),
)
def test_what_it_gives_is_what_the_ordinary_way_gives(
    name: str, subject: str, to: str, text: str
) -> None:
    content = encode_part("plain", text).partition(b"\r\n\r\n")[2]
    assume(is_plain(content))
    composed = Composed(subject, Filled(MIME_HEADER + b"\r\n\r\n" + content, 0))
    try:
        letterhead = made(name)
        ordinary = whole(headers(SECOND, to, name), composed).data
    except UnsafeHeader:
        assume(False)
        raise
    unsigned = letterhead.unsigned(to, SECOND, subject, content)
    if unsigned is not None:
        assert unsigned == to_be_signed(ordinary, KEY, NOW)


@pytest.mark.parametrize("to", ["bob@example.net", "bob@zoë.example", "BOB@Example.NET"])
@pytest.mark.parametrize(
    "subject",
    [
        *("Hello", "50 % off, = today", "x" * 69, "x" * 70, "a long word " * 9 + "end"),
        *("Zoë", "Grüße aus der Bäckerei " * 5, "こんにちは、世界", "a  b", "=?utf-8?q?a?="),
    ],
)
def test_ordinary_messages_go_this_way(to: str, subject: str) -> None:
    assert made().unsigned(to, SECOND, subject, CONTENT) is not None


def test_a_message_without_a_subject_goes_the_ordinary_way() -> None:
    assert made().unsigned("bob@example.net", SECOND, "", CONTENT) is None


@pytest.mark.parametrize("subject", ["a\r\nBcc: eve@example.net", "a\nb", "\u2028", "\0"])
def test_a_subject_with_a_line_break_is_refused(subject: str) -> None:
    with pytest.raises(UnsafeHeader):
        made().unsigned("bob@example.net", SECOND, subject, CONTENT)


@pytest.mark.parametrize("to", ['"a  b"@example.net', f"{'x' * 64}@{'y' * 30}.example"])
def test_an_address_that_does_not_stand_as_it_is_goes_the_ordinary_way(to: str) -> None:
    assert made().unsigned(to, SECOND, "Hello", CONTENT) is None


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(UnsafeHeader):
        made().unsigned("a b@example.net", SECOND, "Hello", CONTENT)


def test_a_header_that_says_the_id_once_more_is_made_anew_for_each() -> None:
    wanted = headers(FIRST, "first@example.net", extra=f"a:{FIRST}")
    assert Letterhead.make(wanted, FIRST, MIME_HEADER, KEY, NOW) is None


@given(st.text("ab é=?\t ", min_size=1, max_size=80))
def test_what_is_written_on_one_line_is_just_that(text: str) -> None:
    if is_written_on_one_line("Subject", text):
        assert unstructured_field("Subject", text) == f"Subject: {text}\r\n".encode("ascii")
