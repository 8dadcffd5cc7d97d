"""DKIM key records: built, read, split (RFC 6376 §3.6.1)."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kartramail.rules.dkim import KeyRecord, build_key_record, parse_key_record, split_text
from kartramail.rules.dns_records import Problem

KEY = base64.b64encode(bytes(range(256)) + b"end").decode()


@settings(deadline=None)
@given(st.binary(max_size=600).map(lambda octets: base64.b64encode(octets).decode()))
def test_what_is_built_is_read_back(public: str) -> None:
    assert parse_key_record(build_key_record(public)) == KeyRecord(public)


@pytest.mark.parametrize(
    ("text", "record"),
    [
        (f"p={KEY}", KeyRecord(KEY)),
        (f" v=DKIM1 ;\tp={KEY} ; ", KeyRecord(KEY)),
        (f"v=DKIM1; p={KEY[:40]} {KEY[40:80]}\r\n\t{KEY[80:]}", KeyRecord(KEY)),
        (f"v=DKIM1; k=ed25519; p={KEY}", KeyRecord(KEY, "ed25519")),
        (f"h=sha1 : sha256; p={KEY}", KeyRecord(KEY, hashes=("sha1", "sha256"))),
        (f"s=email:*; t=y:s; p={KEY}", KeyRecord(KEY, services=("email", "*"), flags=("y", "s"))),
        (f"n=see=there; x_1=2; p={KEY}", KeyRecord(KEY)),
        ("v=DKIM1; p=", KeyRecord("")),
    ],
)
def test_it_reads_what_the_grammar_allows(text: str, record: KeyRecord) -> None:
    assert parse_key_record(text) == record


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=DKIM1",
        f"v=DKIM1 p={KEY}",
        f"v=dkim1; p={KEY}",
        f"k=rsa; v=DKIM1; p={KEY}",
        f"v=DKIM1; p={KEY}; p={KEY}",
        f"v=DKIM1;; p={KEY}",
        f'"v=DKIM1; p={KEY}"',
        f'v=DKIM1; p="{KEY}"',
        f"v=DKIM1; p={KEY[:-1]}",
        f"v=DKIM1; p={KEY[:40]}\n{KEY[40:]}",
        f"v=DKIM1; p={KEY[:40]}\u00a0{KEY[40:]}",
        "v=spf1 -all",
    ],
)
def test_it_refuses_what_verifiers_refuse(text: str) -> None:
    problem = parse_key_record(text)
    assert isinstance(problem, Problem)
    assert problem.code == "not_a_record"
    assert problem.message.endswith(".")


@settings(deadline=None)
@given(st.text())
def test_no_text_makes_it_fail(text: str) -> None:
    assert isinstance(parse_key_record(text), KeyRecord | Problem)


@pytest.mark.parametrize(
    ("record", "signs"),
    [
        (KeyRecord(KEY), True),
        (KeyRecord(KEY, hashes=("sha256", "sha1"), services=("email",)), True),
        (KeyRecord(KEY, services=("*",)), True),
        (KeyRecord(KEY, "ed25519"), False),
        (KeyRecord(KEY, hashes=("sha1",)), False),
        (KeyRecord(KEY, services=("chat",)), False),
    ],
)
def test_it_knows_whether_a_record_allows_our_signature(record: KeyRecord, signs: bool) -> None:
    assert record.signs_mail is signs


def test_an_empty_key_is_a_revoked_one() -> None:
    assert KeyRecord("").is_revoked
    assert not KeyRecord(KEY).is_revoked


@settings(deadline=None)
@given(st.text(), st.integers(min_value=4, max_value=300))
def test_parts_are_short_enough_and_make_up_the_whole(text: str, limit: int) -> None:
    parts = split_text(text, limit)
    assert "".join(parts) == text
    assert all(len(part.encode()) <= limit for part in parts)
    assert len(parts) == 1 or all(parts)


def test_a_key_record_is_split_at_255_octets() -> None:
    assert [len(part) for part in split_text("x" * 410)] == [255, 155]
    assert [len(part) for part in split_text("x" * 510)] == [255, 255]
    assert split_text("") == ("",)
