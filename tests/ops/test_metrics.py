"""/metrics: the queue and the requests, for this machine and for operators (R-OPS)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from kartramail import create_app
from kartramail.clock import now
from kartramail.db import Database
from kartramail.outbox.claims import claim
from kartramail.outbox.workers import beat, register_worker
from tests.conftest import make_settings
from tests.support.outbox import add_account, add_messages


def figures(client: FlaskClient) -> dict[tuple[str, ...], float]:
    """Samples by name and the values of their labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_an_empty_queue_is_said_to_be_empty(client: FlaskClient) -> None:
    found = figures(client)
    assert found["kartramail_database_up",] == 1
    assert found["kartramail_messages", "due"] == 0
    assert found["kartramail_oldest_due_seconds",] == 0
    assert found["kartramail_workers",] == 0


def test_it_counts_what_waits_and_what_is_held(client: FlaskClient, db: Database) -> None:
    with db.transaction() as session:
        account_id = add_account(session)
        add_messages(session, account_id, 2)
        worker_id = register_worker(session, "host", 1)
        assert beat(session, worker_id, len(claim(session, worker_id, 10)))
        add_messages(session, account_id, 3, due_at=now() - timedelta(minutes=5))
        add_messages(session, account_id, 4, due_at=now() + timedelta(hours=1))
    found = figures(client)
    assert found["kartramail_messages", "held"] == 2
    assert found["kartramail_messages", "due"] == 3
    assert found["kartramail_messages", "later"] == 4
    assert 300 <= found["kartramail_oldest_due_seconds",] < 400
    assert found["kartramail_workers",] == 1


def test_requests_are_counted_by_rule_and_never_by_path(client: FlaskClient) -> None:
    for path in ("/healthz", "/healthz", "/confirm/secret-token", "/nothing/secret-token"):
        client.get(path)
    client.open("/healthz", method="SECRET-TOKEN")
    found = figures(client)
    assert found["kartramail_requests_total", "GET", "/healthz", "200"] == 2
    assert found["kartramail_request_seconds_count", "GET", "/healthz"] == 2
    assert found["kartramail_requests_total", "GET", "none", "404"] == 1
    assert "secret-token" not in client.get("/metrics").text.lower()


@pytest.fixture
def without_database(tmp_path: Path) -> Iterator[Flask]:
    app = create_app(make_settings(f"sqlite:///{tmp_path}"))  # a folder
    yield app
    app.extensions["kartramail"].db.dispose()


def test_without_the_database_the_rest_is_still_there(without_database: Flask) -> None:
    client = without_database.test_client()
    client.get("/healthz")
    found = figures(client)
    assert found["kartramail_database_up",] == 0
    assert found["kartramail_requests_total", "GET", "/healthz", "200"] == 1


@pytest.mark.parametrize(
    "how",
    [
        {"environ_base": {"REMOTE_ADDR": "192.0.2.1"}},
        {"headers": {"X-Forwarded-For": "192.0.2.1"}},
        {"headers": {"Host": "mail.doeinc.com"}},
    ],
    ids=str,
)
def test_it_is_hidden_from_strangers_elsewhere(
    client: FlaskClient, how: dict[str, dict[str, str]]
) -> None:
    assert client.get("/metrics", **how).status_code == 404  # type: ignore[arg-type]
