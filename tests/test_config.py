"""Settings: typed, checked at start, one clear line for what is not possible (R-OPS)."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from limits.storage import SCHEMES

from kartramail import config
from kartramail.config import load_settings
from kartramail.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[1]
SECRETS = {
    "secret_key": "x" * 40,
    "master_keys": "xLPLg6O0ZQZS9T2Rs1yAFc0T3sWQf5oVv7b7m0Xq9mA=",
}


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("mail_transport", "pigeon", "'catcher' or 'relay'"),
        ("mail_port", 0, "greater than or equal to 1"),
        ("port", 70000, "less than or equal to 65535"),
        ("reminder_hours", 0, "greater than or equal to 1"),
        ("reminder_hours", 721, "less than or equal to 720"),
        ("dns_timeout", 0, "greater than 0"),
        ("dns_nameservers", "not an address", "127.0.0.1:53"),
        ("database_url", "mysql://x", "sqlite:///"),
        ("base_url", "ftp://x", "https://"),
        ("base_url", "http://localhost:99999", "a port from 1 to 65535"),
        ("base_url", "http://localhost:port", "a port from 1 to 65535"),
        ("base_url", "http://local host", "https://"),
        ("base_url", "http://[::1", "https://"),
        ("platform_domain", "localhost", "kartra.com"),
        ("platform_domain", "1.2.3.4", "kartra.com"),
        ("platform_domain", "-kartra.com", "kartra.com"),
        ("platform_domain", "kartra-.com", "kartra.com"),
        ("platform_domain", "kartra..com", "kartra.com"),
        ("platform_domain", "k" * 70 + ".com", "kartra.com"),
        ("platform_domain", "k." * 130 + "com", "kartra.com"),
        ("platform_domain", "co.uk", "ending that many share"),
        ("platform_domain", "gmail.com", "no mail provider's"),
        ("platform_domain", "x.mailinator.com", "no mail provider's"),
        ("bounce_host", "not a host", "bounces.kartra.com"),
        ("bounce_host", "bounces", "bounces.kartra.com"),
        ("dkim_zone", "a b", "a name in the DNS"),
        ("ehlo_name", "bad name", "mail.kartra.com"),
        ("ehlo_name", "192.0.2.1", "[192.0.2.1]"),
        ("ehlo_name", "[2001:db8::1", "[192.0.2.1]"),
        ("sending_ips", "abc", "2001:db8::/64"),
        ("sending_ips", "192.0.2.1, 192.0.2.0/33", "192.0.2.1"),
        ("operator_email", "nonsense", "jane@doeinc.com"),
        ("rate_limit_storage", "foo", "redis://"),
        ("rate_limit_storage", "foo://host", "memory://"),
        ("worker_connections", "many", "integer"),
        ("mail_tls", "perhaps", "'opportunistic'"),
        ("master_keys", "short", "Fernet"),
    ],
)
def test_an_impossible_value_is_named_with_what_is_allowed(
    name: str, value: object, allowed: str
) -> None:
    with pytest.raises(ConfigurationError) as error:
        load_settings(**(SECRETS | {name: value}))
    line = str(error.value)
    assert name.upper() in line
    assert allowed in line
    assert "\n" not in line


@pytest.mark.parametrize("name", ["database_url", "rate_limit_storage", "base_url"])
def test_secrets_are_not_shown_in_the_line(name: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        load_settings(**(SECRETS | {name: "mysql://user:hunter2@host/db"}))
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("platform_domain", " Mail.KARTRA.com. ", "mail.kartra.com"),
        ("platform_domain", "xn--bckerei-5wa.de", "xn--bckerei-5wa.de"),
        ("platform_domain", "kartra.test", "kartra.test"),
        ("ehlo_name", "laptop", "laptop"),
        ("ehlo_name", "[192.0.2.1]", "[192.0.2.1]"),
        ("ehlo_name", "[IPv6:2001:db8::1]", "[ipv6:2001:db8::1]"),
        ("sending_ips", "192.0.2.1, 2001:db8::/64", ("192.0.2.1", "2001:db8::/64")),
        ("sending_ips", "", ()),
        ("operator_email", " Jane@DoeInc.com", "Jane@doeinc.com"),
        ("operator_email", None, None),
        ("rate_limit_storage", "rediss://:secret@redis:6379/1", "rediss://:secret@redis:6379/1"),
        ("base_url", "http://[::1]:8080/", "http://[::1]:8080"),
    ],
)
def test_a_possible_value_is_kept_in_its_plain_form(name: str, value: object, kept: object) -> None:
    assert getattr(load_settings(**(SECRETS | {name: value})), name) == kept


def test_names_that_follow_the_platforms_are_clean_where_it_was_not() -> None:
    settings = load_settings(platform_domain=" Kartra.test. ", **SECRETS)
    assert settings.bounce_host == "bounces.kartra.test"
    assert settings.dkim_zone == "dkim.kartra.test"


@pytest.mark.parametrize(("host", "said"), [("laptop", "laptop"), ("jane_s laptop", "[127.0.0.1]")])
def test_the_hosts_own_name_never_stops_the_start(
    host: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.getfqdn", lambda: host)
    assert load_settings(**SECRETS).ehlo_name == said


def test_every_storage_that_the_limits_can_count_in_is_possible() -> None:
    for scheme in SCHEMES:
        if not scheme.startswith("async+"):
            load_settings(rate_limit_storage=f"{scheme}://host", **SECRETS)


@pytest.mark.parametrize(
    "command", [["app.py"], ["-m", "flask", "--app", "app.py", "kartramail", "migrate"]]
)
def test_the_start_stops_with_one_line(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | {"MAIL_TRANSPORT": "pigeon"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert done.stderr.count("\n") == 1
    assert "MAIL_TRANSPORT='pigeon' is not possible" in done.stderr


def test_postgresql_needs_its_secrets_set() -> None:
    with pytest.raises(ConfigurationError, match="SECRET_KEY is not set"):
        load_settings(database_url="postgresql+psycopg://localhost/x")


def test_a_relay_elsewhere_needs_a_domain_and_https() -> None:
    relay = SECRETS | {"mail_transport": "relay", "mail_server": "smtp.example.net"}
    with pytest.raises(ConfigurationError, match="PLATFORM_DOMAIN"):
        load_settings(**relay)
    with pytest.raises(ConfigurationError, match="BASE_URL"):
        load_settings(**relay, platform_domain="mail.example.org")
    settings = load_settings(
        **relay, platform_domain="mail.example.org", base_url="https://app.example.org"
    )
    assert settings.bounce_host == "bounces.mail.example.org"


def test_secrets_are_made_once_and_kept_from_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "INSTANCE", tmp_path / "instance")
    found = []
    barrier = threading.Barrier(8)

    def load() -> None:
        barrier.wait()
        found.append(load_settings().secret_key.get_secret_value())

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    for path in (tmp_path / "instance").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {p.name for p in (tmp_path / "instance").iterdir()} == {"secret_key", "master_keys"}
