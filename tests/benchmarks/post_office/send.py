"""The peer with a database: django-post_office, from its rows on SQLite to `sent`, unsigned.

    python send.py FOLDER PORT COUNT

in an environment of its own (`requirements.txt` beside this file). Queues COUNT messages in a
database under FOLDER, to be rendered on delivery from one template, says `ready`, begins at a line
on standard input, runs `send_queued_mail --processes 2`, and says `done` when all are sent.
"""

import json
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

FOLDER, PORT, COUNT = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])


def set_up() -> None:
    """A project as the documentation of post_office asks for it, everything else by default."""
    settings.configure(
        INSTALLED_APPS=["post_office"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": FOLDER / "post_office.sqlite3",
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        EMAIL_BACKEND="post_office.EmailBackend",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=PORT,
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", verbosity=0)


def queue() -> None:
    """The rows."""
    from post_office import mail
    from post_office.models import EmailTemplate

    letter = json.loads((FOLDER / "letter.json").read_text())
    template = EmailTemplate.objects.create(
        name="letter",
        subject=letter["subject"],
        content=letter["text"],
        html_content=letter["html"],
    )
    mail.send_many(
        [
            {
                "recipients": f"person{number}@example.net",
                "sender": f"Doe Inc <jane@{letter['domain']}>",
                "template": template,
                "context": {"name": f"Person {number}", "number": number},
                "render_on_delivery": True,
            }
            for number in range(COUNT)
        ]
    )


def main() -> None:
    """Queue, wait, send."""
    set_up()
    queue()
    from post_office.models import STATUS, Email

    print("ready", flush=True)
    sys.stdin.readline()
    call_command("send_queued_mail", processes=2, lockfile=str(FOLDER / "post_office"))
    if Email.objects.filter(status=STATUS.sent).count() == COUNT:
        print("done", flush=True)


if __name__ == "__main__":
    main()
