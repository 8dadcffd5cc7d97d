"""What is hashed and signed is the relaxed form of RFC 6376 §3.4."""

import dkim.canonicalization
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kartramail.rules.signing_canonical import relaxed_body, relaxed_fields

EXAMPLE_HEADER = b"A: X\r\nB : Y\t\r\n\tZ  "
EXAMPLE_BODY = b" C \r\nD \t E\r\n\r\n\r\n"


def test_the_example_of_the_rfc_comes_out_as_it_says() -> None:
    """RFC 6376 §3.4.5, example 1."""
    assert relaxed_fields(EXAMPLE_HEADER) == {b"a": [b"a:X"], b"b": [b"b:Y Z"]}
    assert relaxed_body(EXAMPLE_BODY) == b" C\r\nD E\r\n"


@pytest.mark.parametrize(
    ("body", "relaxed"),
    [
        (b"", b""),
        (b"\r\n", b""),
        (b"\r\n\r\n\r\n", b""),
        (b" \t ", b""),
        (b" \r\n\t\r\n", b""),
        (b"x", b"x\r\n"),
        (b"x\r\n", b"x\r\n"),
        (b"x\r\n\r\n \r\n\t", b"x\r\n"),
        (b"x \t", b"x\r\n"),
        (b"\r\n\r\nx", b"\r\n\r\nx\r\n"),
        (b"x\r\n \t\r\ny\r\n", b"x\r\n\r\ny\r\n"),
        (b".\r\n..x  y\r\n", b".\r\n..x y\r\n"),
        (b"\t\t  \t" * 99 + b"x", b" x\r\n"),
        (b"\xff\xa0  \xa0\r\n", b"\xff\xa0 \xa0\r\n"),
        (b"x\x0b\x0c  \x0b\r\n", b"x\x0b\x0c \x0b\r\n"),
    ],
)
def test_a_body_loses_blanks_and_empty_lines_at_ends_only(body: bytes, relaxed: bytes) -> None:
    assert relaxed_body(body) == relaxed


pieces = st.lists(
    st.one_of(
        st.sampled_from([b"\r\n", b" ", b"\t", b"  ", b".", b"\r\n\r\n", b"x", b"\xa0", b"\x0c"]),
        st.binary(max_size=6).map(lambda octets: octets.translate(None, b"\r\n")),
    ),
    max_size=40,
).map(b"".join)


@settings(max_examples=500, deadline=None)
@given(body=pieces)
def test_a_body_comes_out_as_from_another_hand(body: bytes) -> None:
    other = dkim.canonicalization.CanonicalizationPolicy.from_c_value(b"relaxed/relaxed")
    whole = body + b"\r\n"  # dkimpy leaves blanks at the end of a line without its end
    assert relaxed_body(whole) == relaxed_body(body) == other.canonicalize_body(whole)


def test_fields_keep_their_order_within_a_name_and_their_case_within_a_value() -> None:
    header = b"X-Tag: One\r\nSUBJECT:\r\n  A\r\n\t B  C \r\nx-tag:TWO"
    assert relaxed_fields(header) == {
        b"x-tag": [b"x-tag:One", b"x-tag:TWO"],
        b"subject": [b"subject:A B C"],
    }


@pytest.mark.parametrize(
    "header",
    [b"From x", b" From: x", b": x", b"Fr om: x", b"A: x\r\n\r\nB: y", b"\xc3\xa4: x", b""],
)
def test_a_line_that_is_no_field_is_refused(header: bytes) -> None:
    with pytest.raises(ValueError, match="no field"):
        relaxed_fields(header)
