"""Whatever a server does becomes a reply, never an exception (R-RETRY)."""

import pytest

from kartramail.adapters.transport import SmtpSettings, SmtpTransport
from kartramail.rules.replies import Accepted, Deferred, Refused, Stage
from tests.adapters.test_transport_delivery import envelopes, transport
from tests.support.ports import free_port
from tests.support.smtp_server import (
    Action,
    Drip,
    Drop,
    Flood,
    Ok,
    Say,
    ScriptedServer,
    Silence,
)

CONNECTING = ["greeting", "ehlo"]
SENDING = ["mail", "rcpt", "data", "end_of_data"]


def patience(action: Action) -> dict[str, object]:
    """Little where the server will never answer, much where a busy machine may be slow."""
    seconds = 0.3 if isinstance(action, Silence | Drip) else 10.0
    return {"timeout": seconds, "final_timeout": seconds}


BROKEN: list[Action] = [Silence(), Drip(), Drop(), Say(b"\xff\xfe garbage \x00"), Say("")]
BROKEN += [Flood(b"x" * 4096), Flood(b"250-again\r\n"), Say("250" + "x" * 9000), Say("99 no")]
BROKEN += [Say("25"), Say("2500 ok"), Say("999 what"), Say("150 wait"), Say("-250 ok")]


def names(action: Action) -> str:
    return repr(action)[:40]


@pytest.mark.parametrize("step", CONNECTING)
@pytest.mark.parametrize("action", [*BROKEN, Say("421 busy"), Say("554 no")], ids=names)
def test_a_connection_that_cannot_be_made_ends_the_stream_and_is_free(
    step: str, action: Action
) -> None:
    script = {step: action, "helo": action}
    with ScriptedServer(script) as server:
        ((number, reply),) = transport(server, **patience(action)).deliver(envelopes(3))
        assert number == 1
        assert isinstance(reply, Deferred)
        assert reply.stage == step
        assert not reply.costs_attempt
        assert reply.words or action == Say("")


@pytest.mark.parametrize("step", SENDING)
@pytest.mark.parametrize("action", BROKEN, ids=names)
def test_a_failure_within_a_message_costs_it_an_attempt_and_the_next_one_nothing(
    step: str, action: Action
) -> None:
    with ScriptedServer({step: [action]}) as server:
        (_, first), (_, second) = transport(server, **patience(action)).deliver(envelopes(2))
        assert isinstance(first, Deferred)
        assert first.stage == step
        assert first.costs_attempt
        assert first.in_doubt == (step == "end_of_data")
        assert isinstance(second, Accepted)
        assert server.connections == 2


@pytest.mark.parametrize("step", SENDING)
@pytest.mark.parametrize("code", [450, 451, 452])
def test_a_4xx_puts_off_this_message_only(step: str, code: int) -> None:
    with ScriptedServer({step: [Say(f"{code} 4.0.0 later")]}) as server:
        (_, first), (_, second) = transport(server).deliver(envelopes(2))
        assert first == Deferred(Stage(step), code, "4.0.0 later", f"127.0.0.1:{server.port}")
        assert isinstance(second, Accepted)
        assert server.connections == 1


@pytest.mark.parametrize("step", SENDING)
def test_a_5xx_refuses_this_message_only(step: str) -> None:
    with ScriptedServer({step: [Say("550-5.7.1 No.\r\n550 5.7.1 Never.")]}) as server:
        (_, first), (_, second) = transport(server).deliver(envelopes(2))
        assert first == Refused(Stage(step), 550, "5.7.1 No. Never.", f"127.0.0.1:{server.port}")
        assert isinstance(second, Accepted)
        assert server.connections == 1


