"""Answers come in pieces of any size, and count only whole (RFC 5321 §4.2, RFC 2920 §3.2)."""

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartramail.adapters.smtp_answers import Answers, AnswerTooLong
from kartramail.adapters.smtp_client import MAX_REPLY_LINE, MAX_REPLY_LINES
from kartramail.rules.replies import WORDS_LIMIT, Accepted, Deferred, Stage
from tests.adapters.test_smtp_pipelining import PIPELINING, courier, gather, hand_over
from tests.support.smtp_server import (
    Action,
    Drip,
    Flood,
    Ok,
    Say,
    ScriptedServer,
    Slowly,
)

SENDING = [Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.END_OF_DATA]
RIGHT = {Stage.MAIL: 250, Stage.RCPT: 250, Stage.DATA: 354, Stage.END_OF_DATA: 250}

# -- octets to answers ----------------------------------------------------------------------------

CONVERSATION = (
    b"250 2.1.0 Ok\r\n250-one\r\n250-\r\n250 three\r\n354 Go on\r\n250\r\nwhat?\r\n\r\n"
    b"550-5.7.1 no\n550 5.7.1 never\n25\r\n2500 x\r\n-250 x\r\n\xff\xfe\r\n250-a\r\nb\r\n421 \r\n"
)
ANSWERS = [
    (250, b"2.1.0 Ok"),
    (250, b"one\n\nthree"),
    (354, b"Go on"),
    (250, b""),
    (-1, b"what?"),
    (-1, b""),
    (550, b"5.7.1 no\n5.7.1 never"),
    (-1, b"25"),
    (-1, b"2500 x"),
    (-1, b"-250 x"),
    (-1, b"\xff\xfe"),
    (-1, b"b"),
    (421, b""),
]


@given(st.sets(st.integers(1, len(CONVERSATION) - 1)))
def test_the_same_answers_come_out_however_the_octets_come_in(places: set[int]) -> None:
    answers, found, start = Answers(), [], 0
    for end in [*sorted(places), len(CONVERSATION)]:
        found += answers.feed(CONVERSATION[start:end])
        start = end
    assert found == ANSWERS


def test_octet_by_octet() -> None:
    answers = Answers()
    found = [one for octet in CONVERSATION for one in answers.feed(bytes([octet]))]
    assert found == ANSWERS


@pytest.mark.parametrize("size", [1, 7, 10**6], ids=["octets", "pieces", "whole"])
def test_the_longest_answer_is_taken_and_one_line_or_octet_more_is_not(size: int) -> None:
    line = b"250-" + b"x" * (MAX_REPLY_LINE - 5) + b"\r\n"
    longest = line * (MAX_REPLY_LINES - 1) + b"250 end\r\n"
    if size == 1:  # the same for fewer octets
        longest = b"250-\r\n" * (MAX_REPLY_LINES - 1) + b"250 end\r\n"
    ((code, words),) = _feed(longest, size)
    assert (code, words.count(b"\n")) == (250, MAX_REPLY_LINES - 1)
    with pytest.raises(AnswerTooLong):
        _feed(b"250-again\r\n" * MAX_REPLY_LINES, size)
    with pytest.raises(AnswerTooLong):
        _feed(b"250 " + b"x" * MAX_REPLY_LINE + b"\r\n", size)
    with pytest.raises(AnswerTooLong):
        _feed(b"x" * (MAX_REPLY_LINE + 1), size)


@given(st.sets(st.integers(1, len(CONVERSATION))))
def test_what_came_whole_before_what_has_no_end_counts_however_it_comes_in(
    places: set[int],
) -> None:
    octets = CONVERSATION + b"250-again\r\n" * MAX_REPLY_LINES
    answers, found, start = Answers(), [], 0
    with pytest.raises(AnswerTooLong) as raised:
        for end in [*sorted(places), len(octets)]:
            found += answers.feed(octets[start:end])
            start = end
    assert [*found, *raised.value.before] == ANSWERS


def _feed(octets: bytes, size: int) -> list[tuple[int, bytes]]:
    answers = Answers()
    pieces = range(0, len(octets), size)
    return [one for start in pieces for one in answers.feed(octets[start : start + size])]


# -- over a real connection -----------------------------------------------------------------------


def octet_by_octet(octets: bytes) -> Sequence[bytes]:
    return [bytes([octet]) for octet in octets]


def all_at_once(octets: bytes) -> Sequence[bytes]:
    return [octets]


def within_the_line_end(octets: bytes) -> Sequence[bytes]:
    *lines, last = octets.split(b"\r\n")
    return [b"\n" * (n > 0) + line + b"\r" for n, line in enumerate(lines)] + [b"\n" + last]


def one_and_a_half(octets: bytes) -> Sequence[bytes]:
    middle = octets.find(b"\r\n") + 5
    return [octets[:middle], octets[middle:]]


