"""What one call costs, in a process of its own: processor time and memory at its highest."""

import gc
import multiprocessing
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["kartramail.messages.words"])


@dataclass(frozen=True)
class Cost:
    """`seconds` of one processor, which an idle machine takes by the clock; `megabytes` more than
    before; `outcome` is what the call gave, or the error that it raised.
    """

    seconds: float
    megabytes: float
    outcome: object


def measured(work: Callable[..., object], *args: object) -> Cost:
    """Call `work`, a function of a module, with `args` in a fresh process."""
    ours, theirs = _FORKS.Pipe(duplex=False)
    process = _FORKS.Process(target=_measure, args=(theirs, work, args))
    process.start()
    theirs.close()
    try:
        return Cost(*ours.recv())
    finally:
        process.join(60)


def _measure(answer: Connection, work: Callable[..., object], args: tuple[object, ...]) -> None:
    gc.collect()
    memory = _highest()
    begin = time.process_time()
    try:
        outcome = work(*args)
    except Exception as error:
        outcome = error
    seconds = time.process_time() - begin
    answer.send((seconds, _highest() - memory, outcome))


def _highest() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
