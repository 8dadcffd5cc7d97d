"""Threads of a delivery process. None of them ends unseen."""

import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger()

OnFailure = Callable[[str, BaseException], None]


def guarded_thread(
    name: str, target: Callable[[], None], on_failure: OnFailure
) -> threading.Thread:
    """A daemon thread, not yet started, that tells `on_failure` what it ended of.

    What it waited for would else wait for ever: a process that goes on without one of its threads
    looks alive and delivers nothing.
    """

    def run() -> None:
        try:
            target()
        except BaseException as error:
            log.critical("thread_ended", thread=name, exc_info=error)
            on_failure(name, error)

    return threading.Thread(target=run, name=name, daemon=True)
