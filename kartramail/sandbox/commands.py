"""The two processes of a try-out beside the worker: `flask kartramail catcher` and `… web`."""

from typing import cast

import click
from flask import Flask, current_app

from kartramail.cli import commands, fail, installation, ready_installation
from kartramail.processes import end_with_parent
from kartramail.sandbox.catcher import serve_catcher
from kartramail.sandbox.inbox import Inbox
from kartramail.sandbox.web_server import serve_web


@commands.command()
def catcher() -> None:
    """Keep all mail that comes to 127.0.0.1:CATCHER_PORT for the test inbox."""
    end_with_parent()
    settings = installation().settings
    inbox = Inbox(settings.catcher_path)
    try:
        serve_catcher(inbox, settings.catcher_port)
    except OSError as error:
        fail(f"CATCHER_PORT={settings.catcher_port} cannot be used: {error.strerror}.")
    finally:
        inbox.close()


@commands.command()
@click.option("--threads", type=click.IntRange(1, 64), default=8, help="Requests at a time.")
def web(threads: int) -> None:
    """Serve the pages on 127.0.0.1:PORT, as `make run` does. In production: gunicorn app:app."""
    end_with_parent()
    found = ready_installation()
    found.db.dispose()  # nothing of it may cross the fork
    app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
    serve_web(app, found.settings.port, threads)
