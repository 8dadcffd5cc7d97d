"""`flask kartramail create-account`: an account as sign-up would make it, already confirmed."""

import json
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import func, select

from kartramail.accounts.api_keys import find_api_key
from kartramail.accounts.models import Account
from kartramail.accounts.service import load_account
from kartramail.ids import read_id
from kartramail.installation import Installation
from tests.support.cast import Actor, post
from tests.support.mailbox import mails_to


def create(app: Flask, *options: str, **kwargs: Any) -> Result:
    return app.test_cli_runner().invoke(
        args=["kartramail", "create-account", *options], catch_exceptions=False, **kwargs
    )


DOE = ("--business", "Doe Inc.", "--email", "jane@doeinc.com")


def test_it_prints_one_json_object(app: Flask, installation: Installation) -> None:
    result = create(app, *DOE)
    assert result.exit_code == 0
    made = json.loads(result.stdout)
    assert made == {
        "account_id": made["account_id"],
        "send_from": "jane@doeinc.com",
        "reply_to": "jane@doeinc.com",
        "api_key": None,
    }
    account_id = read_id(made["account_id"])
    assert account_id is not None
    with installation.db.reading() as session:
        account = session.get(Account, account_id)
    assert account is not None
    assert account.confirmed_at is not None
    assert mails_to(installation, "jane@doeinc.com") == []


def test_a_free_address_has_a_placeholder_and_a_null_reply_to(app: Flask) -> None:
    made = json.loads(create(app, "--business", "Zoë", "--email", "zoe@gmail.com").stdout)
    assert made["send_from"].endswith("@kartra.com")
    assert made["reply_to"] is None


def test_the_key_works_and_the_postal_address_is_kept(
    app: Flask, installation: Installation
) -> None:
    result = create(app, *DOE, "--api-key", "--postal-address", "1 Main Street\nDoetown")
    made = json.loads(result.stdout)
    with installation.db.transaction() as session:
        key = find_api_key(session, made["api_key"])
        assert key is not None
        assert key.account_id == read_id(made["account_id"])
        details = load_account(session, key.account_id)
    assert details.postal_address == "1 Main Street\nDoetown"


def test_the_password_from_stdin_signs_in(app: Flask, client: FlaskClient) -> None:
    create(app, *DOE, "--password-stdin", input="a sentence for Jane\n")
    form = {"email": "jane@doeinc.com", "password": "a sentence for Jane"}
    assert post(client, "/login", form).location == "/"


def test_without_a_password_nobody_gets_in_until_one_is_chosen(
    app: Flask, client: FlaskClient
) -> None:
    create(app, *DOE)
    for password in ("", " ", "jane@doeinc.com"):
        form = {"email": "jane@doeinc.com", "password": password}
        assert post(client, "/login", form).status_code == 422


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--business", "", "--email", "jane@doeinc.com"), "Type the business name"),
        (("--business", "Doe\x0b", "--email", "jane@doeinc.com"), "invisible character"),
        (("--business", "Doe", "--email", "jane"), "kartramail: "),
        (("--business", "Doe", "--email", "jane@mailinator.com"), "thrown away"),
        (("--business", "Doe", "--email", "jane@nowhere.doeinc.com"), "no such domain"),
    ],
)
def test_what_sign_up_refuses_is_one_line_and_exit_1(
    app: Flask, installation: Installation, options: tuple[str, ...], words: str
) -> None:
    result = create(app, *options)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
    with installation.db.reading() as session:
        assert session.exec(select(func.count()).select_from(Account)).one() == 0


def test_a_short_password_is_refused(app: Flask) -> None:
    result = create(app, *DOE, "--password-stdin", input="short\n")
    assert result.exit_code == 1
    assert "at least 10 characters" in result.stderr


def test_a_known_address_is_an_error(app: Flask, alice: Actor) -> None:
    result = create(app, "--business", "Other", "--email", "ALICE@doeinc.com")
    assert result.exit_code == 1
    assert "has an account already" in result.stderr
