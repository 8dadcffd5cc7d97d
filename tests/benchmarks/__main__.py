"""The benchmarks: `python -m tests.benchmarks [keystroke|outbox|placeholders|signing …]`."""

import argparse
import time

from tests.benchmarks import (
    delivery,
    depth,
    domain_checks,
    keystroke,
    notifications,
    outbox,
    placeholders,
    signing,
    stalled,
)
from tests.benchmarks.figures import show_machine

_BENCHMARKS = {
    "keystroke": keystroke.run,
    "outbox": outbox.run,
    "placeholders": placeholders.run,
    "signing": signing.run,
    "domain_checks": domain_checks.run,
    "notifications": notifications.run,
    "delivery": delivery.run,
    "depth": depth.run,
    "stalled": stalled.run,
}


def main() -> None:
    """Run what was asked for, all of them by default. A missed target is said, not an exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(_BENCHMARKS)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="short rounds, to try it out")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(_BENCHMARKS):
        parser.error(f"there is no benchmark called {', '.join(sorted(unknown))}")
    show_machine()
    started = time.monotonic()
    names = arguments.names or list(_BENCHMARKS)
    missed = [
        name for name in names if not _BENCHMARKS[name](arguments.rounds, is_quick=arguments.quick)
    ]
    print(f"\n{time.monotonic() - started:.0f} s. Targets missed: {', '.join(missed) or 'none'}.")


if __name__ == "__main__":
    main()
