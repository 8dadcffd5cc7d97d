"""The peer in Python: Flask-Mail's loop for bulk mail, each message signed by dkimpy.

    python -m tests.benchmarks.flask_mail_dkim FOLDER PORT FIRST COUNT

says `ready`, begins at a line on standard input, and says `done` when the server has accepted all,
over one connection. It keeps nothing: what it had not sent when it ended is lost.
"""

import json
import sys
from pathlib import Path

import dkim
from flask import Flask
from flask_mail import Mail, Message

from tests.benchmarks.processes import DONE, READY


class SignedMessage(Message):
    """A message whose bytes are signed, as dkimpy's documentation shows it."""

    signing: dict[str, bytes] = {}

    def as_bytes(self) -> bytes:
        """The signed message, with CRLF."""
        plain: bytes = super().as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        signature: bytes = dkim.sign(
            plain, canonicalize=(b"relaxed", b"relaxed"), **SignedMessage.signing
        )
        return signature + plain


def _filled(template: str, number: int) -> str:
    # The cheapest way to fill a gap, so that no template engine slows the peer down.
    return template.replace("{{ name }}", f"Person {number}").replace("{{ number }}", str(number))


def _message(letter: dict[str, str], number: int) -> SignedMessage:
    return SignedMessage(
        subject=_filled(letter["subject"], number),
        recipients=[f"person{number}@example.net"],
        body=_filled(letter["text"], number),
        html=_filled(letter["html"], number),
    )


def main() -> None:
    """Run the loop once."""
    folder, (port, first, count) = Path(sys.argv[1]), map(int, sys.argv[2:])
    letter = json.loads((folder / "letter.json").read_text())
    SignedMessage.signing = {
        "selector": letter["selector"].encode(),
        "domain": letter["domain"].encode(),
        "privkey": (folder / "key.pem").read_bytes(),
    }
    app = Flask(__name__)
    app.config.update(
        MAIL_SERVER="127.0.0.1",
        MAIL_PORT=port,
        MAIL_DEFAULT_SENDER=("Doe Inc", f"jane@{letter['domain']}"),
    )
    mail = Mail(app)
    print(READY, flush=True)
    sys.stdin.readline()
    with app.app_context(), mail.connect() as connection:
        for number in range(first, first + count):
            connection.send(_message(letter, number))
        print(DONE, flush=True)


if __name__ == "__main__":
    main()
