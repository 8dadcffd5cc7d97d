"""One process for each core keeps to its core; any other number is left to the kernel."""

import os
import subprocess
import sys

import pytest

from kartramail.worker.cores import own_cores

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only on Linux")

SHOW = """
import os, threading
from kartramail.worker.cores import keep_to_core
keep_to_core({core})
found = []
thread = threading.Thread(target=lambda: found.append(os.sched_getaffinity(0)))
thread.start(); thread.join()
print(sorted(found[0]))
"""


@pytest.mark.parametrize(
    ("cores", "processes", "expected"),
    [
        ({2, 5}, 2, [2, 5]),
        ({2, 5}, 1, [None]),
        ({2, 5}, 3, [None, None, None]),
        ({0}, 1, [None]),
    ],
)
def test_each_has_a_core_where_there_is_one_for_each(
    monkeypatch: pytest.MonkeyPatch, cores: set[int], processes: int, expected: list[int | None]
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cores)
    assert own_cores(processes) == expected


def test_threads_keep_to_the_core_of_their_process() -> None:
    core = max(os.sched_getaffinity(0))
    assert _affinity_after(core) == f"[{core}]"


def test_a_core_that_is_gone_is_no_fault() -> None:
    assert _affinity_after(4_000) == str(sorted(os.sched_getaffinity(0)))


def _affinity_after(core: int) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SHOW.format(core=core)], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()
