"""`flask kartramail limit-account`: the operator decides what an account may send in a day."""

import json

import pytest
from click.testing import Result
from flask import Flask
from sqlmodel import select

from kartramail.db import Database
from kartramail.ids import show_id
from kartramail.outbox.claims import Claimer
from kartramail.outbox.models import SendingLimit
from kartramail.outbox.workers import register_worker
from kartramail.rules.streams import Stream
from tests.support.outbox import add_account, add_messages


@pytest.fixture
def account_id(db: Database) -> int:
    with db.transaction() as session:
        return add_account(session)


def limit(app: Flask, account: str, per_day: str) -> Result:
    args = ["kartramail", "limit-account", "--account", account, "--per-day", per_day]
    return app.test_cli_runner().invoke(args=args, catch_exceptions=False)


def own_limits(db: Database) -> dict[int, int]:
    with db.reading() as session:
        return dict(session.exec(select(SendingLimit.account_id, SendingLimit.per_day)).all())


def test_no_more_than_the_operator_said_leaves(app: Flask, db: Database, account_id: int) -> None:
    result = limit(app, show_id(account_id), "3")
    assert result.exit_code == 0
    assert result.stdout.count("\n") == 1
    assert json.loads(result.stdout) == {
        "account_id": show_id(account_id),
        "per_day": 3,
        "today": {stream: {"limit": 3, "begun": 0} for stream in Stream},
        "limits_apply": False,
    }
    with db.transaction() as session:
        add_messages(session, account_id, 5, stream=Stream.COMMERCIAL)
        worker = register_worker(session, "test", 1)
        assert len(Claimer(has_limits=True).claim(session, worker, 10)) == 3
    begun = json.loads(limit(app, show_id(account_id), "9").stdout)["today"]
    assert begun["commercial"] == {"limit": 9, "begun": 3}
    assert own_limits(db) == {account_id: 9}


def test_none_is_the_plan_again(app: Flask, db: Database, account_id: int) -> None:
    limit(app, show_id(account_id), "7")
    result = limit(app, show_id(account_id), "none")
    answer = json.loads(result.stdout)
    assert answer["per_day"] is None
    assert answer["today"]["commercial"]["limit"] == 500
    assert own_limits(db) == {}


def test_zero_stops_an_account(app: Flask, db: Database, account_id: int) -> None:
    assert json.loads(limit(app, show_id(account_id), "0").stdout)["per_day"] == 0
    assert own_limits(db) == {account_id: 0}


@pytest.mark.parametrize("account", [show_id(1), "doe", ""])
def test_an_account_that_is_not_there_is_named(
    app: Flask, db: Database, account_id: int, account: str
) -> None:
    result = limit(app, account, "9")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == f'kartramail: There is no account "{account}".\n'
    assert own_limits(db) == {}


@pytest.mark.parametrize("per_day", ["many", "-1", "1.5", "9" * 5_000, "1000000001", "", "²"])
def test_what_is_no_number_is_refused(
    app: Flask, db: Database, account_id: int, per_day: str
) -> None:
    limit(app, show_id(account_id), "7")
    result = limit(app, show_id(account_id), per_day)
    assert result.exit_code == 2
    assert 'or "none" for the plan' in result.stderr
    assert own_limits(db) == {account_id: 7}
