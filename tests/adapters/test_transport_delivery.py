"""Messages go over one connection, byte for byte, one at a time (R-TRANSPORT, R-OUTBOX)."""

import threading
from collections.abc import Iterator

import pytest

from kartramail.adapters.transport import (
    Envelope,
    FakeTransport,
    SmtpSettings,
    SmtpTransport,
    deliver,
)
from kartramail.rules.replies import Accepted, Deferred, Refused, Stage
from tests.support.smtp_server import Drop, Ok, OkThenDrop, Say, ScriptedServer, Silence, SinkServer

DATA = b"Subject: Hi\r\n\r\nHello\r\n"


def envelope(number: int = 1, data: bytes = DATA, rcpt_to: str = "bob@example.net") -> Envelope:
    return Envelope(number, f"b{number}@bounces.example.com", rcpt_to, data)


def envelopes(count: int) -> list[Envelope]:
    return [envelope(number) for number in range(1, count + 1)]


def transport(server: SinkServer | ScriptedServer, **changes: object) -> SmtpTransport:
    wanted = {"timeout": 5.0, "final_timeout": 5.0, "ehlo_name": "mail.example.com", **changes}
    return SmtpTransport(SmtpSettings(server.host, server.port, **wanted))  # type: ignore[arg-type]


def test_it_delivers_and_tells_what_the_server_said() -> None:
    with SinkServer() as sink:
        (first, second) = transport(sink).deliver(envelopes(2))
        server = f"127.0.0.1:{sink.port}"
        assert first == (1, Accepted(250, "2.0.0 Ok: kept", server))
        assert second[0] == 2
        assert [(m.mail_from, m.rcpt_to) for m in sink.messages] == [
            ("b1@bounces.example.com", ("bob@example.net",)),
            ("b2@bounces.example.com", ("bob@example.net",)),
        ]
        assert sink.messages[0].data == DATA


def test_many_messages_share_one_connection_which_ends_politely() -> None:
    with ScriptedServer() as server:
        replies = [reply for _, reply in transport(server).deliver(envelopes(20))]
        assert all(isinstance(reply, Accepted) for reply in replies)
        assert server.connections == 1
        assert server.commands[0] == "ehlo mail.example.com"
        assert server.commands[-1] == "QUIT"
        assert server.commands.count("DATA") == 20


def test_a_connection_is_renewed_after_its_share_of_messages() -> None:
    with ScriptedServer() as server:
        list(transport(server, max_messages=3).deliver(envelopes(7)))
        assert server.connections == 3
        assert server.commands.count("QUIT") == 3


def test_a_connection_that_is_old_is_renewed() -> None:
    with ScriptedServer() as server:
        list(transport(server, max_age=0.0).deliver(envelopes(3)))
        assert server.connections == 3


def test_without_envelopes_no_connection_is_made() -> None:
    with ScriptedServer() as server:
        assert list(transport(server).deliver([])) == []
        assert server.connections == 0


def test_the_next_envelope_is_taken_only_when_the_next_reply_is_asked_for() -> None:
    """R-OUTBOX: what is in the air is at most one message a connection."""
    taken: list[int] = []

    def source() -> Iterator[Envelope]:
        for item in envelopes(3):
            taken.append(item.id)
            yield item

    with ScriptedServer() as server:
        stream = transport(server).deliver(source())
        assert taken == []
        next(stream)
        assert taken == [1]
        assert len(server.messages) == 1
        next(stream)
        assert taken == [1, 2]
        stream.close()  # type: ignore[attr-defined]
        assert taken == [1, 2]
        assert server.commands[-1] == "QUIT"


def test_each_thread_has_its_own_connection_and_needs_no_application() -> None:
    with ScriptedServer() as server:
        shared = transport(server)
        threads = [
            threading.Thread(target=lambda: list(shared.deliver(envelopes(5)))) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.connections == 4
        assert len(server.messages) == 20


def test_a_refused_message_does_not_touch_the_next_one() -> None:
    with ScriptedServer({"rcpt": [Say("550 5.1.1 no such user")]}) as server:
        (_, first), (_, second) = transport(server).deliver(envelopes(2))
        assert first == Refused(Stage.RCPT, 550, "5.1.1 no such user", f"127.0.0.1:{server.port}")
        assert isinstance(second, Accepted)
        assert server.connections == 1
        assert server.commands[3:5] == ["RSET", "MAIL FROM:<b2@bounces.example.com> SIZE=22"]


@pytest.mark.parametrize("words", [b"", b"421 4.4.2 idle for too long"])
def test_a_server_that_closed_while_idle_costs_the_message_nothing(words: bytes) -> None:
    with ScriptedServer({"end_of_data": [OkThenDrop(words)]}) as server:
        replies = [reply for _, reply in transport(server).deliver(envelopes(3))]
        assert all(isinstance(reply, Accepted) for reply in replies)
        assert [m.mail_from for m in server.messages] == [e.mail_from for e in envelopes(3)]
        assert server.connections == 2


@pytest.mark.parametrize("action", [Drop(), Say("421 4.7.0 enough for one connection")])
def test_a_used_connection_that_ends_at_mail_is_made_anew(action: Drop | Say) -> None:
    with ScriptedServer({"mail": [Ok(), action]}) as server:
        replies = [reply for _, reply in transport(server).deliver(envelopes(2))]
        assert all(isinstance(reply, Accepted) for reply in replies)
        assert server.connections == 2


def test_a_server_that_fails_its_reset_costs_the_next_message_nothing() -> None:
    with ScriptedServer({"rcpt": [Say("450 4.2.0 later")], "rset": Silence()}) as server:
        (_, first), (_, second) = transport(server, timeout=0.2).deliver(envelopes(2))
        assert isinstance(first, Deferred)
        assert isinstance(second, Accepted)


def test_eight_bit_mail_is_announced_where_the_server_takes_it() -> None:
    data = "Subject: Hi\r\n\r\nGrüße\r\n".encode()
    with ScriptedServer() as server:
        list(transport(server).deliver([envelope(data=data)]))
        assert server.commands[1].endswith(" BODY=8BITMIME")
        assert server.messages[0].data == data
    with ScriptedServer(extensions=()) as server:
        list(transport(server).deliver([envelope(data=data)]))
        assert server.commands[1] == "MAIL FROM:<b1@bounces.example.com>"


def test_a_server_that_only_knows_helo_gets_the_mail() -> None:
    with ScriptedServer({"ehlo": Say("502 5.5.1 what?")}) as server:
        ((_, reply),) = transport(server).deliver(envelopes(1))
        assert isinstance(reply, Accepted)
        assert server.commands[1] == "helo mail.example.com"


def test_an_empty_return_path_is_the_null_sender() -> None:
    with ScriptedServer() as server:
        list(transport(server).deliver([Envelope(1, "", "bob@example.net", DATA)]))
        assert server.commands[1] == "MAIL FROM:<> SIZE=22"


def test_the_fake_answers_as_told_and_keeps_what_it_was_given() -> None:
    gone = Deferred(Stage.CONNECT, None, "down", "fake:25")
    fake = FakeTransport(lambda item: gone if item.id == 2 else Accepted(250, "ok", "fake:25"))
    assert [number for number, _ in deliver(fake, envelopes(3))] == [1, 2]
    assert fake.sent == envelopes(2)
