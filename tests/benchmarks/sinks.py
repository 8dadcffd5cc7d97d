"""The mail servers that a benchmark sends to: they take everything and keep nothing."""

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.benchmarks.processes import running, wait_until
from tests.support.ports import free_port


@dataclass(frozen=True, slots=True)
class Sink:
    """A server on 127.0.0.1."""

    name: str
    port: int


def find_postfix_tool(name: str) -> str | None:
    """The path of `smtp-sink` or `smtp-source`, of Debian's package postfix; None without it."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin")


@contextmanager
def postfix_sink() -> Iterator[Sink | None]:
    """Postfix's test server, written in C, where the machine has it."""
    program = find_postfix_tool("smtp-sink")
    if program is None:
        yield None
        return
    port = free_port()
    as_nobody = ["-u", "nobody"] if os.geteuid() == 0 else []  # it refuses to run as root
    with running([program, *as_nobody, f"127.0.0.1:{port}", "64"]):
        wait_until(lambda: _is_listening(port))
        yield Sink("smtp-sink", port)


@contextmanager
def aiosmtpd_sink() -> Iterator[Sink]:
    """aiosmtpd in a process of its own."""
    with _python_sink("tests.benchmarks.sink") as port:
        yield Sink("aiosmtpd", port)


@contextmanager
def stalling_sink(domain: str, seconds: float) -> Iterator[Sink]:
    """A server that answers for one recipient domain only after some seconds; 0 never stalls."""
    options = ("--domain", domain, "--seconds", str(seconds))
    with _python_sink("tests.benchmarks.stalling_sink", *options) as port:
        yield Sink(f"{domain} after {seconds:g} s", port)


@contextmanager
def _python_sink(module: str, *options: str) -> Iterator[int]:
    with running([sys.executable, "-m", module, *options], talks=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())


def _is_listening(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0
