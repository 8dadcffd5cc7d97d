"""Names under .test go to the practice DNS of a try-out, all others where they always went."""

from collections.abc import Iterator

import pytest

from kartramail.adapters import resolver as module
from kartramail.adapters.resolver import Resolver
from kartramail.config import Settings
from kartramail.installation import Installation
from kartramail.rules.dns_answers import (
    Absent,
    AbsentReason,
    Answer,
    Found,
    Record,
    RecordType,
    TextRecord,
    Unreachable,
    UnreachableReason,
)
from kartramail.rules.mail_hosts import judge_mail_host
from kartramail.rules.name_servers import NameServer, read_name_server
from kartramail.sandbox.practice_records import PracticeRecord
from tests.conftest import make_settings
from tests.sandbox.practice import practice_dns
from tests.support.dns_server import DnsServer

PUBLISHED = [
    PracticeRecord("km.doeinc.test", RecordType.CNAME, "bounces.kartra.com"),
    PracticeRecord("k1.doeinc.test", RecordType.CNAME, "k1.other.test"),
    PracticeRecord("k1.other.test", RecordType.TXT, "a key"),
]


@pytest.fixture
def changing() -> list[PracticeRecord]:
    return list(PUBLISHED)


@pytest.fixture
def practice(changing: list[PracticeRecord]) -> Iterator[NameServer]:
    with practice_dns(lambda name: changing) as port:
        yield NameServer("127.0.0.1", port)


@pytest.fixture
def outside() -> Iterator[DnsServer]:
    """What all other names are asked of. It has wrong ideas of made-up ones."""
    with DnsServer() as server:
        server.add("doeinc.test", "MX", "10 from.outside.example")
        server.add("kartra.com", "MX", "10 mail.kartra.com")
        server.add("bounces.kartra.com", "TXT", "v=spf1 -all")
        server.add("alias.kartra.com", "CNAME", "k1.other.test")
        server.chases = False
        yield server


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch, outside: DnsServer) -> DnsServer:
    """The same, as the system's own server."""
    monkeypatch.setattr(module, "system_name_servers", lambda: (read_name_server(outside.address),))
    return outside


def texts(answer: Answer[Record]) -> list[bytes]:
    assert isinstance(answer, Found), answer
    return [each.strings[0] for each in answer.records if isinstance(each, TextRecord)]


def try_out(**overrides: object) -> Settings:
    return make_settings("sqlite:////nowhere/kartramail.db", **overrides)


def test_made_up_names_go_to_the_practice_dns(system: DnsServer, practice: NameServer) -> None:
    resolver = Resolver(practice=practice, answers_special_use=False)
    for name in ("doeinc.test", "DOEINC.Test.", "bücher.test"):
        assert judge_mail_host(name, *resolver.mail_hosts(name)).code is None
    assert resolver.lookup("no.doeinc.test", RecordType.A) == Absent(AbsentReason.NXDOMAIN)
    assert resolver.lookup("_dmarc.test", RecordType.TXT) == Absent(AbsentReason.NXDOMAIN)
    assert system.count() == 0


@pytest.mark.parametrize("name", ["kartra.com", "test.kartra.com", "nottest.", "doeinc.test.com"])
def test_every_other_name_goes_where_it_went(
    system: DnsServer, practice: NameServer, name: str
) -> None:
    resolver = Resolver(practice=practice, answers_special_use=False)
    assert not isinstance(resolver.lookup(name, RecordType.MX), Unreachable)
    assert system.count(name) == 1


def test_other_reserved_names_are_still_not_asked_for(
    system: DnsServer, practice: NameServer
) -> None:
    resolver = Resolver(practice=practice, answers_special_use=False)
    for name in ("example.com", "doeinc.example", "localhost"):
        answer = resolver.lookup(name, RecordType.MX)
        assert isinstance(answer, Unreachable)
        assert answer.why is UnreachableReason.SPECIAL_USE
    assert system.count() == 0


def test_an_alias_is_followed_out_of_practice(system: DnsServer, practice: NameServer) -> None:
    resolver = Resolver(practice=practice, answers_special_use=False)
    assert texts(resolver.lookup("km.doeinc.test", RecordType.TXT)) == [b"v=spf1 -all"]
    assert texts(resolver.lookup("k1.doeinc.test", RecordType.TXT)) == [b"a key"]
    assert (system.count("bounces.kartra.com"), system.count()) == (1, 1)


def test_an_alias_is_followed_into_practice(system: DnsServer, practice: NameServer) -> None:
    resolver = Resolver(practice=practice, answers_special_use=False)
    assert texts(resolver.lookup("alias.kartra.com", RecordType.TXT)) == [b"a key"]
    assert system.count("k1.other.test") == 0


