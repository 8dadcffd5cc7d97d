"""Programs that call the API: one with Alice's key, one with Charlie's, one without."""

from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kartramail.accounts.api_keys import make_api_key
from kartramail.db import Database
from tests.support.outbox import add_account


@dataclass(frozen=True)
class Program:
    """A client of the API with a key of one account."""

    client: FlaskClient
    key: str
    account_id: int

    def post(self, path: str, body: Any, **headers: str) -> TestResponse:
        return self.client.post(f"/api/v1{path}", json=body, headers=self._headers(headers))

    def put(self, path: str, body: Any) -> TestResponse:
        return self.client.put(f"/api/v1{path}", json=body, headers=self._headers({}))

    def get(self, path: str) -> TestResponse:
        return self.client.get(f"/api/v1{path}", headers=self._headers({}))

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {"Authorization": f"Bearer {self.key}"} | named


def make_program(app: Flask, db: Database, business_name: str, email: str) -> Program:
    with db.transaction() as session:
        account_id = add_account(session, business_name, email)
        _, raw = make_api_key(session, account_id, "a program", None)
    return Program(app.test_client(), raw, account_id)


@pytest.fixture
def alices_program(app: Flask, db: Database) -> Program:
    return make_program(app, db, "Alice Ltd", "alice@doeinc.com")


@pytest.fixture
def charlies_program(app: Flask, db: Database) -> Program:
    return make_program(app, db, "Charlie Ltd", "charlie@yourcompany.com")
