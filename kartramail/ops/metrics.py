"""Prometheus metrics: requests by rule, never by path (paths carry tokens), and the queue.

Each application has a registry of its own. Where several web processes share one address, set
PROMETHEUS_MULTIPROC_DIR to an empty folder: their counters then add up there.
"""

import os
import time
from collections.abc import Iterator
from datetime import timedelta

import structlog
from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

from kartramail.clock import now
from kartramail.installation import Installation
from kartramail.ops.figures import Figures, measure
from kartramail.outbox.queue_figures import figures_floors

log = structlog.get_logger()

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """What one application counts, and how it is shown."""

    def __init__(self, installation: Installation) -> None:
        self._queue = _Queue(installation)
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "kartramail_requests",
            "Requests that were answered.",
            ("method", "rule", "status"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "kartramail_request_seconds",
            "Seconds that an answer took.",
            ("method", "rule"),
            buckets=_SECONDS,
            registry=self._registry,
        )

    def show(self) -> bytes:
        """Everything in Prometheus' text format."""
        requests = self._registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            requests = CollectorRegistry()
            MultiProcessCollector(requests)  # type: ignore[no-untyped-call]
        queue = CollectorRegistry()
        queue.register(self._queue)
        return generate_latest(requests) + generate_latest(queue)


class _Queue(Collector):
    """Asks the database at each scrape."""

    def __init__(self, installation: Installation) -> None:
        self._db = installation.db
        self._lease = timedelta(seconds=installation.settings.worker_lease)
        self._has_limits = installation.settings.has_sending_limits
        self._floors = figures_floors()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges; only the first where the database does not answer."""
        figures = self._measure()
        yield _gauge("kartramail_database_up", "1 while the database answers.", int(bool(figures)))
        if figures:
            yield from _queue_gauges(figures)

    def _measure(self) -> Figures | None:
        try:
            with self._db.reading() as session:
                return measure(session, self._lease, self._floors, has_limits=self._has_limits)
        except SQLAlchemyError as error:
            log.error("metrics_without_database", error=str(error))
            return None


def _queue_gauges(figures: Figures) -> Iterator[GaugeMetricFamily]:
    messages = GaugeMetricFamily(
        "kartramail_messages", "Messages: due now, due later, held by a worker.", labels=["state"]
    )
    for state in ("due", "later", "held"):
        messages.add_metric([state], getattr(figures, state))
    yield messages
    oldest = figures.oldest_due_at
    age = (now() - oldest).total_seconds() if oldest else 0.0
    yield _gauge(
        "kartramail_oldest_due_seconds",
        "For how long the oldest message is due that could leave.",
        age,
    )
    yield _gauge("kartramail_workers", "Delivery processes that are alive.", figures.workers)


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value)


def count_requests(app: Flask, metrics: Metrics) -> None:
    """Count and time every request of this application."""

    @app.before_request
    def start() -> None:
        g.metrics_started = time.perf_counter()

    @app.after_request
    def count(response: Response) -> Response:
        # Whatever a stranger can make up must not become a label: each one is kept for ever.
        method = request.method if request.method in _METHODS else "other"
        rule = str(request.url_rule or "none")
        metrics.requests.labels(method, rule, response.status_code).inc()
        if "metrics_started" in g:
            took = time.perf_counter() - g.metrics_started
            metrics.seconds.labels(method, rule).observe(took)
        return response
