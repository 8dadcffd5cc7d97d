"""Signatures of RFC 6376: what they cover, how they are written, and that they verify (R-DKIM)."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cache

import dkim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kartramail.adapters.keys import KeySafe, generate_key_pair
from kartramail.rules.headers import Mailbox
from kartramail.rules.mime import Fixed, MessageHeaders, MessageSource, compile_message, whole
from kartramail.rules.signing import SigningKey, sign_message
from kartramail.rules.signing_canonical import relaxed_fields
from tests.rules.test_mime_bodies import snippets
from tests.rules.test_mime_headers import words

NOW = datetime(2026, 3, 9, 8, 7, 6, 500, tzinfo=UTC)
PLAIN = b"From: alice@doeinc.com\r\nSubject: Hi\r\n\r\nHello.\r\n"
MASTER_KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


@cache
def published() -> tuple[SigningKey, bytes]:
    """A key of doeinc.com, and the record that it is verified with."""
    pair, safe = generate_key_pair(), KeySafe(MASTER_KEY)
    key = SigningKey("doeinc.com", "km1", safe.open(safe.seal(pair.private)))
    return key, b"v=DKIM1; k=rsa; p=" + pair.public.encode()


def sign(data: bytes, at: datetime = NOW) -> bytes:
    return sign_message(data, published()[0], at)


def is_good(signed: bytes) -> bool:
    asked = []

    def answer(name: bytes, timeout: float = 5) -> bytes:
        asked.append(name)
        return published()[1]

    is_verified = dkim.verify(signed, dnsfunc=answer)
    assert set(asked) <= {b"km1._domainkey.doeinc.com."}
    return bool(is_verified)


def signature_of(signed: bytes) -> tuple[bytes, dict[str, str]]:
    """The signature field as it is written, and its tags without blanks."""
    match = re.match(rb"DKIM-Signature:(?:[^\r]|\r\n[ \t])*\r\n", signed)
    assert match is not None
    text = re.sub(r"\s", "", match[0].decode().partition(":")[2])
    return match[0], dict(tag.split("=", 1) for tag in text.split(";"))


def test_one_field_stands_in_front_of_the_unchanged_message() -> None:
    signed = sign(PLAIN)
    written, _ = signature_of(signed)
    assert signed == written + PLAIN
    assert signed.lower().count(b"dkim-signature") == 1


@pytest.mark.parametrize("data", [b"From: a@doeinc.com", b"From: a@doeinc.com\r\n"])
def test_a_header_alone_gets_its_end(data: bytes) -> None:
    """Some verifiers take it for no message otherwise."""
    signed = sign(data)
    written, _ = signature_of(signed)
    assert signed == written + b"From: a@doeinc.com\r\n\r\n"
    assert is_good(signed)


def test_the_tags_say_how_it_was_signed_and_by_whom() -> None:
    _, tags = signature_of(sign(PLAIN))
    assert list(tags) == ["v", "a", "c", "t", "d", "s", "h", "bh", "b"]
    assert (tags["v"], tags["a"], tags["c"]) == ("1", "rsa-sha256", "relaxed/relaxed")
    assert (tags["d"], tags["s"]) == ("doeinc.com", "km1")
    assert tags["t"] == str(int(NOW.timestamp()))


def test_the_time_is_the_same_in_every_zone() -> None:
    abroad = NOW.astimezone(timezone(timedelta(hours=9)))
    assert sign(PLAIN) == sign(PLAIN, abroad)


def test_nobody_can_add_a_second_from_subject_recipient_date_or_reply_address() -> None:
    """RFC 6376 §5.4.2, §8.15."""
    signed = sign(PLAIN)
    _, tags = signature_of(signed)
    assert tags["h"] == "from:from:reply-to:subject:subject:date:to:cc"
    assert is_good(signed)
    for added in (
        b"From: charlie@evil.example",
        b"Subject: Pay",
        b"Reply-To: charlie@evil.example",
    ):
        assert not is_good(added + b"\r\n" + signed)
        assert not is_good(signed.replace(b"\r\n\r\n", b"\r\n" + added + b"\r\n\r\n", 1))


def test_both_unsubscribe_fields_are_signed_when_there_are_any() -> None:
    """RFC 8058 §4, R-DKIM."""
    fields = (
        b"List-Unsubscribe: <https://kartra.com/u/1>\r\n"
        b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    )
    listed = signature_of(sign(fields + PLAIN))[1]["h"].split(":")
    assert listed.count("list-unsubscribe") == listed.count("list-unsubscribe-post") == 2
    assert "list-unsubscribe" not in signature_of(sign(PLAIN))[1]["h"]
    assert not is_good(sign(fields + PLAIN).replace(b"/u/1", b"/u/2"))


def test_fields_of_one_name_are_signed_from_the_bottom_up() -> None:
    signed = sign(b"References: <1@x>\r\nTo: a@x\r\nreferences:\t<2@x>\r\nTO: b@x\r\n" + PLAIN)
    listed = signature_of(signed)[1]["h"].split(":")
    assert (listed.count("references"), listed.count("to")) == (2, 3)
    assert is_good(signed)
    swapped = signed.replace(b"<1@x>", b"<3@x>").replace(b"<2@x>", b"<1@x>")
    assert not is_good(swapped.replace(b"<3@x>", b"<2@x>"))


def test_fields_that_relays_add_or_change_are_not_signed() -> None:
    signed = sign(b"Received: by x\r\nReturn-Path: <b@x>\r\nX-Spam: no\r\n" + PLAIN)
    assert is_good(signed.replace(b"X-Spam: no", b"X-Spam: yes"))
    assert is_good(b"Received: from y\r\n" + signed)


def test_no_line_is_longer_than_76_but_for_a_long_domain() -> None:
    written, _ = signature_of(sign(b"Cc: a@x\r\n" * 60 + PLAIN))
    assert max(map(len, written.split(b"\r\n"))) <= 76
    domain = ".".join(["x" * 63, "y" * 63, "z" * 63, "w" * 57])
    key = SigningKey(domain, "km1", published()[0].sign)
    written, tags = signature_of(sign_message(PLAIN, key, NOW))
    assert tags["d"] == domain
    assert [line for line in written.split(b"\r\n") if len(line) > 76] == [
        b" d=%b;" % domain.encode()
    ]


HEAD = b"From: alice@doeinc.com\r\nSubject: Hi\r\n"
BODIES = [b"\r\n", b"\r\nx", b"\r\n\r\n\r\n", b"\r\n \t\r\n", b"\r\n.\r\n..\r\n.x\r\n"]
BODIES += [
    b"\r\nx \t \r\n\t\ty\r\n\r\n \r\n",
    b"\r\n\xff\xfe\x80 caf\xe9\r\n",
    b"\r\n" + b"x" * 998 + b"\r\n",
]


@pytest.mark.parametrize("rest", [b"", *BODIES])
def test_a_message_with_any_body_or_none_verifies(rest: bytes) -> None:
    assert is_good(sign(HEAD + rest))


FOLDINGS = [b"Subject:\r\n Hi\r\n", b"Subject:Hi\r\n", b"Subject: \t Hi \t\r\n", b"Subject:\r\n"]
FOLDINGS += [b"Subject: a\r\n\t b\r\n  \t\r\n c\r\n", b"SUBJECT: caf\xe9  \x0b x\r\n"]


@pytest.mark.parametrize("subject", FOLDINGS)
def test_a_message_with_any_folding_verifies(subject: bytes) -> None:
    assert is_good(sign(subject + b"From: alice@doeinc.com\r\n\r\nx\r\n"))


@settings(max_examples=150, deadline=None)
@given(subject=words, name=words, text=st.none() | snippets, html=st.none() | snippets)
def test_whatever_we_build_verifies(
    subject: str, name: str, text: str | None, html: str | None
) -> None:
    source = MessageSource(
        Fixed(subject), *(None if body is None else Fixed(body) for body in (text, html))
    )
    headers = MessageHeaders(
        Mailbox("alice@doeinc.com", name), Mailbox("bob@example.net", name), "<1@doeinc.com>", NOW
    )
    assert is_good(sign(compile_message(source).fill(headers, {})))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_one_changed_octet_is_noticed(data: st.DataObject) -> None:
    """Of the body, the From or the Subject; blanks and case of names do not count when relaxed."""
    signed = sign(PLAIN)
    at = data.draw(
        st.sampled_from(
            [
                place
                for part in (b"alice@doeinc.com", b"Hi", b"Hello.")
                for place in range(signed.index(part), signed.index(part) + len(part))
            ]
        )
    )
    octet = data.draw(st.integers(0x21, 0xFF).filter(lambda octet: octet != signed[at]))
    assert not is_good(signed[:at] + bytes([octet]) + signed[at + 1 :])


@pytest.mark.parametrize(
    "data", [b"Subject: x\r\n\r\nFrom: a@x\r\n", b"From: a@x\r\n" + PLAIN, b""]
)
def test_a_message_without_exactly_one_from_is_not_signed(data: bytes) -> None:
    with pytest.raises(ValueError):
        sign(data)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        sign(PLAIN, NOW.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("domain", "selector"),
    [("doeinc.com; s=x", "km1"), ("doeinc.com", "km1\r\nX: y"), ("bücher.de", "km1"), ("", "km1")],
)
def test_a_key_whose_names_are_no_names_in_dns_is_refused(domain: str, selector: str) -> None:
    with pytest.raises(ValueError, match="names in DNS"):
        sign_message(PLAIN, SigningKey(domain, selector, lambda octets: b""), NOW)


@dataclass(frozen=True)
class Gapped:
    """A text of two literals around one gap; its filling is its text."""

    literals: tuple[str, str]
    gaps = (0,)
    is_constant = False

    def values(self, variables: Mapping[str, object], /) -> list[str]:
        return [str(variables["name"])]

    def render(self, variables: Mapping[str, object], /) -> str:
        return str(variables["name"]).join(self.literals)

    @property
    def filling(self) -> "Gapped":
        return self


blanks = st.text(st.sampled_from(["a", "b", " ", "\t", "\n", "=", "é", "."]), max_size=8)


@settings(max_examples=400, deadline=None)
@given(
    bodies=st.lists(
        st.one_of(st.builds(Fixed, blanks), st.builds(Gapped, st.tuples(blanks, blanks))),
        min_size=1,
        max_size=2,
    ),
    name=st.one_of(st.sampled_from(["Ann", "two  blanks", "a\tb", "Ann "]), blanks),
)
def test_a_body_that_is_said_to_be_plain_is_signed_and_sent_as_if_nothing_was_said(
    bodies: list[Fixed | Gapped], name: str
) -> None:
    headers = MessageHeaders(
        sender=Mailbox("alice@doeinc.com"),
        to=Mailbox("bob@example.net"),
        message_id="<1@doeinc.com>",
        date=NOW,
    )
    composed = compile_message(MessageSource(Fixed("Hi"), *bodies)).compose({"name": name})
    filled = whole(headers, composed)
    key = SigningKey("doeinc.com", "km1", lambda octets: hashlib.sha256(octets).digest())
    signed = sign_message(filled.data, key, NOW, is_relaxed=filled.plain_from is not None)
    assert signed == sign_message(filled.data, key, NOW)
    if filled.plain_from is not None:
        assert filled.data[: filled.plain_from].endswith(b"\r\n")
        plain = b"\n" + filled.data[filled.plain_from :]
        assert b"\n." not in plain
        assert plain.count(b"\n") - 1 == plain.count(b"\r\n") == plain.count(b"\r")
        assert plain.endswith(b"\r\n")
        assert b"\0" not in plain


@pytest.mark.parametrize("name", ["Ann", "Ann B"])
def test_most_bodies_are_known_to_be_relaxed(name: str) -> None:
    source = MessageSource(Fixed("Hi"), Gapped(("Hello ", ",\n")), Fixed("<p>Hello.</p>\n"))
    compiled = compile_message(source)
    assert compiled.compose({"name": name}).body.plain_from is not None
    assert compiled.compose({"name": "two  blanks"}).body.plain_from is None


@pytest.mark.parametrize("domain", ["doeinc.com", f"{'a' * 60}.{'b' * 60}.com"])
@pytest.mark.parametrize("selector", ["km1", "s" * 60])
def test_what_is_signed_of_the_signature_is_its_relaxed_form(domain: str, selector: str) -> None:
    covered = []

    def keep(octets: bytes) -> bytes:
        covered.append(octets)
        return b"x" * 256

    signed = sign_message(PLAIN, SigningKey(domain, selector, keep), NOW)
    written = signed.partition(b"\r\n b=")[0] + b"\r\n b="
    (relaxed,) = relaxed_fields(written)[b"dkim-signature"]
    assert covered[0].rpartition(b"\r\n")[2] == relaxed
