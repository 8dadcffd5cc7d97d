"""R-DMARC: our reading of records and our walk agree with checkdmarc's."""

import subprocess
import sys
from typing import Any

import dns.resolver
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kartramail.adapters.resolver import Resolver
from kartramail.domains.dmarc_discovery import discover_dmarc
from kartramail.rules.dmarc import PROPOSED, next_step, read_dmarc_record
from tests.support.dns_server import DnsServer

POLICIES = st.sampled_from(["none", "quarantine", "reject"])
TAGS = st.fixed_dictionaries(
    {"p": POLICIES},
    optional={
        "sp": POLICIES,
        "np": POLICIES,
        "t": st.sampled_from("yn"),
        "adkim": st.sampled_from("rs"),
        "aspf": st.sampled_from("rs"),
        "psd": st.sampled_from("nu"),
        "fo": st.sampled_from(["0", "1", "d:s"]),
        "pct": st.integers(0, 100).map(str),
        "unknown": st.just("x y"),
    },
)


@settings(max_examples=60, deadline=None)
@given(TAGS)
def test_it_reads_a_sound_record_as_checkdmarc_does(tags: dict[str, str]) -> None:
    from checkdmarc.dmarc import parse_dmarc_record

    text = "; ".join(["v=DMARC1", *(f"{name}={value}" for name, value in tags.items())])
    theirs = {k: v["value"] for k, v in parse_dmarc_record(text, "doeinc.test")["tags"].items()}
    ours = read_dmarc_record(text)
    assert ours is not None
    assert ours.p == theirs["p"]
    assert (ours.sp or ours.p) == theirs["sp"]
    assert (ours.np or ours.sp or ours.p) == theirs["np"]
    assert ours.is_testing == (theirs["t"] == "y")
    assert ours.is_dkim_strict == (theirs["adkim"] == "s")
    assert ours.is_spf_strict == (theirs["aspf"] == "s")
    assert ours.psd == theirs["psd"]


@settings(max_examples=60, deadline=None)
@given(TAGS)
def test_every_step_that_we_propose_is_valid_for_checkdmarc(tags: dict[str, str]) -> None:
    from checkdmarc.dmarc import parse_dmarc_record

    parse_dmarc_record(PROPOSED, "doeinc.test")
    text = "; ".join(["v=DMARC1", *(f"{name}={value}" for name, value in tags.items())])
    while (step := next_step(read_dmarc_record(text), True)) and step.value:
        text = step.value
        parse_dmarc_record(text, "doeinc.test")


@pytest.mark.parametrize(
    "published",
    [
        {"a.mail": "p=reject"},
        {"mail": "p=none", "": "p=reject"},
        {"mail": "p=none; psd=n", "": "p=reject"},
        {"": "p=quarantine; sp=none"},
    ],
)
def test_it_finds_the_record_that_checkdmarc_finds(
    dns: DnsServer, published: dict[str, str]
) -> None:
    dns.add("a.mail.doeinc.test", "A", "192.0.2.1")  # checkdmarc walks from what exists only
    for name, tags in published.items():
        dns.add(f"_dmarc.{name}.doeinc.test".replace("..", "."), "TXT", f"v=DMARC1; {tags}")
    theirs = asked_of_checkdmarc(dns, "a.mail.doeinc.test")
    ours = discover_dmarc(Resolver([dns.address]), "a.mail.doeinc.test")
    assert ours.found_at == theirs["location"]
    assert ours.record == theirs["record"]


def test_checkdmarc_never_asks_dns_by_itself(
    dns: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All DNS goes by our resolver: checkdmarc would ask for the hosts of report addresses."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("checkdmarc asked DNS")

    monkeypatch.setattr("checkdmarc.utils.query_dns", refuse)
    monkeypatch.setattr("checkdmarc.dmarc.query_dns", refuse)
    monkeypatch.setattr("checkdmarc.dmarc.get_mx_records", refuse)
    text = "v=DMARC1; p=none; RUA = mailto:a@elsewhere.test ; ruf=mailto:b@elsewhere.test; fo=1"
    dns.add("_dmarc.doeinc.test", "TXT", text)
    assert discover_dmarc(Resolver([dns.address]), "doeinc.test").problems == ()
    assert dns.count(rtype="MX") == 0


def test_reading_the_rules_does_not_load_checkdmarc() -> None:
    """It takes half a second, which no web page needs to wait for."""
    code = (
        "import sys, kartramail.domains.spf_tree, kartramail.domains.dmarc_discovery;"
        "sys.exit('checkdmarc' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def asked_of_checkdmarc(server: DnsServer, domain: str) -> Any:
    from checkdmarc.dmarc import query_dmarc_record
    from checkdmarc.utils import DNS_CACHE

    DNS_CACHE.clear()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [server.host]
    resolver.port = server.port
    return query_dmarc_record(domain, resolver=resolver, timeout=2, retries=0)
