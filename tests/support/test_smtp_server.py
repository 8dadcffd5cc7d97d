"""The sink as a process of its own, as kill tests and benchmarks use it."""

import json
import subprocess
import sys
from pathlib import Path

from kartramail.adapters.transport import Envelope, SmtpSettings, SmtpTransport
from kartramail.rules.replies import Accepted

ROOT = Path(__file__).parents[2]


def test_it_logs_each_message_before_it_accepts_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-m", "tests.support.smtp_server", "--port", "0", "--log", str(log)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        data = b"Message-ID: <1@x>\r\nX-KartraMail-Message: 0d5e\r\n\r\nHello\r\n"
        stream = SmtpTransport(SmtpSettings("127.0.0.1", port)).deliver(
            [Envelope(1, "b1@example.com", "bob@example.net", data)]
        )
        _, reply = next(stream)
        assert isinstance(reply, Accepted)
        (line,) = log.read_text().splitlines()
        assert json.loads(line) == {
            "message_id": "<1@x>",
            "from": "b1@example.com",
            "to": ["bob@example.net"],
            "x_kartramail_message": "0d5e",
        }
        assert list(stream) == []
        process.terminate()
        assert process.wait(10) == 0
