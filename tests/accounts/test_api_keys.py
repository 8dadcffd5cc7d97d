"""API keys: shown once, kept as a hash, noted when used, revoked for good."""

import re
from datetime import timedelta

import pytest
from sqlmodel import func, select, update

from kartramail.accounts.api_keys import (
    find_api_key,
    is_use_worth_noting,
    make_api_key,
    note_key_use,
    revoke_api_key,
)
from kartramail.accounts.models import Account, ApiKey
from kartramail.clock import now
from kartramail.errors import NotFound
from kartramail.ids import show_id
from kartramail.installation import Installation
from tests.support.cast import Actor

KEY = re.compile(r"km_[A-Za-z0-9_-]{43}")


def the_key(installation: Installation) -> ApiKey:
    with installation.db.reading() as session:
        return session.exec(select(ApiKey)).one()


def make(alice: Actor, installation: Installation) -> tuple[ApiKey, str]:
    with installation.db.transaction() as session:
        return make_api_key(session, alice.account_id, "Web shop", alice.user_id)


def find(installation: Installation, raw: str) -> ApiKey | None:
    with installation.db.transaction() as session:
        return find_api_key(session, raw)


def test_it_is_shown_once_with_a_copy_button(alice: Actor, installation: Installation) -> None:
    page = alice.post("/settings/api-keys", {"name": "Web shop"})
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    (raw,) = set(KEY.findall(page.text))
    assert f'data-copy="{raw}"' in page.text
    again = alice.get("/settings/api-keys").text
    assert raw not in again
    assert "Web shop" in again
    assert raw[:8] in again
    found = find(installation, raw)
    assert found is not None
    assert found.account_id == alice.account_id


def test_only_the_hash_is_kept(alice: Actor, installation: Installation) -> None:
    _, raw = make(alice, installation)
    assert raw not in repr(the_key(installation))
    assert raw not in alice.get("/settings/account").text


def test_its_use_is_noted_once_a_minute(alice: Actor, installation: Installation) -> None:
    key, _ = make(alice, installation)
    assert is_use_worth_noting(key)
    with installation.db.transaction() as session:
        note_key_use(session, key)
    noted = the_key(installation)
    assert noted.last_used_at is not None
    assert not is_use_worth_noting(noted)
    noted.last_used_at -= timedelta(minutes=1)
    assert is_use_worth_noting(noted)


def test_a_revoked_key_is_refused_at_once(alice: Actor, installation: Installation) -> None:
    key, raw = make(alice, installation)
    assert alice.post(f"/settings/api-keys/{show_id(key.id)}/revoke").status_code == 303
    assert find(installation, raw) is None
    page = alice.get("/settings/api-keys").text
    assert "Revoked" in page
    assert "Revoked the API key Web shop" in alice.get("/settings/account").text


def test_revoking_twice_is_no_fault(alice: Actor, installation: Installation) -> None:
    key, _ = make(alice, installation)
    for _ in range(2):
        alice.post(f"/settings/api-keys/{show_id(key.id)}/revoke")
    assert alice.get("/settings/account").text.count("Revoked the API key") == 1


@pytest.mark.parametrize("raw", ["", "km_", "km_" + "a" * 43, "' OR 1=1", "\x00", "k" * 10_000])
def test_made_up_keys_find_nothing(alice: Actor, installation: Installation, raw: str) -> None:
    make(alice, installation)
    assert find(installation, raw) is None


def test_the_key_of_an_account_that_is_gone_is_refused(
    alice: Actor, installation: Installation
) -> None:
    _, raw = make(alice, installation)
    with installation.db.transaction() as session:
        session.connection().execute(update(Account).values(deleted_at=now()))
    assert find(installation, raw) is None


def test_a_member_makes_keys_too(bob: Actor) -> None:
    assert KEY.search(bob.post("/settings/api-keys", {"name": "Bob's program"}).text)


def test_charlie_neither_sees_nor_revokes_alices_keys(
    alice: Actor, charlie: Actor, installation: Installation
) -> None:
    key, raw = make(alice, installation)
    assert "Web shop" not in charlie.get("/settings/api-keys").text
    assert charlie.post(f"/settings/api-keys/{show_id(key.id)}/revoke").status_code == 404
    assert find(installation, raw) is not None
    with installation.db.transaction() as session, pytest.raises(NotFound):
        revoke_api_key(session, charlie.account_id, key.id, user_id=charlie.user_id)


@pytest.mark.parametrize("name", ["", "a\r\nb", "a\u2028b", "a\x00b", "x" * 101, "y" * 10_000])
def test_a_hostile_name_is_refused(alice: Actor, installation: Installation, name: str) -> None:
    assert alice.post("/settings/api-keys", {"name": name}).status_code == 422
    with installation.db.reading() as session:
        assert session.exec(select(func.count()).select_from(ApiKey)).one() == 0


def test_html_in_a_name_is_only_text(alice: Actor) -> None:
    page = alice.post("/settings/api-keys", {"name": "<img src=x> {{ 7*7 }}"}).text
    assert "<img src=x>" not in page
    assert "&lt;img src=x&gt; {{ 7*7 }}" in page


def test_it_needs_a_csrf_token(alice: Actor, installation: Installation) -> None:
    key, raw = make(alice, installation)
    assert alice.client.post("/settings/api-keys", data={"name": "X"}).status_code == 422
    path = f"/settings/api-keys/{show_id(key.id)}/revoke"
    assert alice.client.post(path).status_code == 400
    assert find(installation, raw) is not None