@pytest.mark.parametrize("step", SENDING)
@pytest.mark.parametrize("then_drop", [True, False])
def test_a_421_puts_off_and_a_new_connection_takes_over(step: str, then_drop: bool) -> None:
    with ScriptedServer({step: [Say("421 4.3.2 closing", then_drop)]}) as server:
        (_, first), (_, second) = transport(server).deliver(envelopes(2))
        assert isinstance(first, Deferred)
        assert (first.stage, first.code, first.in_doubt) == (step, 421, False)
        assert isinstance(second, Accepted)
        assert server.connections == 2


@pytest.mark.parametrize("step", SENDING)
def test_a_server_that_answers_twice_never_gets_a_message_taken_for_accepted(step: str) -> None:
    """An answer too many shifts all that follow: none of them may count for the wrong message."""
    answer = "354 go on" if step == "data" else "250 ok"
    with ScriptedServer({step: [Say(f"{answer}\r\n{answer}")]}) as server:
        replies = [reply for _, reply in transport(server).deliver(envelopes(3))]
        accepted = [number for number, reply in enumerate(replies, 1) if type(reply) is Accepted]
        kept = [int(message.mail_from[1]) for message in server.messages]
        # The scripted answer at the end of data does not keep its message.
        assert set(accepted) - {1 if step == "end_of_data" else 0} <= set(kept)
        assert 3 in accepted


def test_a_multi_line_reply_is_read_to_its_end() -> None:
    with ScriptedServer({"mail": Say("250-one\r\n250-two\r\n250 three")}) as server:
        replies = [reply for _, reply in transport(server).deliver(envelopes(2))]
        assert all(isinstance(reply, Accepted) for reply in replies)


def test_where_nothing_listens_the_words_say_so() -> None:
    settings = SmtpSettings("127.0.0.1", free_port(), timeout=2)
    ((_, reply),) = SmtpTransport(settings).deliver(envelopes(2))
    assert isinstance(reply, Deferred)
    assert reply.stage is Stage.CONNECT
    assert reply.words == "Nothing listens there: the connection was refused."


@pytest.mark.parametrize("host", ["", "no such host.invalid", "x" * 70 + ".invalid", "a..b", "\0"])
def test_a_host_that_is_none_is_no_exception(host: str) -> None:
    ((_, reply),) = SmtpTransport(SmtpSettings(host, free_port(), timeout=2)).deliver(envelopes(1))
    assert isinstance(reply, Deferred)
    assert reply.stage is Stage.CONNECT


@pytest.mark.parametrize("name", ["bücher.example", "a\r\nMAIL FROM:<b@c.example>", "\ud800"])
def test_a_name_for_ehlo_that_is_none_is_no_exception(name: str) -> None:
    with ScriptedServer() as server:
        ((_, reply),) = transport(server, ehlo_name=name).deliver(envelopes(2))
    assert isinstance(reply, Deferred)
    assert (reply.stage, reply.costs_attempt) == (Stage.EHLO, False)
    assert "EHLO_NAME" in reply.words


def test_a_silent_server_is_left_after_the_time_for_the_step() -> None:
    with ScriptedServer({"end_of_data": Silence()}) as server:
        patient = transport(server, timeout=60.0, final_timeout=0.1)
        ((_, reply),) = patient.deliver(envelopes(1))
        assert isinstance(reply, Deferred)
        assert reply.words == "The server did not answer within 0.1 seconds."
        assert reply.in_doubt


def test_a_server_that_lets_the_connection_die_later_ends_the_stream_then() -> None:
    with ScriptedServer({"greeting": [Ok(), Drop()], "mail": [Ok(), Drop()]}) as server:
        replies = list(transport(server).deliver(envelopes(3)))
        assert [number for number, _ in replies] == [1, 2]
        assert isinstance(replies[0][1], Accepted)
        assert isinstance(replies[1][1], Deferred)
        assert not replies[1][1].costs_attempt


def test_a_quit_that_is_not_answered_holds_nothing_up() -> None:
    with ScriptedServer({"quit": Drop()}) as server:
        ((_, reply),) = transport(server).deliver(envelopes(1))
        assert isinstance(reply, Accepted)
