"""The peers of delivery: what each is, and how fast it hands messages to a sink.

Each sends the same letter, filled in for each recipient, from two processes. What is counted starts
when all of them are loaded and ends when the last message is accepted.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from kartramail.adapters.keys import KeyPair
from tests.benchmarks.install import find_node, post_office_python
from tests.benchmarks.letters import Letter
from tests.benchmarks.processes import time_contestants
from tests.benchmarks.sinks import Sink, find_postfix_tool

HERE = Path(__file__).parent
DOMAIN, SELECTOR = "doeinc.com", "km1"
PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Kit:
    """A folder with what every peer reads: the letter, and the key that signs it."""

    folder: Path

    @classmethod
    @contextmanager
    def packed(cls, letter: Letter, pair: KeyPair) -> Iterator["Kit"]:
        """The folder; gone afterwards."""
        key = load_der_private_key(pair.private, None)
        with tempfile.TemporaryDirectory(prefix="kartramail-bench-kit-") as name:
            folder = Path(name)
            words = {"subject": letter.subject, "text": letter.text, "html": letter.html}
            names = {"domain": DOMAIN, "selector": SELECTOR}
            (folder / "letter.json").write_text(json.dumps(words | names))
            # PKCS#1, which both Node.js and dkimpy read.
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
            (folder / "key.pem").write_bytes(pem)
            yield cls(folder)


def nodemailer_rate(kit: Kit, form: str, sink: Sink, count: int) -> float:
    """nodemailer, two processes with a pool of ten connections each."""
    node = find_node()
    assert node is not None
    program = str(HERE / "nodemailer" / "send.cjs")
    argvs = [
        [node, program, str(kit.folder), str(sink.port), str(first), str(share), form]
        for first, share in _shares(count)
    ]
    return count / time_contestants(argvs)


def flask_mail_rate(kit: Kit, sink: Sink, count: int) -> float:
    """Flask-Mail's loop with dkimpy, two processes with one connection each."""
    module = [sys.executable, "-m", "tests.benchmarks.flask_mail_dkim"]
    argvs = [
        [*module, str(kit.folder), str(sink.port), str(first), str(share)]
        for first, share in _shares(count)
    ]
    return count / time_contestants(argvs)


def post_office_rate(kit: Kit, sink: Sink, count: int) -> float:
    """django-post_office, its command with two processes, from rows to rows."""
    python = post_office_python()
    assert python is not None
    with tempfile.TemporaryDirectory(prefix="kartramail-bench-post-office-") as name:
        (Path(name) / "letter.json").write_bytes((kit.folder / "letter.json").read_bytes())
        argv = [str(python), str(HERE / "post_office" / "send.py"), name, str(sink.port)]
        return count / time_contestants([[*argv, str(count)]])


def smtp_source_rate(sink: Sink, count: int) -> float:
    """Postfix's own source of test messages, ten sessions: the same octets again and again."""
    program = find_postfix_tool("smtp-source")
    assert program is not None
    options = ["-s", "10", "-d", "-l", "10240", "-m", str(count)]
    addresses = ["-f", f"jane@{DOMAIN}", "-t", "person@example.net"]
    started = time.perf_counter()
    subprocess.run([program, *options, *addresses, f"127.0.0.1:{sink.port}"], check=True)
    return count / (time.perf_counter() - started)


def openssl_rate(seconds: int) -> float:
    """Signatures a second of `openssl speed -multi 2 rsa2048`, and nothing else."""
    answer = subprocess.run(
        ["openssl", "speed", "-multi", str(PROCESSES), "-seconds", str(seconds), "rsa2048"],
        capture_output=True,
        text=True,
        check=True,
    )
    line = re.search(r"^rsa 2048 bits\s+\S+s\s+\S+s\s+([\d.]+)", answer.stdout, re.MULTILINE)
    assert line is not None, answer.stdout
    return float(line[1])


def _shares(count: int) -> Iterator[tuple[int, int]]:
    """The first number and the count of each process."""
    share = count // PROCESSES
    for number in range(PROCESSES):
        yield number * share, share