def test_it_works_without_a_network(monkeypatch: pytest.MonkeyPatch, practice: NameServer) -> None:
    monkeypatch.setattr(module, "system_name_servers", lambda: ())
    resolver = Resolver(practice=practice, answers_special_use=False)
    assert judge_mail_host("doeinc.test", *resolver.mail_hosts("doeinc.test")).code is None
    assert isinstance(resolver.lookup("km.doeinc.test", RecordType.CNAME), Found)
    beyond = resolver.lookup("km.doeinc.test", RecordType.TXT)
    assert isinstance(beyond, Unreachable)
    assert beyond.why is UnreachableReason.NO_NETWORK


def test_nothing_of_practice_is_remembered_past_its_ttl(
    practice: NameServer, changing: list[PracticeRecord]
) -> None:
    seconds = [0.0]
    resolver = Resolver(practice=practice, clock=lambda: seconds[0])
    assert isinstance(resolver.lookup("km.doeinc.test", RecordType.CNAME), Found)
    assert isinstance(resolver.lookup("new.doeinc.test", RecordType.TXT), Absent)
    changing[0] = PracticeRecord("new.doeinc.test", RecordType.TXT, "new")
    assert texts(resolver.lookup("new.doeinc.test", RecordType.TXT, fresh=True)) == [b"new"]
    seconds[0] = 5.1
    assert isinstance(resolver.lookup("km.doeinc.test", RecordType.CNAME), Absent)


@pytest.mark.parametrize(
    ("domain", "code"),
    [
        ("doeinc.test", None),
        ("nomail.test", "null_mx"),
        ("gone.test", "no_mail_server"),
        ("broken.test", "dns_unreachable"),
        ("silent.test", "dns_unreachable"),
    ],
)
def test_each_verdict_on_a_reply_to_can_be_seen(
    practice: NameServer, domain: str, code: str | None
) -> None:
    """R-REPLY."""
    resolver = Resolver(timeout=0.5, practice=practice)
    assert judge_mail_host(domain, *resolver.mail_hosts(domain)).code == code


def test_a_practice_dns_that_does_not_run_is_no_answer(system: DnsServer) -> None:
    with practice_dns(lambda name: []) as port:
        pass
    resolver = Resolver(practice=NameServer("127.0.0.1", port))
    assert isinstance(resolver.lookup("doeinc.test", RecordType.MX), Unreachable)
    assert system.count() == 0


def test_without_practice_made_up_names_go_where_they_went(outside: DnsServer) -> None:
    assert isinstance(Resolver([outside.address]).lookup("doeinc.test", RecordType.MX), Found)
    assert outside.count("doeinc.test", "MX") == 1


def test_a_try_out_has_practice() -> None:
    settings = try_out(base_url="http://localhost:5000")
    assert settings.has_practice_dns
    assert settings.practice_dns_port == 2553
    assert settings.practice_path.as_posix() == "/nowhere/kartramail-practice.db"


@pytest.mark.parametrize(
    "overrides",
    [
        {"mail_transport": "relay"},
        {"allow_special_use_domains": False},
        {"dns_nameservers": ("192.0.2.53",)},
        {"base_url": "https://mail.doeinc.com"},
    ],
)
def test_nobody_else_has(overrides: dict[str, object]) -> None:
    settings = try_out(**overrides)
    assert not settings.has_practice_dns
    assert not Installation.of(settings).is_practice("doeinc.test")


def test_the_installation_asks_there(practice: NameServer) -> None:
    installation = Installation.of(try_out(practice_dns_port=practice.port))
    assert isinstance(installation.resolver.lookup("doeinc.test", RecordType.MX), Found)
    assert installation.is_practice("DoeInc.test.")
    assert not installation.is_practice("doeinc.com")
    assert not installation.is_practice("test")


def test_who_sets_name_servers_gets_exactly_those(practice: NameServer, outside: DnsServer) -> None:
    settings = try_out(practice_dns_port=practice.port, dns_nameservers=(outside.address,))
    Installation.of(settings).resolver.lookup("doeinc.test", RecordType.MX)
    assert outside.count("doeinc.test") == 1


def test_a_made_up_zones_own_servers_are_asked_at_the_practice_port(
    practice: NameServer, changing: list[PracticeRecord]
) -> None:
    """Both of its servers, each by itself (R-CHECK)."""
    installation = Installation.of(try_out(practice_dns_port=practice.port))
    answers = installation.authoritative("doeinc.test").ask(
        "k1.other.test", RecordType.TXT, "other.test"
    )
    assert [each.host for each in answers] == ["ns1.practice.test", "ns2.practice.test"]
    assert [texts(each.answer) for each in answers] == [[b"a key"]] * 2
