"""TLS where offered or required, certificates checked where required, and sign-in (R-TRANSPORT)."""

import logging
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kartramail.adapters.smtp_client import SmtpClient
from kartramail.adapters.transport import SmtpSettings, SmtpTransport, Tls
from kartramail.errors import ConfigurationError
from kartramail.rules.replies import Accepted, Deferred, Reply, Stage
from tests.adapters.test_transport_delivery import envelopes, transport
from tests.support.smtp_server import Drop, Say, ScriptedServer, make_certificate

SECRET = "correct horse"


@dataclass
class Certificate:
    context: ssl.SSLContext
    trust: Path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate(*make_certificate(tmp_path_factory.mktemp("tls")))


@pytest.fixture
def trusted(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.trust))
    return certificate


def only_reply(server: ScriptedServer, **changes: object) -> Reply:
    ((_, reply),) = transport(server, **changes).deliver(envelopes(1))
    return reply


def test_tls_is_used_where_offered(certificate: Certificate) -> None:
    with ScriptedServer(certificate=certificate.context) as server:
        assert isinstance(only_reply(server), Accepted)
        assert server.commands[:3] == ["ehlo mail.example.com", "STARTTLS", "ehlo mail.example.com"]


def test_without_an_offer_mail_goes_as_it_is() -> None:
    with ScriptedServer() as server:
        assert isinstance(only_reply(server), Accepted)


def test_tls_that_is_off_is_not_begun(certificate: Certificate) -> None:
    with ScriptedServer(certificate=certificate.context) as server:
        assert isinstance(only_reply(server, tls=Tls.OFF), Accepted)
        assert "STARTTLS" not in server.commands


@pytest.mark.parametrize("action", [Drop(), Say("454 4.7.0 not now"), Say("501 no")])
def test_broken_tls_that_nobody_asked_for_does_not_hold_mail_up(
    certificate: Certificate, action: Drop | Say
) -> None:
    with ScriptedServer({"starttls": action}, certificate=certificate.context) as server:
        assert isinstance(only_reply(server), Accepted)
        assert server.connections == 2


@pytest.mark.parametrize("changes", [{"tls": Tls.REQUIRED}, {"use_tls": True}])
def test_required_tls_takes_a_good_certificate(
    trusted: Certificate, changes: dict[str, object]
) -> None:
    with ScriptedServer(certificate=trusted.context) as server:
        assert isinstance(only_reply(server, **changes), Accepted)


@pytest.mark.parametrize("changes", [{"tls": Tls.REQUIRED}, {"use_tls": True}])
def test_required_tls_refuses_a_certificate_that_nobody_vouches_for(
    certificate: Certificate, changes: dict[str, object]
) -> None:
    with ScriptedServer(certificate=certificate.context) as server:
        reply = only_reply(server, **changes)
        assert isinstance(reply, Deferred)
        assert reply.stage is Stage.TLS
        assert "certificate is not good" in reply.words
        assert not any(command.startswith("MAIL") for command in server.commands)


def test_required_tls_refuses_a_certificate_of_another_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trust = make_certificate(tmp_path, "127.0.0.9")
    monkeypatch.setenv("SSL_CERT_FILE", str(trust))
    with ScriptedServer(certificate=context) as server:
        reply = only_reply(server, tls=Tls.REQUIRED)
        assert isinstance(reply, Deferred)
        assert reply.stage is Stage.TLS


def test_required_tls_is_not_given_up_where_it_is_not_offered() -> None:
    with ScriptedServer() as server:
        reply = only_reply(server, tls=Tls.REQUIRED)
        assert isinstance(reply, Deferred)
        assert (reply.stage, reply.costs_attempt) == (Stage.TLS, False)
        assert reply.words == "The server does not offer TLS."


def test_tls_from_the_first_byte(trusted: Certificate) -> None:
    with ScriptedServer(certificate=trusted.context, implicit_tls=True) as server:
        assert isinstance(only_reply(server, use_ssl=True), Accepted)
        assert "STARTTLS" not in server.commands


def test_tls_from_the_first_byte_is_checked(certificate: Certificate) -> None:
    with ScriptedServer(certificate=certificate.context, implicit_tls=True) as server:
        reply = only_reply(server, use_ssl=True)
        assert isinstance(reply, Deferred)
        assert reply.stage is Stage.TLS


