"""What `dns-zone` prints is loaded by a real name server, NSD, and answered by it (R-RECORDS)."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from kartramail.adapters.resolver import Resolver
from kartramail.config import Settings
from kartramail.domains.keys import load_keys
from kartramail.domains.records import key_host, selector_host
from kartramail.domains.rows import find_row
from kartramail.installation import Installation
from kartramail.rules.dkim import build_key_record
from kartramail.rules.dns_answers import Found, MailExchanger, RecordType, TextRecord
from tests.conftest import make_settings
from tests.interop.tools import NSD, find_program, need_tool
from tests.support.cast import Actor
from tests.support.domains import add
from tests.support.ports import free_port

HEAD = """\
kartra.com. 3600 IN SOA ns1.kartra.com. hostmaster.kartra.com. 1 7200 3600 1209600 300
kartra.com. 3600 IN NS ns1.kartra.com.
ns1.kartra.com. 3600 IN A 127.0.0.1
"""


@pytest.fixture
def settings(database_url: str) -> Settings:
    return make_settings(
        database_url,
        dkim_records="cname",
        sending_ips="192.0.2.25,2001:db8::25",
        ehlo_name="mx1.kartra.com",
    )


def _path(name: str) -> str:
    found = find_program(name)
    assert found is not None
    return found


@contextmanager
def nsd(folder: Path, zone: str) -> Iterator[Resolver]:
    """NSD with this zone file for kartra.com; yields a way to ask it."""
    port = free_port()
    (folder / "kartra.com.zone").write_text(zone)
    (folder / "nsd.conf").write_text(
        f"""\
server:
  ip-address: 127.0.0.1
  port: {port}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/nsd.pid"
  xfrdfile: "{folder}/xfrd.state"
  zonelistfile: "{folder}/zone.list"
  xfrdir: "{folder}"
remote-control:
  control-enable: no
zone:
  name: kartra.com
  zonefile: kartra.com.zone
"""
    )
    process = subprocess.Popen([_path("nsd"), "-d", "-c", str(folder / "nsd.conf")])
    resolver = Resolver([f"127.0.0.1:{port}"], cache_size=0)
    try:
        ends_at = time.monotonic() + 20
        while not isinstance(resolver.lookup("kartra.com", RecordType.SOA), Found):
            assert time.monotonic() < ends_at, "NSD did not load the zone"
            time.sleep(0.1)
        yield resolver
    finally:
        process.terminate()
        process.wait(10)


def texts(resolver: Resolver, host: str) -> list[str]:
    answer = resolver.lookup(host, RecordType.TXT)
    assert isinstance(answer, Found), (host, answer)
    return [each.text for each in answer.records if isinstance(each, TextRecord)]


def test_a_name_server_loads_it_and_answers_with_every_record(
    app: Flask, installation: Installation, alice: Actor, charlie: Actor, tmp_path: Path
) -> None:
    need_tool(NSD)
    domains = [
        add(installation, actor.account_id, "doeinc.com", number)
        for number, actor in enumerate((alice, charlie))
    ]
    answer = app.test_cli_runner().invoke(args=["kartramail", "dns-zone"])
    assert answer.exit_code == 0, answer.output
    (tmp_path / "zone").write_text(HEAD + answer.output)
    checked = subprocess.run(
        [_path("nsd-checkzone"), "kartra.com", str(tmp_path / "zone")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    settings = installation.settings
    with installation.db.reading() as session:
        platform = find_row(session, None, "kartra.com")
        assert platform is not None
        wanted = {
            selector_host("kartra.com", key.selector): key.public
            for key in load_keys(session, platform.id)
        } | {
            key_host(domain_id, key.selector, settings): key.public
            for domain_id in domains
            for key in load_keys(session, domain_id)
        }
    assert len(wanted) == 6
    with nsd(tmp_path, HEAD + answer.output) as resolver:
        for host, public in wanted.items():
            assert texts(resolver, host) == [build_key_record(public)]
        spf = texts(resolver, "bounces.kartra.com")
        assert spf == ["v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 -all"]
        assert texts(resolver, "_dmarc.kartra.com") == ["v=DMARC1; p=reject"]
        exchangers = resolver.lookup("bounces.kartra.com", RecordType.MX)
        assert isinstance(exchangers, Found)
        assert exchangers.records == (MailExchanger(10, "mx1.kartra.com"),)
