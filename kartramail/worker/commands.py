"""`flask kartramail worker`: deliver from the outbox until told to stop."""

import sys

import click

from kartramail.cli import commands, fail, installation
from kartramail.config import ROOT
from kartramail.errors import KartraMailError
from kartramail.processes import Child, end_with_parent, supervise
from kartramail.worker.process import run_worker


@commands.command()
@click.option(
    "--processes",
    type=click.IntRange(1, 256),
    default=None,
    help="Delivery processes (WORKER_PROCESSES).",
)
def worker(processes: int | None) -> None:
    """Deliver from the outbox. SIGTERM finishes what is on the wire, then ends with status 0."""
    end_with_parent()
    found = installation()
    try:
        if (processes or found.settings.worker_processes) == 1:
            run_worker(found)
        else:
            found.db.dispose()
            sys.exit(_run_many(processes or found.settings.worker_processes))
    except KartraMailError as error:
        fail(error)


def _run_many(processes: int) -> int:
    argv = [sys.executable, "-m", "flask", "--app", str(ROOT / "app.py"), "kartramail", "worker"]
    return supervise([Child(f"worker-{n}", [*argv, "--processes", "1"]) for n in range(processes)])
