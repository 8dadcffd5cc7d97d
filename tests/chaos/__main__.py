"""Kill whatever works, again and again, and count: `python -m tests.chaos`, or `make chaos`.

On SQLite, on PostgreSQL, and on PostgreSQL whose server is stopped dead in the middle as well.
Prints a table; the exit code is 1 where a promise of R-OUTBOX did not hold.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from tests.chaos.databases import PostgreSql, postgresql, sqlite_url
from tests.chaos.outcome import Outcome
from tests.chaos.plan import Plan, Victim, everybody, longest_hold
from tests.chaos.run import run_chaos

SQLITE, POSTGRESQL, RESTARTED = "SQLite", "PostgreSQL", "PostgreSQL, restarted"
_DATABASE_WIDTH, _WIDTH = 22, 5
_BY_API = 0.1  # of the messages; all others are in the database before it begins


def main() -> int:
    """Run all three; 1 where a promise is broken."""
    options = _options()
    plan = Plan(
        options.messages,
        everybody(options.kills),
        workers=options.workers,
        by_web=round(_BY_API * options.messages),
        lease=options.lease,
        patience=300,
    )
    is_whole = True
    for place, name in enumerate(options.only or (SQLITE, POSTGRESQL, RESTARTED)):
        with _database(name) as (url, server):
            outcome = run_chaos(url, replace(plan, server=server))
        _print_outcome(name, outcome, has_head=place == 0)
        if options.each:
            _print_kills(outcome)
        is_whole = is_whole and not outcome.broken_promises()
    return 0 if is_whole else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--lease", type=float, default=6.0, help="seconds (WORKER_LEASE)")
    parser.add_argument("--only", action="append", choices=(SQLITE, POSTGRESQL, RESTARTED))
    parser.add_argument("--each", action="store_true", help="a line for each kill as well")
    return parser.parse_args()


@contextmanager
def _database(name: str) -> Iterator[tuple[str, PostgreSql | None]]:
    if name == SQLITE:
        with sqlite_url() as url:
            yield url, None
        return
    with postgresql() as server:
        yield server.url, server if name == RESTARTED else None


def _print_outcome(name: str, outcome: Outcome, *, has_head: bool) -> None:
    cells = _cells(outcome)
    widths = [max(len(head), _WIDTH) for head in cells]
    if has_head:
        _print_row("database", cells, widths)
    _print_row(name, cells.values(), widths)
    for words in outcome.broken_promises():
        print(f"    BROKEN: {words}", flush=True)


def _cells(outcome: Outcome) -> dict[str, object]:
    """The heads of the table and what stands below them."""
    plan, api = outcome.plan, outcome.tally.api
    return {
        "sent": plan.messages - outcome.stuck,
        "by API": api.accepted,
        "asked again": api.retried,
        "heard late": api.taken_unheard,
        "workers": outcome.killed(Victim.WORKER),
        "supervisors": outcome.killed(Victim.SUPERVISOR),
        "web masters": outcome.killed(Victim.WEB_MASTER),
        "web workers": outcome.killed(Victim.WEB_WORKER),
        "while sending": outcome.kills_while_sending,
        "in doubt": outcome.kills_in_doubt,
        "writing": outcome.kills_while_writing,
        "lost": outcome.tally.lost,
        "stuck": outcome.stuck,
        "copies (most)": f"{outcome.copies} ({outcome.most_copies})",
        "held by the dead (most)": f"{outcome.longest_held:.1f} s ({longest_hold(plan.lease):.1f})",
        "seconds": f"{outcome.seconds:.0f}",
    }


def _print_row(first: str, words: Iterable[object], widths: Iterable[int]) -> None:
    cells = (f"  {word!s:>{width}}" for word, width in zip(words, widths, strict=True))
    print(f"{first:<{_DATABASE_WIDTH}}" + "".join(cells), flush=True)


def _print_kills(outcome: Outcome) -> None:
    for kill in outcome.kills:
        words = [f"{kill.victim}, {kill.aim}", "mail was leaving" if kill.is_sending else "idle"]
        if kill.victim.is_web and kill.look.in_doubt:
            words.append("a message was taken, and nobody told")
        if kill.look.connections:
            words.append(f"{kill.look.in_doubt} messages in doubt on {len(kill.look.connections)}")
            words.append(f"{outcome.copies_of(kill)} came again")
        if kill.look.is_writing:
            words.append("in the middle of its transaction")
        print("    " + "; ".join(words), flush=True)


if __name__ == "__main__":
    sys.exit(main())
