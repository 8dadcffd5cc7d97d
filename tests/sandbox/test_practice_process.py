"""`flask kartramail practice-dns`, alone and in the try-out: it starts, keeps, and ends."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import dns.exception
import pytest

from kartramail.config import ROOT, Settings
from kartramail.processes import Child, Lifeline
from kartramail.sandbox.practice_zone import PracticeZone
from tests.conftest import make_settings
from tests.sandbox.practice import DOMAIN, KM, ask, code, values
from tests.sandbox.processes import process_environment
from tests.support.engine import wait_until
from tests.support.ports import free_port
from tests.test_processes import is_alive

Start = Callable[..., "subprocess.Popen[str]"]
ALONE = ["-m", "flask", "--app", "app.py", "kartramail", "practice-dns"]
TRY_OUT = ["app.py"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return make_settings(f"sqlite:///{tmp_path / 'kartramail.db'}", practice_dns_port=free_port())


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    return process_environment(
        settings,
        PRACTICE_DNS_PORT=str(settings.practice_dns_port),
        CATCHER_PORT=str(free_port()),
        PORT=str(free_port()),
        ALLOW_SPECIAL_USE_DOMAINS="1",
    )


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Start]:
    """Start a command; whatever happens, nothing of it stays."""
    started: list[subprocess.Popen[str]] = []

    def run(arguments: list[str], **more: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=os.environ | environment | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def zone(settings: Settings) -> Iterator[PracticeZone]:
    """What the web process writes."""
    opened = PracticeZone(settings.practice_path)
    yield opened
    opened.close()


def is_answering(port: int) -> bool:
    try:
        return code(ask(port, DOMAIN, "MX", over="tcp")) == "NOERROR"
    except (OSError, EOFError, dns.exception.DNSException):
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_from_the_file_until_a_signal(
    start: Start, settings: Settings, zone: PracticeZone, number: signal.Signals
) -> None:
    port = settings.practice_dns_port
    process = start(ALONE)
    wait_until(lambda: is_answering(port), 60)
    assert code(ask(port, KM.host, "CNAME")) == "NXDOMAIN"
    zone.publish(DOMAIN, KM)
    assert values(ask(port, KM.host, "CNAME")) == ["bounces.kartra.com."]
    with socket.create_connection(("127.0.0.1", port)):  # somebody still holds on
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert not is_answering(port)


def test_a_restart_keeps_what_was_published(
    start: Start, settings: Settings, zone: PracticeZone
) -> None:
    port = settings.practice_dns_port
    zone.publish(DOMAIN, KM)
    first = start(ALONE)
    wait_until(lambda: is_answering(port), 60)
    first.kill()
    first.wait()
    start(ALONE)
    wait_until(lambda: is_answering(port), 60)
    assert values(ask(port, KM.host, "CNAME")) == ["bounces.kartra.com."]


def test_it_ends_with_its_parent(settings: Settings, environment: dict[str, str]) -> None:
    lifeline = Lifeline()
    argv = [sys.executable, "-m", "flask", "--app", str(ROOT / "app.py"), *ALONE[4:]]
    child = lifeline.spawn(Child("practice-dns", argv, environment))
    try:
        wait_until(lambda: is_answering(settings.practice_dns_port), 60)
    finally:
        lifeline.close()  # as the kernel does when the parent is gone
    assert child.wait(60) == 0


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
@pytest.mark.parametrize("command", [ALONE, TRY_OUT])
def test_a_taken_port_is_named(
    start: Start, settings: Settings, kind: socket.SocketKind, command: list[str]
) -> None:
    port = settings.practice_dns_port
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            other.listen()
        process = start(command)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == (2 if command is TRY_OUT else 1)
    assert re.fullmatch(
        rf"kartramail: Port {port} is taken\. Stop what uses it, or set PRACTICE_DNS_PORT .*\n"
        rf"|kartramail: PRACTICE_DNS_PORT={port} cannot be used: Address already in use\.\n",
        errors,
    ), errors


def test_one_port_for_two_is_one_line(start: Start, environment: dict[str, str]) -> None:
    process = start(TRY_OUT, CATCHER_PORT=environment["PRACTICE_DNS_PORT"])
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors.startswith("kartramail: CATCHER_PORT and PRACTICE_DNS_PORT are both ")
    assert errors.count("\n") == 1


def children(pid: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid="], check=True, capture_output=True, text=True
    ).stdout
    pairs = (map(int, line.split()) for line in listed.splitlines())
    return [child for child, parent in pairs if parent == pid]


def test_the_try_out_has_it_and_takes_it_along(start: Start, settings: Settings) -> None:
    port = settings.practice_dns_port
    process = start(TRY_OUT)
    assert process.stdout is not None
    welcome = ""
    for line in process.stdout:
        welcome += line
        if line.startswith("Ctrl-C"):
            break
    assert f"127.0.0.1:{port}" in welcome
    assert ".test" in welcome
    assert is_answering(port)
    below = children(process.pid)
    assert len(below) == 4  # test inbox, practice DNS, web, worker
    process.kill()
    process.wait()
    wait_until(lambda: not any(is_alive(pid) for pid in below), 30)
    assert not is_answering(port)
