"""Which core of the machine a delivery process keeps to.

Threads of one Python process take turns, and where they do so on different cores each turn begins
with cold caches. One process for each core, kept there, delivers up to a fifth more.
"""

import os


def own_cores(processes: int) -> list[int | None]:
    """A core for each of so many processes, where there is one for each; otherwise the kernel's
    choice is better, and each has None.
    """
    if not hasattr(os, "sched_getaffinity"):  # only on Linux
        return [None] * processes
    cores = sorted(os.sched_getaffinity(0))
    return list(cores) if len(cores) == processes > 1 else [None] * processes


def keep_to_core(core: int) -> None:
    """This process, and all threads that it starts from now on. No promise: a core may be gone."""
    try:
        os.sched_setaffinity(0, {core})
    except (AttributeError, OSError):  # taken away by the operator meanwhile
        return
