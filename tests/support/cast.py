"""The cast of three: Alice owns Doe Inc., Bob is her colleague, Charlie is a stranger elsewhere.

Each comes with a browser that is signed in. Hashes are cheap here: Argon2id's usual ones take a
tenth of a second on purpose, and its parameters are part of the hash.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from kartramail.accounts.models import Membership, Role, User
from kartramail.accounts.sign_ins import start_sign_in
from kartramail.clock import now
from kartramail.installation import Installation
from kartramail.onboarding.service import create_confirmed_account

PASSWORD = "a sentence that Alice remembers"

CHEAP_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@cache
def cheap_hash(password: str) -> str:
    """An Argon2id hash of the password that takes no time."""
    return CHEAP_HASHER.hash(password)


@dataclass(frozen=True)
class Actor:
    """Somebody with an account, and a browser in which they are signed in."""

    account_id: int
    user_id: int
    email: str
    full_name: str
    client: FlaskClient

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        """Open a page."""
        return self.client.get(path, **kwargs)

    def post(self, path: str, data: dict[str, Any] | None = None, **kwargs: Any) -> TestResponse:
        """Send a form as its page would, CSRF token included."""
        return post(self.client, path, data, **kwargs)


def post(
    client: FlaskClient, path: str, data: dict[str, Any] | None = None, **kwargs: Any
) -> TestResponse:
    """Send a form as its page would, CSRF token included."""
    return client.post(path, data={**(data or {}), "csrf_token": csrf_token(client)}, **kwargs)


def csrf_token(client: FlaskClient) -> str:
    """The token that a form in this browser would carry."""
    with client.session_transaction() as session:
        raw = session.setdefault("csrf_token", "f" * 40)
    secret = client.application.secret_key
    return str(URLSafeTimedSerializer(str(secret), salt="wtf-csrf-token").dumps(raw))


def make_account(
    installation: Installation,
    *,
    business_name: str = "Doe Inc.",
    full_name: str = "Alice Doe",
    email: str = "alice@doeinc.com",
) -> tuple[int, int]:
    """A confirmed account; returns its id and its owner's."""
    with installation.db.transaction() as session:
        made = create_confirmed_account(
            session,
            installation,
            business_name=business_name,
            full_name=full_name,
            email=email,
            password_hash=cheap_hash(PASSWORD),
        )
    return made.account_id, made.user_id


def make_colleague(
    installation: Installation,
    account_id: int,
    *,
    full_name: str = "Bob Roe",
    email: str = "bob@doeinc.com",
    role: Role = Role.MEMBER,
) -> int:
    """Another confirmed person in the account; returns their id."""
    user = User(
        email=email,
        email_key=email,
        full_name=full_name,
        password_hash=cheap_hash(PASSWORD),
        confirmed_at=now(),
    )
    with installation.db.transaction() as session:
        session.add(user)
        session.flush()
        session.add(Membership(account_id=account_id, user_id=user.id, role=role))
    return user.id


def sign_in(client: FlaskClient, user_id: int, account_id: int) -> None:
    """Sign the browser in, without the sign-in page."""
    installation: Installation = client.application.extensions["kartramail"]
    with installation.db.transaction() as session:
        sign_in_id = start_sign_in(session, user_id, account_id).id
    with client.session_transaction() as cookie:
        cookie["_user_id"] = str(sign_in_id)
        cookie["_fresh"] = True


def make_alice(app: Flask) -> Actor:
    """Alice, owner of Doe Inc."""
    account_id, user_id = make_account(app.extensions["kartramail"])
    return _actor(app, account_id, user_id, "alice@doeinc.com", "Alice Doe")


def make_bob(app: Flask, alice: Actor) -> Actor:
    """Bob, member of Doe Inc."""
    user_id = make_colleague(app.extensions["kartramail"], alice.account_id)
    return _actor(app, alice.account_id, user_id, "bob@doeinc.com", "Bob Roe")


def make_charlie(app: Flask) -> Actor:
    """Charlie, owner of an account that has nothing to do with Doe Inc."""
    account_id, user_id = make_account(
        app.extensions["kartramail"],
        business_name="Your Company",
        full_name="Charlie Poe",
        email="charlie@yourcompany.com",
    )
    return _actor(app, account_id, user_id, "charlie@yourcompany.com", "Charlie Poe")


def _actor(app: Flask, account_id: int, user_id: int, email: str, full_name: str) -> Actor:
    client = app.test_client()
    sign_in(client, user_id, account_id)
    return Actor(account_id, user_id, email, full_name, client)
