"""`python app.py`: everything in one process tree, which ends as one."""

import http.client
import os
import re
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from kartramail.config import ROOT, Settings
from kartramail.db import Database
from kartramail.outbox.models import Message, MessageState
from kartramail.sandbox.supervisor import base_url
from kartramail.schema import migrate
from tests.conftest import make_settings
from tests.sandbox.processes import process_environment
from tests.support.engine import wait_until
from tests.support.outbox import add_account, add_messages
from tests.support.ports import free_port
from tests.support.smtp_server import ScriptedServer, Silence
from tests.test_processes import is_alive

TryOut = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def ports() -> dict[str, str]:
    return {"PORT": str(free_port()), "CATCHER_PORT": str(free_port())}


@pytest.fixture
def start(tmp_path: Path, ports: dict[str, str]) -> Iterator[TryOut]:
    """Start the try-out on an empty database; whatever happens, nothing of it stays."""
    settings = make_settings(f"sqlite:///{tmp_path / 'kartramail.db'}")
    started: list[subprocess.Popen[str]] = []

    def run(**environment: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env=os.environ | process_environment(settings, **(ports | environment)),
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


def read_welcome(process: "subprocess.Popen[str]") -> str:
    """What it prints until it runs."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if line.startswith("Ctrl-C"):
            return said
    raise AssertionError(f"it ended: {said} {process.stderr and process.stderr.read()}")


def ps(*options: str) -> str:
    return subprocess.run(["ps", *options], check=False, capture_output=True, text=True).stdout


def is_catcher(pid: int) -> bool:
    return ps("-ww", "-o", "args=", "-p", str(pid)).rstrip().endswith(" catcher")


def tree(pid: int) -> list[int]:
    """All processes below this one."""
    children: dict[int, list[int]] = {}
    for line in ps("-e", "-o", "pid=,ppid=").splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    below, waiting = [], [pid]
    while waiting:
        inside = children.get(waiting.pop(), [])
        below += inside
        waiting += inside
    return below


def get(port: str, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=30)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def are_free(ports: dict[str, str]) -> bool:
    try:
        for port in ports.values():
            socket.create_server(("127.0.0.1", int(port))).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_and_a_signal_ends_all_of_it(
    start: TryOut, ports: dict[str, str], number: signal.Signals
) -> None:
    process = start()
    welcome = read_welcome(process)
    assert f"http://127.0.0.1:{ports['PORT']}\n" in welcome
    assert f"http://127.0.0.1:{ports['PORT']}/catcher" in welcome
    assert get(ports["PORT"], "/readyz") == 200
    assert get(ports["PORT"], "/catcher") == 200
    with smtplib.SMTP("127.0.0.1", int(ports["CATCHER_PORT"])) as client:
        client.sendmail("a@example.com", ["b@example.com"], b"Subject: Hi\r\n\r\nHi\r\n")
    below = tree(process.pid)
    assert len(below) >= 6  # web and its worker; worker and its two; catcher

    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert not [pid for pid in below if is_alive(pid)]
    assert are_free(ports)


def test_killing_it_leaves_nothing_and_it_starts_again(
    start: TryOut, ports: dict[str, str]
) -> None:
    process = start()
    read_welcome(process)
    below = tree(process.pid)
    process.kill()
    process.wait()
    wait_until(lambda: not any(is_alive(pid) for pid in below), 30)
    wait_until(lambda: are_free(ports), 10)

    again = start()
    read_welcome(again)
    again.send_signal(signal.SIGINT)
    assert again.wait(60) == 0


def test_a_silent_relay_holds_nothing_back_when_it_is_told_to_end(
    start: TryOut, tmp_path: Path
) -> None:
    """Deliveries that wait for an answer end before the word that all has ended."""
    db = Database(f"sqlite:///{tmp_path / 'kartramail.db'}")
    migrate(db)
    with db.transaction() as session:
        add_messages(session, add_account(session), 30)
    with ScriptedServer({"end_of_data": Silence()}) as relay:
        process = start(MAIL_TRANSPORT="relay", MAIL_SERVER="127.0.0.1", MAIL_PORT=str(relay.port))
        read_welcome(process)
        wait_until(lambda: [word.upper() for word in relay.commands].count("DATA") == 2, 60)
        below = tree(process.pid)
        process.send_signal(signal.SIGTERM)
        said, errors = process.communicate(timeout=120)
        assert not [pid for pid in below if is_alive(pid)]
    assert said.endswith("KartraMail has ended.\n")
    assert "Traceback" not in errors
    with db.reading() as session:
        states = set(session.exec(select(Message.state)))
    assert states <= {MessageState.QUEUED, MessageState.SENDING}
    db.dispose()


def test_a_part_that_falls_is_put_up_again(start: TryOut, ports: dict[str, str]) -> None:
    process = start()
    read_welcome(process)
    listening = [pid for pid in tree(process.pid) if is_catcher(pid)]
    assert len(listening) == 1
    os.kill(listening[0], signal.SIGKILL)
    wait_until(lambda: not is_alive(listening[0]))
    wait_until(lambda: not are_free({"CATCHER_PORT": ports["CATCHER_PORT"]}), 60)


@pytest.mark.parametrize("name", ["PORT", "CATCHER_PORT"])
def test_a_taken_port_is_named(start: TryOut, ports: dict[str, str], name: str) -> None:
    with socket.create_server(("127.0.0.1", int(ports[name]))):
        process = start()
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors == (
        f"kartramail: Port {ports[name]} is taken. Stop what uses it, or set {name} "
        "to another one.\n"
    )


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"PORT": "http"}, r"PORT='http' is not possible\. Allowed: .*\."),
        ({"MAIL_TRANSPORT": "pigeon"}, r"MAIL_TRANSPORT='pigeon' is not possible\. .*"),
        ({"PORT": "4321", "CATCHER_PORT": "4321"}, r"PORT and CATCHER_PORT are both 4321\. .*"),
    ],
)
def test_an_impossible_setting_is_one_line(
    start: TryOut, environment: dict[str, str], line: str
) -> None:
    process = start(**environment)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert re.fullmatch(f"kartramail: {line}\n", errors), errors


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({}, "http://127.0.0.1:5000"),
        ({"port": 5001}, "http://127.0.0.1:5001"),
        ({"port": 5001, "base_url": "http://localhost:9000"}, "http://localhost:9000"),
        ({"port": 5001, "base_url": "http://127.0.0.1:5000"}, "http://127.0.0.1:5000"),
    ],
)
def test_links_lead_to_the_port_that_is_served(
    sandbox_settings: Settings, given: dict[str, object], address: str
) -> None:
    assert base_url(make_settings(sandbox_settings.database_url, **given)) == address
