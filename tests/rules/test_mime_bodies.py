"""Bodies read back as they were written, in bytes that nothing on the way has to change."""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kartramail.rules.headers import Mailbox
from kartramail.rules.mime import (
    Fixed,
    MessageHeaders,
    MessageSource,
    Renderable,
    compile_message,
)
from kartramail.rules.mime_bodies import encode_part

HEADERS = MessageHeaders(
    sender=Mailbox("alice@doeinc.com", "Alice Doe"),
    to=Mailbox("bob@example.net"),
    message_id="<0d5e@doeinc.com>",
    date=datetime(2025, 3, 9, 8, 7, 6, tzinfo=UTC),
)

TRAPS = ["\r", "\n", "\r\n", "\n.", "\n..\n", ".", "\nFrom here", " \n", "\t\n", "\0", "\ud800"]
TRAPS += ["--=_kartramail", "\n--=_kartramail--\n", "=", "x" * 1200, "ü" * 90, "word " * 30]

snippets = st.lists(
    st.one_of(
        st.text(max_size=40),
        st.sampled_from(TRAPS),
    ),
    max_size=12,
).map("".join)


class Greeting:
    """A text that differs from one recipient to the next."""

    is_constant = False

    def __init__(self, pattern: str = "Hello {name}\n") -> None:
        self.pattern = pattern
        self.renders = 0

    def render(self, variables: object, /) -> str:
        self.renders += 1
        assert isinstance(variables, dict)
        return self.pattern.format(**variables)


def build(text: Renderable | None = None, html: Renderable | None = None) -> bytes:
    source = MessageSource(Fixed("Your booking"), text, html)
    return compile_message(source).fill(HEADERS, {"name": "Bob"})


def parse(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def content(part: object) -> str:
    assert isinstance(part, EmailMessage)
    assert not part.defects
    octets = part.get_payload(decode=True)
    assert isinstance(octets, bytes)
    return octets.decode("utf-8").replace("\r\n", "\n")


def as_it_arrives(text: str) -> str:
    """What the module promises to change: line ends, NUL, half characters, a last line end."""
    text = re.sub(r"\r\n?", "\n", text).replace("\0", "\ufffd")
    text = re.sub("[\ud800-\udfff]", "\ufffd", text)
    return text if not text or text.endswith("\n") else text + "\n"


def assert_safe_on_the_wire(data: bytes) -> None:
    assert data.isascii()
    assert b"\0" not in data
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", data)
    assert max(map(len, data.split(b"\r\n"))) <= 998
    assert data.endswith(b"\r\n")


@settings(max_examples=150, deadline=None)
@given(text=snippets, html=snippets)
def test_both_bodies_read_back_as_written(text: str, html: str) -> None:
    data = build(Fixed(text), Fixed(html))
    assert_safe_on_the_wire(data)
    message = parse(data)
    assert message.get_content_type() == "multipart/alternative"
    plain, rich = message.iter_parts()
    assert (plain.get_content_type(), content(plain)) == ("text/plain", as_it_arrives(text))
    assert (rich.get_content_type(), content(rich)) == ("text/html", as_it_arrives(html))


@settings(max_examples=150, deadline=None)
@given(text=snippets)
def test_a_single_body_reads_back_as_written(text: str) -> None:
    data = build(Fixed(text))
    assert_safe_on_the_wire(data)
    message = parse(data)
    assert message.get_content_type() == "text/plain"
    assert content(message) == as_it_arrives(text)


@settings(max_examples=100, deadline=None)
@given(text=snippets)
def test_quoted_lines_are_short_and_hold_nothing_that_gets_changed(text: str) -> None:
    header, _, body = encode_part("plain", text).partition(b"\r\n\r\n")
    lines = body.split(b"\r\n")
    assert not any(line.endswith((b" ", b"\t")) for line in lines)
    assert not any(line.startswith(b"From ") for line in lines)
    assert not any(line.startswith(b"--=_") for line in lines)
    if b"7bit" not in header:
        assert max(map(len, lines)) <= 76
        assert not any(line.startswith(b".") for line in lines)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Plain words.\n", "7bit"),
        ("x" * 998, "7bit"),
        ("x" * 999, "quoted-printable"),
        ("From here on\n", "quoted-printable"),
        ("a\nFrom here on\n", "quoted-printable"),
        ("trailing blank \n", "quoted-printable"),
        ("--=_kartramail\n", "quoted-printable"),
        ("form\x0cfeed " * 10, "quoted-printable"),
        ("Größe und Maß, wie immer in bester Qualität\n", "quoted-printable"),
        ("こんにちは、世界\n", "base64"),
        ("", "7bit"),
    ],
)
def test_it_chooses_the_encoding_that_fits(text: str, encoding: str) -> None:
    assert parse(build(Fixed(text)))["Content-Transfer-Encoding"] == encoding


def test_html_alone_is_one_part() -> None:
    message = parse(build(html=Fixed("<p>Hi</p>")))
    assert message.get_content_type() == "text/html"
    assert content(message) == "<p>Hi</p>\n"


def test_a_message_without_bodies_is_empty() -> None:
    assert content(parse(build())) == ""


def test_lines_that_begin_with_dots_stay_as_they_are() -> None:
    assert b"\r\n.\r\n..two\r\n" in build(Fixed("one\n.\n..two"))


def test_what_is_constant_is_rendered_once_for_all_recipients() -> None:
    html = Greeting()
    text = Greeting()
    text.is_constant = True
    text.pattern = "The same for all\n"
    compiled = compile_message(MessageSource(Fixed("Hi"), text, html))
    first = compiled.fill(HEADERS, {"name": "Bob"})
    second = compiled.fill(HEADERS, {"name": "Zoë"})
    assert (text.renders, html.renders) == (1, 2)
    assert content(list(parse(first).iter_parts())[1]) == "Hello Bob\n"
    assert content(list(parse(second).iter_parts())[1]) == "Hello Zoë\n"


def test_the_subject_is_filled_in() -> None:
    compiled = compile_message(MessageSource(Greeting("Hi {name}"), Fixed("x")))
    assert parse(compiled.fill(HEADERS, {"name": "Zoë"}))["Subject"] == "Hi Zoë"
