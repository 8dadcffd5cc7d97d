"""/healthz and /readyz: is the process up, and can it serve (R-OPS)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kartramail import create_app
from kartramail.installation import Installation
from kartramail.schema import migrate
from tests.conftest import make_settings


@pytest.fixture
def without_database(tmp_path: Path) -> Iterator[Flask]:
    """An application whose database cannot be opened."""
    app = create_app(make_settings(f"sqlite:///{tmp_path}"))  # a folder
    yield app
    app.extensions["kartramail"].db.dispose()


def test_a_process_that_answers_is_healthy(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_it_is_healthy_without_its_database(without_database: Flask) -> None:
    assert without_database.test_client().get("/healthz").status_code == 200


def test_it_is_ready_on_the_newest_schema(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_it_is_not_ready_on_an_old_schema(client: FlaskClient, installation: Installation) -> None:
    migrate(installation.db, "base")
    try:
        answer = client.get("/readyz")
    finally:
        migrate(installation.db)
    assert answer.status_code == 503
    assert answer.json is not None
    assert "Run: flask kartramail migrate" in answer.json["reason"]


def test_it_is_not_ready_without_its_database(without_database: Flask) -> None:
    answer = without_database.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"status": "unavailable", "reason": "The database does not answer."}
