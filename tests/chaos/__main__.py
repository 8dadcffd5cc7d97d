"""Kill what delivers, again and again, and count: `python -m tests.chaos`, or `make chaos`.

On SQLite, on PostgreSQL, and on PostgreSQL whose server is stopped dead in the middle as well.
Prints a table; the exit code is 1 where a promise of R-OUTBOX did not hold.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from tests.chaos.databases import PostgreSql, postgresql, sqlite_url
from tests.chaos.run import Outcome, Plan, run_chaos

_HEADS = ("database", "sent", "kills", "while sending", "lost", "stuck", "copies", "at most")
_MORE = ("held by the dead", "seconds")
_WIDTHS = (34, 7, 6, 14, 6, 6, 7, 8, 17, 8)
SQLITE, POSTGRESQL, RESTARTED = "SQLite", "PostgreSQL", "PostgreSQL, stopped and started again"


def main() -> int:
    """Run all three; 1 where a promise is broken."""
    options = _options()
    plan = Plan(options.messages, options.kills, workers=options.workers, patience=600)
    _print_row(*_HEADS, *_MORE)
    is_whole = True
    for name in options.only or (SQLITE, POSTGRESQL, RESTARTED):
        with _database(name) as (url, server):
            outcome = run_chaos(url, replace(plan, server=server))
        _print_outcome(name, outcome)
        is_whole = is_whole and not outcome.broken_promises()
    return 0 if is_whole else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--only", action="append", choices=(SQLITE, POSTGRESQL, RESTARTED))
    return parser.parse_args()


@contextmanager
def _database(name: str) -> Iterator[tuple[str, PostgreSql | None]]:
    if name == SQLITE:
        with sqlite_url() as url:
            yield url, None
        return
    with postgresql() as server:
        yield server.url, server if name == RESTARTED else None


def _print_outcome(name: str, outcome: Outcome) -> None:
    _print_row(
        name,
        outcome.plan.messages - outcome.stuck,
        outcome.plan.kills,
        outcome.kills_while_sending,
        outcome.lost,
        outcome.stuck,
        outcome.copies,
        outcome.most_copies,
        f"{outcome.longest_held:.1f} s",
        f"{outcome.seconds:.0f}",
    )
    for words in outcome.broken_promises():
        print(f"    BROKEN: {words}", flush=True)


def _print_row(first: object, *others: object) -> None:
    cells = (f"{word!s:>{width}}" for word, width in zip(others, _WIDTHS[1:], strict=True))
    print(f"{first!s:<{_WIDTHS[0]}}" + "".join(cells), flush=True)


if __name__ == "__main__":
    sys.exit(main())
