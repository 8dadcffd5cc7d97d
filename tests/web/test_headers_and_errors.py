"""Headers of every answer, and pages for what goes wrong (R-SAFE, R-WORDS)."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kartramail.db import Database
from kartramail.schema import migrate


def test_every_page_forbids_what_it_does_not_need(client: FlaskClient) -> None:
    answer = client.get("/login")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "HX-Request" in answer.headers["Vary"]


def test_static_files_may_be_kept(client: FlaskClient) -> None:
    answer = client.get("/static/css/kartramail.css")
    assert answer.status_code == 200
    assert "no-store" not in answer.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/nosuch", "/static/nosuch.css", "/settings/nosuch"])
def test_what_is_not_there_has_a_page_of_its_own(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "This page does not exist" in answer.text


def test_under_api_it_is_a_problem(client: FlaskClient) -> None:
    answer = client.get("/api/v1/nosuch", headers={"Authorization": "Bearer x"})
    assert answer.status_code in (401, 404)
    assert answer.mimetype == "application/problem+json"
    answer = client.delete("/api/v1/openapi.json")
    assert answer.status_code == 405
    assert answer.mimetype == "application/problem+json"


def test_a_failure_says_nothing_of_its_cause(app: Flask, client: FlaskClient) -> None:
    def fail() -> str:
        raise RuntimeError("the secret cause")

    app.view_functions["accounts.log_in"] = fail
    answer = client.get("/login")
    assert answer.status_code == 500
    assert "the secret cause" not in answer.text
    assert "Nothing you saved is lost" in answer.text


def test_a_change_without_a_token_is_refused(client: FlaskClient) -> None:
    answer = client.post("/logout")
    assert answer.status_code == 400
    assert "no longer valid" in answer.text


def test_an_old_schema_is_refused_until_it_is_new(
    app: Flask, client: FlaskClient, db: Database
) -> None:
    migrate(db, "base")
    try:
        answer = client.get("/login")
        assert answer.status_code == 503
        assert "flask kartramail migrate" in answer.text
        assert client.get("/healthz").status_code == 200
    finally:
        migrate(db)
    assert client.get("/login").status_code == 200


def test_a_body_that_is_too_large_is_refused(client: FlaskClient) -> None:
    answer = client.post("/login", data={"email": "x" * (33 * 1024 * 1024)})
    assert answer.status_code == 413
