"""kill -9 of the catcher: what it said 250 to is there afterwards (R-OUTBOX, the last yard)."""

import os
import smtplib
import socket
import subprocess
import sys

from kartramail.config import ROOT, Settings
from kartramail.ids import read_id
from kartramail.sandbox.inbox import Inbox
from tests.sandbox.processes import process_environment
from tests.support.engine import wait_until
from tests.support.ports import free_port
from tests.test_processes import is_alive


def is_listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def test_what_was_answered_for_survives(sandbox_settings: Settings) -> None:
    port = free_port()
    environment = process_environment(sandbox_settings, CATCHER_PORT=str(port))
    argv = [sys.executable, "-m", "flask", "--app", "app.py", "kartramail", "catcher"]
    catcher = subprocess.Popen(argv, cwd=ROOT, env=os.environ | environment)
    wait_until(lambda: is_listening(port), 60)
    client = smtplib.SMTP("127.0.0.1", port)
    ids = []
    for number in range(50):
        client.ehlo_or_helo_if_needed()
        client.mail("bounce@kartra.com")
        client.rcpt("bob@example.com")
        _, words = client.data(f"Subject: n{number}\r\n\r\nHi\r\n".encode())
        ids.append(read_id(words.split()[-1].decode()))
    catcher.kill()
    catcher.wait()
    client.close()

    inbox = Inbox(sandbox_settings.catcher_path)
    assert [entry.id for entry in reversed(inbox.entries())] == ids
    assert not is_alive(catcher.pid)
    inbox.close()