def test_words_from_before_tls_do_not_count_under_it(certificate: Certificate) -> None:
    """CVE-2011-0411, from the client's side."""
    injected = Say("220 ready\r\n250-evil.example\r\n250 AUTH PLAIN")
    with ScriptedServer({"starttls": injected}, certificate=certificate.context) as server:
        reply = only_reply(server, tls=Tls.REQUIRED)
        assert isinstance(reply, Deferred)
        assert reply.stage is Stage.TLS
        assert reply.words == "The server spoke before TLS was begun."


def test_many_messages_under_tls(trusted: Certificate) -> None:
    with ScriptedServer(certificate=trusted.context) as server:
        replies = list(transport(server, tls=Tls.REQUIRED).deliver(envelopes(10)))
        assert all(isinstance(reply, Accepted) for _, reply in replies)
        assert server.connections == 1


def test_it_signs_in(trusted: Certificate) -> None:
    with ScriptedServer(certificate=trusted.context, credentials=("kartra", SECRET)) as server:
        reply = only_reply(server, use_tls=True, username="kartra", password=SECRET)
        assert isinstance(reply, Accepted)


def test_a_refused_sign_in_is_told_without_the_password(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with ScriptedServer(credentials=("kartra", "another")) as server:
        reply = only_reply(server, username="kartra", password=SECRET)
        assert isinstance(reply, Deferred)
        assert (reply.stage, reply.code, reply.costs_attempt) == (Stage.AUTH, 535, False)
        assert reply.words.startswith("The mail server refused the user name or the password:")
        encoded = next(c for c in server.commands if c.startswith("AUTH")).split(" ")[-1]
        for secret in (SECRET, encoded):
            assert secret not in repr(reply) + caplog.text


def test_a_server_without_sign_in_is_told_so() -> None:
    with ScriptedServer() as server:
        reply = only_reply(server, username="kartra", password=SECRET)
        assert isinstance(reply, Deferred)
        assert reply.stage is Stage.AUTH


def test_a_password_that_cannot_travel_is_no_exception() -> None:
    with ScriptedServer(credentials=("kartra", "x")) as server:
        reply = only_reply(server, username="kartra", password="pässwörd")
        assert isinstance(reply, Deferred)
        assert "plain ASCII" in reply.words


def test_a_password_does_not_go_into_the_clear_because_tls_broke(certificate: Certificate) -> None:
    with ScriptedServer(
        {"starttls": Drop()}, certificate=certificate.context, credentials=("kartra", SECRET)
    ) as server:
        reply = only_reply(server, username="kartra", password=SECRET)
        assert isinstance(reply, Deferred)
        assert reply.stage is Stage.TLS
        assert not any(command.startswith("AUTH") for command in server.commands)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of another machine, whose servers are really here."""
    connect = SmtpClient.open_socket
    monkeypatch.setattr(
        SmtpClient, "open_socket", lambda self, _, port: connect(self, "127.0.0.1", port)
    )
    return "relay.example.net"


def reply_of(host: str, server: ScriptedServer, **changes: Any) -> Reply:
    settings = SmtpSettings(host, server.port, username="kartra", password=SECRET, **changes)
    ((_, reply),) = SmtpTransport(settings).deliver(envelopes(1))
    return reply


def test_a_password_does_not_go_into_the_clear_because_tls_is_not_offered(elsewhere: str) -> None:
    with ScriptedServer(credentials=("kartra", SECRET)) as server:
        reply = reply_of(elsewhere, server)
        assert isinstance(reply, Deferred)
        assert (reply.stage, reply.costs_attempt) == (Stage.TLS, False)
        assert "MAIL_TLS=off" in reply.words
        assert not any(command.startswith("AUTH") for command in server.commands)


def test_a_password_goes_into_the_clear_where_that_is_chosen(elsewhere: str) -> None:
    with ScriptedServer(credentials=("kartra", SECRET)) as server:
        assert isinstance(reply_of(elsewhere, server, tls=Tls.OFF), Accepted)


def test_the_settings_do_not_show_the_password() -> None:
    assert SECRET not in repr(SmtpSettings("x", username="kartra", password=SECRET))


@pytest.mark.parametrize(
    "changes",
    [
        {"tls": Tls.OFF, "use_tls": True},
        {"tls": Tls.OFF, "use_ssl": True},
        {"use_ssl": True, "use_tls": True},
    ],
)
def test_settings_that_clash_stop_the_start(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="MAIL_USE_TLS"):
        SmtpSettings("x", **changes)  # type: ignore[arg-type]
