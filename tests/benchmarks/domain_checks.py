"""(e) Domain checks a second by one worker, beside the bare look-ups that they are made of."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import update
from sqlmodel import Session

from kartramail.accounts.models import Account
from kartramail.adapters.keys import generate_key_pair
from kartramail.adapters.resolver import Resolver
from kartramail.clock import now
from kartramail.config import load_settings
from kartramail.domains.keys import SELECTORS, KeyPairs
from kartramail.domains.models import SendingDomain
from kartramail.domains.rounds import check_due_domains
from kartramail.domains.service import add_domain, find_domain, make_checklist
from kartramail.ids import new_id
from kartramail.installation import Installation
from kartramail.rules.dns_answers import RecordType
from tests.benchmarks.figures import Bound, interleave, show_figure, show_heading, show_ratio
from tests.benchmarks.surroundings import ROOT, environment, sqlite_url

A_DAY = 100_000
_HEADROOM = 10
"""A worker that does other things as well should need no more than a tenth of its day for it."""

_LOOK_UPS = (  # what one check of an authenticated domain asks at least
    ("km1._domainkey.{}", RecordType.TXT),
    ("km2._domainkey.{}", RecordType.TXT),
    ("km.{}", RecordType.CNAME),
    ("_dmarc.{}", RecordType.TXT),
    ("{}", RecordType.TXT),
)


@dataclass(frozen=True, slots=True)
class _Town:
    """An installation with domains, and a name server that has their records."""

    installation: Installation
    domains: list[str]


def run(rounds: int, *, is_quick: bool) -> bool:
    """Measure and print; returns whether both targets are met."""
    count = 100 if is_quick else 1_000
    with _name_server() as server, sqlite_url() as url:
        town = _build(url, server, count)
        subjects = {
            "KartraMail": lambda: _check_all(town),
            "bare look-ups": lambda: _look_up_all(town, server.address),
        }
        subjects["KartraMail"]()
        before = _memory()
        rates = interleave(rounds, subjects)
        grown = _memory() - before
    show_heading(f"(e) Checks of {count:,} authenticated domains, {rounds} rounds, SQLite")
    for name, values in rates.items():
        show_figure(name, values, "domains/s")
    print(
        f"  Memory of the process: {_memory():.0f} MB at most, {grown:.0f} MB more by the rounds."
    )
    ours = rates["KartraMail"]
    wanted = [A_DAY / 86_400] * len(ours)
    show_ratio("KartraMail / bare look-ups", ours, rates["bare look-ups"], Bound.AT_LEAST, 0.1)
    return show_ratio(f"KartraMail / {A_DAY:,} a day", ours, wanted, Bound.AT_LEAST, _HEADROOM)


def _build(url: str, server: "_NameServer", count: int) -> _Town:
    settings = load_settings(
        database_url=url,
        dns_nameservers=(server.address,),
        allow_special_use_domains=True,
        secret_key=environment(url)["SECRET_KEY"],
        master_keys=environment(url)["MASTER_KEYS"],
    )
    installation = Installation.of(settings)
    keys = KeyPairs({selector: generate_key_pair() for selector in SELECTORS})
    domains = [f"doe-{number}.test" for number in range(count)]
    with installation.db.transaction() as session:
        for domain in domains:
            account_id = new_id()
            session.add(Account(id=account_id, business_name=domain))
            session.flush()
            add_domain(session, account_id, domain, installation, user_id=None, keys=keys)
            _publish(session, installation, server, account_id, domain)
    return _Town(installation, domains)


def _publish(
    session: Session,
    installation: Installation,
    server: "_NameServer",
    account_id: int,
    domain: str,
) -> None:
    row = find_domain(session, account_id, domain)
    assert row is not None
    for each in make_checklist(session, row, installation.settings).rows:
        server.add(each.wanted.host, each.wanted.type.value, each.wanted.value)
    server.add(domain, "TXT", "v=spf1 ip4:192.0.2.0/24 -all")


def _check_all(town: _Town) -> float:
    with town.installation.db.transaction() as session:
        session.connection().execute(update(SendingDomain).values(next_check_at=now()))
    started = time.perf_counter()
    count = check_due_domains(town.installation, longest=600)
    assert count == len(town.domains), count
    return count / (time.perf_counter() - started)


def _look_up_all(town: _Town, address: str) -> float:
    """The same names by one thread and nothing else: what the network side alone costs."""
    resolver = Resolver([address], cache_size=0)
    started = time.perf_counter()
    for domain in town.domains:
        for host, kind in _LOOK_UPS:
            resolver.lookup(host.format(domain), kind, fresh=True)
    return len(town.domains) / (time.perf_counter() - started)


def _memory() -> float:
    """The most that this process has used, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class _NameServer:
    """A name server in a process of its own, so that it takes no time of ours."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        assert process.stdout is not None
        self.address = process.stdout.readline().strip()

    def add(self, host: str, kind: str, value: str) -> None:
        """Let the server have this record."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(["add", host, kind, value]) + "\n")
        self._process.stdin.flush()
        self._process.stdout.readline()


@contextmanager
def _name_server() -> Iterator[_NameServer]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.dns_server"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield _NameServer(process)
    finally:
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.close()
        process.wait(10)
