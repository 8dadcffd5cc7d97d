"""(g) From rows of the outbox to `sent`, beside what others send and what signing alone costs.

Messages of 10 kB, multipart, filled in for each recipient, signed with RSA-2048; two processes
each. Ours starts at the commit of the rows and ends when the last one is `sent`. Before the rounds
one short run of each goes to a server that keeps it, to see that it is what it says it is.
"""

import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import dkim

from kartramail.adapters.keys import KeyPair, generate_key_pair
from kartramail.db import Database
from tests.benchmarks import peers
from tests.benchmarks.figures import Bound, interleave, show_figure, show_heading, show_ratio
from tests.benchmarks.install import find_node, nodemailer_version, post_office_python
from tests.benchmarks.letters import LARGE
from tests.benchmarks.rows import fill, make_account
from tests.benchmarks.sinks import Sink, find_postfix_tool, postfix_sink
from tests.benchmarks.surroundings import DATABASES
from tests.benchmarks.workers import check_all_sent, settle, wait_until_finished, working
from tests.support.smtp_server import SinkServer

OURS = "KartraMail"
OPENSSL = "openssl speed -multi 2 rsa2048"
SMTP_SOURCE = "smtp-source -s 10 -d, unsigned"
NODEMAILER, NODEMAILER_PARSED = "nodemailer, as documented", "nodemailer, parsed key"
FLASK_MAIL = "Flask-Mail + dkimpy"
POST_OFFICE = "django-post_office, unsigned, SQLite"
_TARGETS = ((NODEMAILER_PARSED, 4), (FLASK_MAIL, 15), (SMTP_SOURCE, 0.3), (OPENSSL, 0.5))
_CONNECTIONS = 32  # of each of our processes
_PROBED = 6  # messages of the short run


@dataclass(frozen=True, slots=True)
class Subject:
    """One of those who send: `count` messages a round, which is some seconds of its time."""

    name: str
    count: int
    send: Callable[[Sink, int], float]
    is_signed: bool = True


def run(rounds: int, *, is_quick: bool) -> bool:
    """Measure and print; returns whether every target is met."""
    with ExitStack() as stack:
        sink = stack.enter_context(postfix_sink())
        if sink is None:
            print("\n(g) Not measured: it needs smtp-sink, of Debian's package postfix.")
            return False
        pair = generate_key_pair()
        kit = stack.enter_context(peers.Kit.packed(LARGE, pair))
        databases = {name: stack.enter_context(make()) for name, make in DATABASES.items()}
        subjects = [*_ours(databases, stack), *_peers(kit)]
        octets = {subject.name: _probe(subject, pair) for subject in subjects}
        rates = _measure(subjects, sink, rounds, 4 if is_quick else 1)
    _show(subjects, rates, octets, rounds)
    ours = [f"{OURS}, {name}" for name in databases]
    verdicts = [
        show_ratio(f"{name} / {peer}", rates[name], rates[peer], Bound.AT_LEAST, target)
        for name in ours
        for peer, target in _TARGETS
        if peer in rates
    ]
    return all(verdicts) and all(peer in rates for peer, _ in _TARGETS)


