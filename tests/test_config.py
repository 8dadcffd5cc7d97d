"""Settings: typed, checked at start, one clear line for what is not possible (R-OPS)."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

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
        ("dns_timeout", 0, "greater than 0"),
        ("dns_nameservers", "not an address", "127.0.0.1:53"),
        ("database_url", "mysql://x", "sqlite:///"),
        ("base_url", "ftp://x", "https://"),
        ("platform_domain", "localhost", "kartra.com"),
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


def test_secrets_are_not_shown_in_the_line() -> None:
    with pytest.raises(ConfigurationError) as error:
        load_settings(database_url="mysql://user:hunter2@host/db", **SECRETS)
    assert "hunter2" not in str(error.value)


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
