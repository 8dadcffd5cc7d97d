"""The sink of the outbox benchmark as a process: aiosmtpd that forgets what it took.

    python -m tests.benchmarks.sink

prints its port and runs until SIGTERM.
"""

import signal

from tests.support.smtp_server import Received, SinkServer


def _forget(_message: Received) -> None:
    pass


def main() -> None:
    """Serve until told to stop."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    with SinkServer(_forget) as sink:
        print(sink.port, flush=True)
        signal.sigwait({signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main()
