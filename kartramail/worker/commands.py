"""`flask kartramail worker`: deliver from the outbox until told to stop."""

import sys

import click

from kartramail.cli import commands, ready_installation
from kartramail.config import ROOT
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
    found = ready_installation()
    wanted = processes or found.settings.worker_processes
    if wanted == 1:
        run_worker(found)
    else:
        found.db.dispose()
        # What is on the wire may take until the last time-out of a conversation.
        sys.exit(_run_many(wanted, grace=found.settings.mail_final_timeout + 30))


def _run_many(processes: int, grace: float) -> int:
    argv = [sys.executable, "-m", "flask", "--app", str(ROOT / "app.py"), "kartramail", "worker"]
    children = [Child(f"worker-{n}", [*argv, "--processes", "1"]) for n in range(processes)]
    return supervise(children, grace=grace)
