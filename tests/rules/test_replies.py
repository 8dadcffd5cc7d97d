"""What a server's answer means for a message (R-RETRY)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartramail.rules.replies import (
    WORDS_LIMIT,
    Accepted,
    Deferred,
    Refused,
    Stage,
    clean_words,
    find_enhanced_code,
    judge_reply,
)

SERVER = "mx.example.net:25"
CONNECTING = [Stage.CONNECT, Stage.GREETING, Stage.EHLO, Stage.TLS, Stage.AUTH]
SENDING = [Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.END_OF_DATA]


def test_a_2xx_after_the_final_dot_accepts() -> None:
    reply = judge_reply(Stage.END_OF_DATA, 250, b"2.0.0 queued as 4f", SERVER)
    assert reply == Accepted(250, "2.0.0 queued as 4f", SERVER)
    assert reply.enhanced_code == "2.0.0"


@pytest.mark.parametrize("stage", SENDING)
def test_a_4xx_is_tried_again_and_costs_an_attempt(stage: Stage) -> None:
    reply = judge_reply(stage, 450, "4.2.0 greylisted", SERVER)
    assert reply == Deferred(stage, 450, "4.2.0 greylisted", SERVER)
    assert reply.costs_attempt
    assert not reply.in_doubt


@pytest.mark.parametrize("stage", SENDING)
def test_a_5xx_about_the_message_ends_it(stage: Stage) -> None:
    reply = judge_reply(stage, 550, "5.1.1 no such user", SERVER)
    assert reply == Refused(stage, 550, "5.1.1 no such user", SERVER)
    assert reply.enhanced_code == "5.1.1"


@pytest.mark.parametrize("stage", CONNECTING)
@pytest.mark.parametrize("code", [421, 454, 535, 554])
def test_a_connection_that_cannot_be_made_costs_no_attempt(stage: Stage, code: int) -> None:
    reply = judge_reply(stage, code, "go away", SERVER)
    assert isinstance(reply, Deferred)
    assert not reply.costs_attempt


@pytest.mark.parametrize("stage", list(Stage))
def test_a_421_is_tried_again_wherever_it_comes(stage: Stage) -> None:
    assert isinstance(judge_reply(stage, 421, "closing", SERVER), Deferred)


@pytest.mark.parametrize("code", [-1, 0, 99, 100, 199, 300, 354, 600, 999, 10**9])
def test_a_code_that_means_nothing_is_tried_again_and_leaves_doubt(code: int) -> None:
    assert isinstance(judge_reply(Stage.RCPT, code, "?", SERVER), Deferred)
    after_the_dot = judge_reply(Stage.END_OF_DATA, code, "?", SERVER)
    assert isinstance(after_the_dot, Deferred)
    assert after_the_dot.in_doubt


def test_a_250_to_data_is_no_acceptance() -> None:
    assert isinstance(judge_reply(Stage.DATA, 250, "ok", SERVER), Deferred)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("5.1.1 no such user", "5.1.1"),
        ("4.7.1", "4.7.1"),
        ("2.0.0: fine", "2.0.0"),
        ("5.123.456 x", "5.123.456"),
        ("5.1.1.1 x", None),
        ("5.1234.1 x", None),
        ("3.1.1 x", None),
        ("sorry 5.1.1", None),
        ("", None),
    ],
)
def test_it_finds_the_enhanced_code(words: str, code: str | None) -> None:
    assert find_enhanced_code(words) == code


def test_an_enhanced_code_on_each_line_stays_once() -> None:
    words = clean_words(b"5.7.1 Rejected\n5.7.1 See https://x.example\n5.7.1")
    assert words == "5.7.1 Rejected See https://x.example"


@given(st.one_of(st.binary(max_size=6000), st.text(max_size=6000)))
def test_hostile_words_become_one_short_printable_line(words: str | bytes) -> None:
    cleaned = clean_words(words)
    assert len(cleaned) <= WORDS_LIMIT
    assert cleaned.splitlines() in ([], [cleaned])
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in cleaned)
    cleaned.encode("utf-8")


def test_words_cannot_turn_the_direction_of_a_log_line() -> None:
    assert clean_words("a\u202eb\x1b[31mc\x00d") == "a b [31mc d"


def test_long_words_are_cut() -> None:
    assert clean_words("x" * 5000) == "x" * (WORDS_LIMIT - 1) + "…"


@pytest.mark.parametrize("stage", SENDING)
def test_a_server_that_has_lost_step_says_nothing_of_the_message(stage: Stage) -> None:
    assert isinstance(judge_reply(stage, 503, "5.5.1 need RCPT command", SERVER), Deferred)
