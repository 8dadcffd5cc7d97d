"""`flask kartramail worker`: deliver from the outbox until told to stop."""

import sys

import click

from kartramail.cli import commands, fail, ready_installation
from kartramail.config import ROOT
from kartramail.delivery.engine import EngineBroken
from kartramail.errors import ConfigurationError, SealBroken
from kartramail.processes import Child, end_with_parent, supervise
from kartramail.worker.cores import keep_to_core, own_cores
from kartramail.worker.process import run_worker, smtp_settings


@commands.command()
@click.option(
    "--processes",
    type=click.IntRange(1, 256),
    default=None,
    help="Delivery processes (WORKER_PROCESSES).",
)
@click.option(
    "--grace",
    type=click.FloatRange(0),
    default=None,
    help="Seconds for what is on the wire when told to stop.",
)
@click.option("--core", type=click.IntRange(0), default=None, hidden=True)
def worker(processes: int | None, grace: float | None, core: int | None) -> None:
    """Deliver from the outbox. SIGTERM finishes what is on the wire, then ends with status 0.

    Where that takes longer than the grace, the database being away for instance, it ends with 1.
    """
    if core is not None:
        keep_to_core(core)
    end_with_parent()
    found = ready_installation()
    try:
        smtp_settings(found.settings)  # before processes are started that would end again at once
    except ConfigurationError as error:
        fail(error)
    wanted = processes or found.settings.worker_processes
    if grace is None:  # what is on the wire may take until the last time-out of a conversation
        grace = found.settings.mail_final_timeout + 30
    if wanted > 1:
        found.db.dispose()
        sys.exit(_run_many(wanted, grace))
    try:
        run_worker(found, grace)
    except (EngineBroken, SealBroken) as error:
        fail(error)


def _run_many(processes: int, grace: float) -> int:
    argv = [sys.executable, "-m", "flask", "--app", str(ROOT / "app.py"), "kartramail", "worker"]
    argv += ["--processes", "1", "--grace", str(grace)]
    children = [
        Child(f"worker-{n}", [*argv, *_kept_to(core)])
        for n, core in enumerate(own_cores(processes))
    ]
    return supervise(children, grace=grace)


def _kept_to(core: int | None) -> list[str]:
    return [] if core is None else ["--core", str(core)]
