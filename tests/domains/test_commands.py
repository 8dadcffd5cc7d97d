"""`flask kartramail check-domains`, `dns-zone` and `reseal-keys`."""

from cryptography.fernet import Fernet
from flask import Flask
from sqlmodel import select

from kartramail import create_app
from kartramail.db import Database
from kartramail.domains.models import DomainKey
from kartramail.installation import Installation
from tests.conftest import make_settings
from tests.support.cast import Actor
from tests.support.dns_server import DnsServer
from tests.support.domains import add, publish_all, show


def run(app: Flask, *args: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["kartramail", *args])
    return result.exit_code, result.output


def test_check_domains_checks_what_is_due(
    app: Flask, installation: Installation, alice: Actor, dns: DnsServer
) -> None:
    add(installation, alice.account_id)
    publish_all(dns, show(installation, alice.account_id))
    assert run(app, "check-domains") == (0, "1 domain checked.\n")
    assert show(installation, alice.account_id).is_authenticated
    assert run(app, "check-domains") == (0, "0 domains checked.\n")


def test_dns_zone_prints_the_platforms_records(app: Flask) -> None:
    code, output = run(app, "dns-zone")
    assert code == 0
    lines = [line.split("\t") for line in output.splitlines() if not line.startswith(";")]
    assert [(line[0], line[3]) for line in lines] == [
        ("km1._domainkey.kartra.com.", "TXT"),
        ("km2._domainkey.kartra.com.", "TXT"),
        ("_dmarc.kartra.com.", "TXT"),
        ("bounces.kartra.com.", "MX"),
    ]
    assert "SENDING_IPS" in output
    assert run(app, "dns-zone") == (0, output)


def sealed(db: Database) -> set[str]:
    with db.reading() as session:
        return set(session.exec(select(DomainKey.private_sealed)))


def test_the_master_key_can_be_replaced(
    installation: Installation, alice: Actor, database_url: str, db: Database
) -> None:
    """The new key before the old ones, `reseal-keys`, then the old ones away."""
    add(installation, alice.account_id)
    before = sealed(db)
    old = installation.settings.master_keys.get_secret_value()
    new = Fernet.generate_key().decode()
    app = create_app(make_settings(database_url, master_keys=f"{new},{old}"))
    assert run(app, "reseal-keys") == (0, "2 private keys sealed with the first master key.\n")
    assert sealed(db).isdisjoint(before)
    assert run(app, "reseal-keys") == (0, "0 private keys sealed with the first master key.\n")
    alone = create_app(make_settings(database_url, master_keys=new))
    assert run(alone, "reseal-keys")[0] == 0
    for each in (app, alone):
        each.extensions["kartramail"].db.dispose()


def test_without_the_old_master_key_it_says_so(
    installation: Installation, alice: Actor, database_url: str, db: Database
) -> None:
    add(installation, alice.account_id)
    before = sealed(db)
    app = create_app(make_settings(database_url, master_keys=Fernet.generate_key().decode()))
    code, output = run(app, "reseal-keys")
    app.extensions["kartramail"].db.dispose()
    assert code == 1
    assert "MASTER_KEYS" in output
    assert sealed(db) == before