def _measure(
    subjects: Sequence[Subject], sink: Sink, rounds: int, divisor: int
) -> dict[str, list[float]]:
    """Messages a second of each, round by round."""
    senders: dict[str, Callable[[], float]] = {
        subject.name: partial(subject.send, sink, subject.count // divisor) for subject in subjects
    }
    senders[OPENSSL] = partial(peers.openssl_rate, 1 if divisor > 1 else 3)
    return interleave(rounds, senders)


# -- who sends --------------------------------------------------------------------------------


def _ours(databases: dict[str, str], stack: ExitStack) -> Iterator[Subject]:
    for name, url in databases.items():
        db = Database(url)
        stack.callback(db.dispose)
        yield Subject(f"{OURS}, {name}", 24_000, partial(_deliver, url, db, make_account(db)))


def _deliver(url: str, db: Database, account_id: int, sink: Sink, count: int) -> float:
    """Messages a second of a worker that waits for mail, from the commit of the rows on."""
    with working(url, sink, db, processes=peers.PROCESSES, connections=_CONNECTIONS):
        settle()
        committed_at = fill(db, account_id, LARGE, count)
        took = wait_until_finished(db) - committed_at
    check_all_sent(db)
    return count / took


def _peers(kit: peers.Kit) -> Iterator[Subject]:
    if find_node():
        for name, form in ((NODEMAILER, "documented"), (NODEMAILER_PARSED, "parsed")):
            yield Subject(name, 5_000, partial(peers.nodemailer_rate, kit, form))
    else:
        print("\nWithout nodemailer, which needs Node.js and npm: not measured beside it.")
    yield Subject(FLASK_MAIL, 1_000, partial(peers.flask_mail_rate, kit))
    if post_office_python():
        yield Subject(POST_OFFICE, 2_000, partial(peers.post_office_rate, kit), is_signed=False)
    else:
        print("\nWithout django-post_office, which pip could not bring: not measured beside it.")
    if find_postfix_tool("smtp-source"):
        yield Subject(SMTP_SOURCE, 12_000, peers.smtp_source_rate, is_signed=False)


# -- whether each sends what it should --------------------------------------------------------


def _probe(subject: Subject, pair: KeyPair) -> int:
    """The octets of one of its messages. Raises RuntimeError where they are not what they should.

    The signatures of peers are verified by dkimpy; ours are, by four verifiers, in the tests.
    """
    with SinkServer() as server:
        subject.send(Sink("a server that keeps it", server.port), _PROBED)
        received = [message.data for message in server.messages]
    if len(received) != _PROBED:
        raise RuntimeError(f"{subject.name} sent {len(received)} messages and not {_PROBED}")
    for data in received:
        _judge(subject, data, pair)
    return sum(map(len, received)) // _PROBED


def _judge(subject: Subject, data: bytes, pair: KeyPair) -> None:
    head = data.partition(b"\r\n\r\n")[0]
    is_plain = subject.name == SMTP_SOURCE
    if not is_plain and b"multipart/alternative" not in data:
        raise RuntimeError(f"{subject.name} did not send a multipart message")
    if not is_plain and not (b"Person " in data and b"{{" not in data):
        raise RuntimeError(f"{subject.name} did not fill in the letter")
    if (b"DKIM-Signature:" in head) != subject.is_signed:
        raise RuntimeError(f"{subject.name} should sign: {subject.is_signed}")
    if not subject.is_signed or subject.name.startswith(OURS):
        return
    record = b"v=DKIM1; k=rsa; p=" + pair.public.encode()
    if not dkim.verify(data, dnsfunc=lambda _name, timeout=5: record):
        raise RuntimeError(f"A signature of {subject.name} is not valid")


# -- what is said of it -----------------------------------------------------------------------


def _show(
    subjects: Sequence[Subject],
    rates: dict[str, list[float]],
    octets: dict[str, int],
    rounds: int,
) -> None:
    show_heading(
        f"(g) Messages of 10 kB from two processes to smtp-sink, {rounds} rounds; ours from rows "
        f"to `sent` rows, {_CONNECTIONS} connections each\n  {_versions()}"
    )
    for subject in subjects:
        unit = f"messages/s, of {octets[subject.name] / 1000:.1f} kB"
        show_figure(subject.name, rates[subject.name], unit)
    show_figure(OPENSSL, rates[OPENSSL], "signatures/s")


def _versions() -> str:
    said = [f"{_first_word('openssl', 'version')}"]
    if node := find_node():
        said.append(
            f"nodemailer {nodemailer_version()} on Node.js {_first_word(node, '--version')}"
        )
    if python := post_office_python():
        packages = subprocess.run(
            [str(python), "-m", "pip", "freeze"], capture_output=True, text=True, check=False
        )
        said += re.findall(r"^django.*", packages.stdout, re.MULTILINE)
    return ", ".join(said)


def _first_word(*command: str) -> str:
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return " ".join(answer.stdout.split()[:2])