CUTS = [octet_by_octet, all_at_once, within_the_line_end, one_and_a_half]


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("extensions", [PIPELINING, ()], ids=["pipelining", "one by one"])
def test_answers_in_pieces_belong_to_their_commands(
    cut: Callable[[bytes], Sequence[bytes]], extensions: tuple[str, ...]
) -> None:
    """Of six messages the third is refused and the fifth put off, and no other."""
    assert b"".join(cut(CONVERSATION)) == CONVERSATION
    script = {
        "rcpt": [Ok(), Ok(), Say("550-5.1.1 no\r\n550 5.1.1 such user")],
        "end_of_data": [Ok(), Ok(), Ok(), Say("450 4.2.0 later")],
    }
    if extensions:  # after 354 to what has no recipient there is one end of data more
        script["end_of_data"].insert(2, Say("554 5.5.1 No valid recipients"))
    with (
        ScriptedServer(script, extensions=extensions, cut=cut) as server,
        courier(server, timeout=20) as at_work,
    ):
        hand_over(at_work, 6)
        replies = {one.id: one.reply for one in gather(at_work, 6)}
    assert {number: reply.code for number, reply in replies.items()} == {
        **dict.fromkeys([1, 2, 4, 6], 250),
        3: 550,
        5: 450,
    }
    assert replies[3].words == "5.1.1 no such user"
    assert Counter(m.mail_from[:2] for m in server.messages) == Counter(["b1", "b2", "b4", "b6"])
    assert server.connections == 1


@pytest.mark.parametrize("stage", SENDING)
def test_answers_of_many_lines_and_long_lines_are_taken(stage: Stage) -> None:
    """127 lines of 4 KB: far beyond what RFC 5321 §4.5.3.1.5 allows."""
    code = RIGHT[stage]
    lines = [f"{code}-{'x' * (MAX_REPLY_LINE - 5)}"] * (MAX_REPLY_LINES - 1)
    answer = "\r\n".join([*lines, f"{code} end"])
    with (
        ScriptedServer({stage: Say(answer, is_right=True)}, extensions=PIPELINING) as server,
        courier(server, timeout=20) as at_work,
    ):
        hand_over(at_work, 3)
        replies = [one.reply for one in gather(at_work, 3)]
    assert all(isinstance(reply, Accepted) for reply in replies)
    assert len(server.messages) == 3
    assert all(len(reply.words) <= WORDS_LIMIT for reply in replies)


@pytest.mark.parametrize("stage", SENDING)
def test_slow_answers_are_waited_for(stage: Stage) -> None:
    with (
        ScriptedServer({stage: [Slowly(0.01)]}, extensions=PIPELINING) as server,
        courier(server, timeout=20) as at_work,
    ):
        hand_over(at_work, 2)
        assert all(isinstance(one.reply, Accepted) for one in gather(at_work, 2))
    assert len(server.messages) == 2
    assert server.connections == 1


def test_an_acceptance_counts_whatever_comes_right_after_it() -> None:
    """Even in the same packet; what was announced behind it pays nothing."""
    endless = Say("250 2.0.0 Ok\r\n" + "x" * (MAX_REPLY_LINE + 1), is_right=True)
    with (
        ScriptedServer({"end_of_data": [endless]}, extensions=PIPELINING) as server,
        courier(server) as at_work,
    ):
        hand_over(at_work, 3)
        assert all(isinstance(one.reply, Accepted) for one in gather(at_work, 3))
    assert len(server.messages) == 3
    assert server.connections == 2


TOO_MUCH: list[Action] = [
    Flood(b"250-again\r\n" * 100),
    Flood(b"x" * 65_536),
    Flood(b"\r\n" * 1000),
    Say("250 " + "x" * MAX_REPLY_LINE),
    Say("250-again\r\n" * MAX_REPLY_LINES + "250 end"),
]
TOO_SLOW: list[Action] = [Slowly(0.1), Drip(b"250-x\r\n", 0.02)]


CASES = [(stage, action) for action in TOO_MUCH for stage in SENDING]
CASES += [(stage, action) for action in TOO_SLOW for stage in (Stage.RCPT, Stage.END_OF_DATA)]


@pytest.mark.parametrize(("stage", "action"), CASES, ids=lambda value: repr(value)[:24])
def test_too_much_or_too_late_is_no_acceptance_and_stops_nobody(
    stage: Stage, action: Action
) -> None:
    """The time of a step is that of the whole answer, not of each of its octets or lines."""
    timeout = 0.5 if action in TOO_SLOW else 20
    with (
        ScriptedServer({stage: [action]}, extensions=PIPELINING) as server,
        courier(server, timeout=timeout) as at_work,
    ):
        hand_over(at_work, 2)
        replies = {one.id: one.reply for one in gather(at_work, 2)}
        first = replies[1]
    assert isinstance(first, Deferred), first
    assert first.costs_attempt
    assert first.in_doubt == (first.stage is Stage.END_OF_DATA)
    assert first.stage is stage
    assert isinstance(replies[2], Accepted)
    assert mails_of(server, 2) == 1


def mails_of(server: ScriptedServer, number: int) -> int:
    return sum(message.mail_from.startswith(f"b{number}@") for message in server.messages)
