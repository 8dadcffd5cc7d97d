"""The processes of a try-out beside the worker: test inbox, practice DNS and pages."""

import os
from typing import cast

import click
from flask import Flask, current_app

from kartramail.cli import commands, fail, installation, ready_installation
from kartramail.processes import end_with_parent
from kartramail.sandbox.catcher import serve_catcher
from kartramail.sandbox.inbox import Inbox
from kartramail.sandbox.practice_dns import serve_practice_dns
from kartramail.sandbox.practice_zone import PracticeZone
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


@commands.command("practice-dns")
def practice_dns() -> None:
    """Answer for made-up .test domains on 127.0.0.1:PRACTICE_DNS_PORT, by UDP and TCP."""
    end_with_parent()
    settings = installation().settings
    zone = PracticeZone(settings.practice_path)
    try:
        serve_practice_dns(zone.records, settings.practice_dns_port)
    except OSError as error:
        why = os.strerror(error.errno or 0)
        fail(f"PRACTICE_DNS_PORT={settings.practice_dns_port} cannot be used: {why}.")
    finally:
        zone.close()


@commands.command()
@click.option("--threads", type=click.IntRange(1, 64), default=8, help="Requests at a time.")
def web(threads: int) -> None:
    """Serve the pages on 127.0.0.1:PORT, as `make run` does. In production: gunicorn app:app."""
    end_with_parent()
    found = ready_installation()
    found.db.dispose()  # nothing of it may cross the fork
    app = cast(Flask, current_app._get_current_object())  # type: ignore[attr-defined]
    serve_web(app, found.settings.port, threads)
