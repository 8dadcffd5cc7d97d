"""PIPELINING under each kind of TLS, and what is said in the clear before it (RFC 3207 §6)."""

import ssl
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from kartramail.adapters.smtp_client import SmtpClient
from kartramail.adapters.transport import SmtpSettings, Tls
from kartramail.rules.replies import Accepted, Deferred, Stage
from tests.adapters.test_smtp_pipelining import OFFERS, PIPELINING, courier, gather, hand_over
from tests.adapters.test_transport_delivery import envelope
from tests.support.smtp_server import (
    Ok,
    OkThenDrop,
    Say,
    ScriptedServer,
    Slowly,
    TakeAndDrop,
    make_certificate,
)

MODES: dict[str, dict[str, Any]] = {
    "off": {"tls": Tls.OFF},
    "opportunistic": {"tls": Tls.OPPORTUNISTIC},
    "required": {"tls": Tls.REQUIRED},
    "MAIL_USE_TLS": {"use_tls": True},
    "MAIL_USE_SSL": {"use_ssl": True},
}
EXTRA = "250-evil.example\r\n250 PIPELINING\r\n" + "250 2.0.0 Ok\r\n" * 4 + "354 Go on\r\n250 Ok"


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A certificate of 127.0.0.1, and the file to trust it by."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def certificate(
    paper: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
) -> ssl.SSLContext:
    """Of 127.0.0.1, and trusted."""
    context, trust = paper
    monkeypatch.setenv("SSL_CERT_FILE", str(trust))
    return context


@pytest.mark.parametrize("offered", OFFERS)
@pytest.mark.parametrize("mode", MODES)
def test_everything_arrives_once_over_several_connections(
    certificate: ssl.SSLContext, mode: str, offered: str
) -> None:
    ways, under_tls = MODES[mode], []

    class Watching(ScriptedServer):
        def ehlo_answer(self, is_under_tls: bool) -> bytes:
            under_tls.append(is_under_tls)
            return super().ehlo_answer(is_under_tls)

    server = Watching(
        certificate=certificate,
        implicit_tls="use_ssl" in ways,
        extensions=OFFERS[offered],
    )
    with server, courier(server, 3, max_messages=8, **ways) as at_work:
        hand_over(at_work, 60)
        settled = gather(at_work, 60)
    assert all(isinstance(one.reply, Accepted) for one in settled)
    assert Counter(one.id for one in settled) == Counter(range(1, 61))
    arrived = Counter(message.mail_from for message in server.messages)
    assert arrived == Counter(envelope(number).mail_from for number in range(1, 61))
    assert server.connections >= 8, "each has its share of eight"
    assert max(Counter(server.dots).values()) <= 8
    # The last word on what a server offers is heard under TLS, where there is any.
    assert under_tls.count(True) == (0 if mode == "off" else server.connections)


@pytest.mark.parametrize("mode", ["opportunistic", "required", "MAIL_USE_SSL"])
@pytest.mark.parametrize("action", [OkThenDrop(), TakeAndDrop()], ids=["answered", "in doubt"])
def test_a_connection_that_ends_under_tls_is_settled_as_one_in_the_clear(
    certificate: ssl.SSLContext, mode: str, action: OkThenDrop | TakeAndDrop
) -> None:
    ways = MODES[mode]
    server = ScriptedServer(
        {"end_of_data": [Ok(), action]},
        certificate=certificate,
        implicit_tls="use_ssl" in ways,
        extensions=PIPELINING,
    )
    with server, courier(server, **ways) as at_work:
        hand_over(at_work, 4)
        replies = {one.id: one.reply for one in gather(at_work, 4)}
    assert len(server.messages) == 4
    second = replies.pop(2)
    if isinstance(action, OkThenDrop):
        assert isinstance(second, Accepted)
    else:
        assert isinstance(second, Deferred)
        assert (second.stage, second.in_doubt) == (Stage.END_OF_DATA, True)
    assert all(isinstance(reply, Accepted) for reply in replies.values())


@pytest.mark.parametrize("mode", ["required", "MAIL_USE_SSL"])
def test_long_messages_under_tls_arrive_byte_for_byte(
    certificate: ssl.SSLContext, mode: str
) -> None:
    """More than the socket takes at once, with lengths about those of a TLS record (16 KiB)."""
    lengths = [2_000_000, 16_383, 16_384, 16_385, 3_000_000, 32_768, 20]
    sent = [_body(length, number) for number, length in enumerate(lengths)]
    ways = MODES[mode]
    server = ScriptedServer(
        certificate=certificate, implicit_tls="use_ssl" in ways, extensions=PIPELINING
    )
    with server, courier(server, 2, timeout=20, **ways) as at_work:
        for number, data in enumerate(sent):
            at_work.send([envelope(number, data)])
        settled = gather(at_work, len(sent))
    assert all(isinstance(one.reply, Accepted) for one in settled)
    arrived = {message.mail_from: message.data for message in server.messages}
    assert len(server.messages) == len(sent)
    assert arrived == {envelope(n).mail_from: data for n, data in enumerate(sent)}


