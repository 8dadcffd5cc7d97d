"""The peer of the outbox: Flask-Mail's own loop for bulk mail, as its documentation shows it.

    python -m tests.benchmarks.flask_mail_loop --port PORT --letter NAME --count N

prints the seconds that it took. It keeps nothing: what it had not sent when it ended is lost.
"""

import argparse
import time

from flask import Flask
from flask_mail import Mail, Message

from tests.benchmarks.letters import LETTERS, Letter, recipient


def _filled(template: str, name: str, number: int) -> str:
    # The cheapest way to fill a gap, so that no template engine slows the peer down.
    return template.replace("{{ name }}", name).replace("{{ number }}", str(number))


def send_all(app: Flask, letter: Letter, count: int) -> float:
    """Send to `count` recipients over one connection; returns seconds."""
    mail = Mail(app)
    with app.app_context():
        started = time.perf_counter()
        with mail.connect() as connection:
            for number in range(count):
                name, address = recipient(number)
                message = Message(
                    subject=_filled(letter.subject, name, number),
                    recipients=[address],
                    body=_filled(letter.text, name, number),
                    html=letter.html and _filled(letter.html, name, number),
                )
                connection.send(message)
        return time.perf_counter() - started


def main() -> None:
    """Run the loop once."""
    parser = argparse.ArgumentParser(description="Flask-Mail's loop for bulk mail")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--letter", choices=[letter.name for letter in LETTERS], required=True)
    parser.add_argument("--count", type=int, required=True)
    arguments = parser.parse_args()
    app = Flask(__name__)
    app.config.update(
        MAIL_SERVER="127.0.0.1",
        MAIL_PORT=arguments.port,
        MAIL_DEFAULT_SENDER=("Doe Inc", "jane@doeinc.com"),
    )
    letter = next(letter for letter in LETTERS if letter.name == arguments.letter)
    print(send_all(app, letter, arguments.count))


if __name__ == "__main__":
    main()
