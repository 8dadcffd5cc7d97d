"""`flask kartramail …`: the operator's commands."""

import sys
from importlib import import_module
from typing import NoReturn

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy.exc import OperationalError

from kartramail import schema
from kartramail.domains.platform import ensure_platform_domain
from kartramail.errors import KartraMailError, SchemaError
from kartramail.installation import Installation

_FEATURES = ("domains", "onboarding", "outbox", "sandbox", "worker")

commands = AppGroup("kartramail", help="Run and look after this installation.")


def init_cli(app: Flask) -> None:
    """Hang the commands under `flask kartramail`; each feature brings its own."""
    for feature in _FEATURES:
        import_module(f"kartramail.{feature}.commands")
    app.cli.add_command(commands)


def installation() -> Installation:
    """The installation that the command works on."""
    found: Installation = current_app.extensions["kartramail"]
    return found


def ready_installation() -> Installation:
    """The same, for commands that use the database.

    Ends with one line where it cannot be reached, or its schema is old.
    """
    found = installation()
    try:
        schema.check(found.db)
    except SchemaError as error:
        fail(error)
    except OperationalError as error:
        fail(schema.unreachable(error))
    return found


def fail(error: KartraMailError | str) -> NoReturn:
    """End with one clear line and exit status 1."""
    click.echo(f"kartramail: {error}", err=True)
    sys.exit(1)


@commands.command()
@click.argument("revision", default="head")
def migrate(revision: str) -> None:
    """Bring the database to the newest schema (or to REVISION, also an older one)."""
    found = installation()
    try:
        schema.migrate(found.db, revision)
    except OperationalError as error:
        fail(schema.unreachable(error))
    if revision == "head":
        ensure_platform_domain(found.db, found.settings)
    click.echo("The database is at the newest schema." if revision == "head" else revision)