def _body(length: int, number: int) -> bytes:
    """So many octets, with a dot at the beginning of many lines, and no two lines alike."""
    lines = (b".%d line %d of a long message\r\n" % (number, n) for n in range(length // 20))
    return b"Subject: x\r\n\r\n" + b"".join(lines)[:length].rstrip(b"\r\n") + b"\r\n"


@pytest.mark.parametrize(
    ("in_the_clear", "under_tls"),
    [(PIPELINING, ()), ((), PIPELINING)],
    ids=["only in the clear", "only under TLS"],
)
def test_what_was_offered_in_the_clear_does_not_count_under_tls(
    certificate: ssl.SSLContext, in_the_clear: Sequence[str], under_tls: Sequence[str]
) -> None:
    """RFC 3207 §4.2: it may have been said by whoever sits in between."""

    class TwoFaced(ScriptedServer):
        def ehlo_answer(self, is_under_tls: bool) -> bytes:
            self._extensions = list(under_tls if is_under_tls else in_the_clear)
            return super().ehlo_answer(is_under_tls)

    server = TwoFaced({"mail": [Say("450 later")]}, certificate=certificate)
    with server, courier(server, tls=Tls.REQUIRED) as at_work:
        hand_over(at_work, 1)
        gather(at_work, 1)
    has_pipelined = any(command.startswith("RCPT") for command in server.commands)
    assert has_pipelined == bool(under_tls)


# -- what comes in clear after the 220 of STARTTLS ------------------------------------------------


class SpeaksEarly(ScriptedServer):
    """Offers TLS, and says that it is ready before it was asked to begin."""

    def ehlo_answer(self, under_tls: bool) -> bytes:
        early = b"" if under_tls else b"\r\n220 2.0.0 Ready"
        return super().ehlo_answer(under_tls) + early


def _injecting(how: str, certificate: ssl.SSLContext) -> ScriptedServer:
    """Takes TLS up for good afterwards, so that what was injected might be taken for its words."""
    if how == "with the answer to EHLO":
        return SpeaksEarly(certificate=certificate, extensions=PIPELINING)
    script = {"starttls": Say(f"220 2.0.0 Ready\r\n{EXTRA}", is_right=True)}
    cut = None if how == "with the 220" else lambda octets: octets.splitlines(keepends=True)
    return ScriptedServer(script, certificate=certificate, extensions=PIPELINING, cut=cut)


INJECTIONS = ["with the 220", "after the 220", "with the answer to EHLO"]


@pytest.mark.parametrize("how", INJECTIONS)
@pytest.mark.parametrize("mode", ["required", "MAIL_USE_TLS"])
def test_what_comes_in_the_clear_is_no_answer_under_tls(
    certificate: ssl.SSLContext, how: str, mode: str
) -> None:
    """CVE-2011-0411 from the client's side: what the extra answers would accept never left."""
    with (
        _injecting(how, certificate) as server,
        courier(server, 2, timeout=2, **MODES[mode]) as at_work,
    ):
        hand_over(at_work, 2)
        settled = gather(at_work, 2)
        assert server.messages == []
        assert {command.split()[0] for command in server.commands} <= {"ehlo", "STARTTLS"}
    for one in settled:
        assert isinstance(one.reply, Deferred)
        assert (one.reply.stage, one.reply.code, one.reply.costs_attempt) == (
            Stage.TLS,
            None,
            False,
        )
        assert "TLS" in one.reply.words


@pytest.mark.parametrize("how", INJECTIONS)
def test_tls_that_is_tampered_with_and_not_required_accepts_nothing_that_did_not_arrive(
    certificate: ssl.SSLContext, how: str
) -> None:
    """Mail that would have gone in the clear all the same does so, over a connection of its own."""
    with _injecting(how, certificate) as server, courier(server, 2, timeout=2) as at_work:
        hand_over(at_work, 6)
        settled = gather(at_work, 6)
        arrived = Counter(message.mail_from for message in server.messages)
    accepted = [one.id for one in settled if isinstance(one.reply, Accepted)]
    assert arrived == Counter(envelope(number).mail_from for number in accepted)
    assert len(accepted) == (0 if how == "with the answer to EHLO" else 6)
    assert not any(getattr(one.reply, "costs_attempt", False) for one in settled)


def test_answers_that_come_under_tls_before_they_are_asked_for_are_none(
    certificate: ssl.SSLContext,
) -> None:
    """Along with that to EHLO, and beyond what is read of it at once."""

    class Talkative(ScriptedServer):
        def ehlo_answer(self, under_tls: bool) -> bytes:
            if not under_tls:
                return super().ehlo_answer(under_tls)
            offers = b"".join(b"250-X%d %s\r\n" % (n, b"x" * 400) for n in range(9))
            padding = 4096 - len(offers) - len(b"250-\r\n250 PIPELINING\r\n")
            offers += b"250-%s\r\n250 PIPELINING\r\n" % (b"x" * padding)
            assert len(offers) == 4096, "as many octets as are read at once"
            return offers + b"250 Ok\r\n250 Ok\r\n354 Go on"

    server = Talkative(certificate=certificate)
    with server, courier(server, tls=Tls.REQUIRED, timeout=2) as at_work:
        hand_over(at_work, 1)
        ((_, reply, _),) = gather(at_work, 1)
        assert isinstance(reply, Deferred)
        assert (reply.stage, reply.costs_attempt) == (Stage.EHLO, False)
        assert reply.words == "The server spoke without being asked."
        assert server.messages == []


def test_the_handshake_has_the_time_of_a_step_whatever_the_step_before_left(
    certificate: ssl.SSLContext,
) -> None:
    """The last octets of an answer that drips in leave next to nothing of that answer's time."""
    found: list[float | None] = []

    class Watching(ssl.SSLContext):
        def wrap_socket(self, sock: Any, *args: Any, **values: Any) -> ssl.SSLSocket:
            found.append(sock.gettimeout())
            return super().wrap_socket(sock, *args, **values)

    context = Watching(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with ScriptedServer({"starttls": Slowly(0.02)}, certificate=certificate) as server:
        client = SmtpClient(SmtpSettings("127.0.0.1", server.port, timeout=10))
        client.open_socket("127.0.0.1", server.port)
        client.getreply()
        client.ehlo()
        assert client.docmd("STARTTLS")[0] == 220
        client.wrap_socket(context, "127.0.0.1")
        client.close()
    assert found == [10]
