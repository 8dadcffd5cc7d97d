"""One run: messages wait, others come in, and whatever works is killed; then all is counted."""

import contextlib
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from kartramail.db import Database
from tests.benchmarks.processes import NotDone, wait_until
from tests.benchmarks.rows import make_account
from tests.benchmarks.surroundings import environment
from tests.benchmarks.workers import wait_until_finished
from tests.chaos.aim import Scope
from tests.chaos.counting_sink import CountingSink, counting_sink
from tests.chaos.crew import Crew, working
from tests.chaos.kills import FIRST_PART, Killer
from tests.chaos.outcome import Ends, Outcome
from tests.chaos.plan import CONNECTIONS, Plan
from tests.chaos.said import count_declared_dead, find_fallen, read_log
from tests.chaos.site import Site, open_site
from tests.chaos.supply import Supply
from tests.chaos.tally import count
from tests.chaos.undertaker import Undertaker


def run_chaos(url: str, plan: Plan) -> Outcome:
    """Carry out the plan on a migrated, empty database. Raises NotDone where nothing moves."""
    started = time.perf_counter()
    with ExitStack() as stack:
        db = Database(url)
        stack.callback(db.dispose)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kartramail-chaos-")))
        supply = Supply(db, make_account(db), plan.messages - plan.by_web)
        sink = stack.enter_context(counting_sink(folder / "arrived", plan.pause))
        named = _environment(url, plan, sink)
        crew = stack.enter_context(working(db, named, plan.workers, folder / "said"))
        undertaker = stack.enter_context(Undertaker(url, crew, plan.lease))
        wait_until(lambda: crew.is_complete, patience=plan.patience)
        site = None
        if plan.by_web:
            may_send = _spread(sink, plan)
            site = stack.enter_context(open_site(db, named, folder, plan.by_web, may_send))
            wait_until(lambda: bool(site.client.accepted), patience=plan.patience)
        killer = Killer(plan, crew, site, supply, sink, Scope(db, sink))
        killer.run()
        _wait_for_the_rest(db, crew, site, plan.patience)
        wait_until(lambda: crew.is_complete, patience=plan.patience)  # the last ones, too
        supervisor = crew.stop()
        events = read_log(folder / "said")
        return Outcome(
            plan=plan,
            tally=count(db, plan, sink.arrivals.all(), site.client if site else None),
            kills=killer.kills,
            outages=killer.outages,
            ends=Ends(
                fallen=[*find_fallen(events, killer.outages), *map(str, crew.fallen)],
                orphans=crew.orphan_endings,
                supervisor=supervisor,
                declared_dead=count_declared_dead(events),
            ),
            longest_held=undertaker.longest,
            seconds=time.perf_counter() - started,
        )


def _environment(url: str, plan: Plan, sink: CountingSink) -> dict[str, str]:
    return environment(
        url,
        mail_transport="relay",
        mail_server="127.0.0.1",
        mail_port=sink.port,
        sending_limits=0,
        worker_connections=CONNECTIONS,
        worker_lease=plan.lease,
        allow_special_use_domains=1,  # recipients are of .example
    )


def _spread(sink: CountingSink, plan: Plan) -> Callable[[int], bool]:
    """Messages come in while others leave, as evenly as kills do."""
    share = FIRST_PART * plan.messages / plan.by_web
    return lambda number: sink.arrivals.count() >= number * share


def _wait_for_the_rest(db: Database, crew: Crew, site: Site | None, patience: float) -> None:
    """What still waits after that is counted as stuck."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        crew.tend()
        if site is not None:
            site.web.tend()
            if not site.client.is_done:
                time.sleep(0.05)
                continue
        with contextlib.suppress(NotDone):
            wait_until_finished(db, patience=1)
            return
