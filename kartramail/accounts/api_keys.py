"""API keys: made, shown once, found by their hash, revoked."""

import hashlib
import secrets
from datetime import timedelta

from sqlmodel import Session, col, select, update

from kartramail.accounts.history import record_change
from kartramail.accounts.models import Account, ApiKey
from kartramail.clock import now
from kartramail.errors import NotFound

PREFIX = "km_"
HINT_LENGTH = 8
_USE_IS_NOTED_EVERY = timedelta(minutes=1)


def hash_key(raw: str) -> str:
    """What the database knows of a key. It has 256 bits of chance, so no salt is needed."""
    return hashlib.sha256(raw.encode()).hexdigest()


def make_api_key(
    session: Session, account_id: int, name: str, created_by: int | None
) -> tuple[ApiKey, str]:
    """A new key and its raw text (`km_` and 43 characters), which is never to be seen again."""
    raw = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(
        hash=hash_key(raw),
        account_id=account_id,
        name=name,
        hint=raw[:HINT_LENGTH],
        created_by=created_by,
    )
    session.add(key)
    record_change(
        session,
        account_id,
        "api_key.made",
        user_id=created_by,
        after={"name": name, "hint": key.hint},
    )
    return key, raw


def find_api_key(session: Session, raw: str) -> ApiKey | None:
    """The key that a program showed, unless it was revoked."""
    return session.exec(
        select(ApiKey)
        .join(Account, col(Account.id) == col(ApiKey.account_id))
        .where(
            ApiKey.hash == hash_key(raw),
            col(ApiKey.revoked_at).is_(None),
            col(Account.deleted_at).is_(None),
        )
    ).first()


def is_use_worth_noting(key: ApiKey) -> bool:
    """Once a minute is enough to tell a key in use from a forgotten one, and costs no write."""
    return key.last_used_at is None or now() - key.last_used_at >= _USE_IS_NOTED_EVERY


def note_key_use(session: Session, key: ApiKey) -> None:
    """Keep when the key was used last."""
    session.connection().execute(
        update(ApiKey).where(col(ApiKey.id) == key.id).values(last_used_at=now())
    )


def list_api_keys(session: Session, account_id: int) -> list[ApiKey]:
    """The account's keys, the newest first, revoked ones last."""
    statement = (
        select(ApiKey)
        .where(ApiKey.account_id == account_id)
        .order_by(col(ApiKey.revoked_at).is_not(None), col(ApiKey.id).desc())
    )
    return list(session.exec(statement))


def revoke_api_key(session: Session, account_id: int, key_id: int, *, user_id: int | None) -> str:
    """Make a key worthless at once, and say its name. Raises NotFound."""
    key = session.exec(
        select(ApiKey).where(ApiKey.id == key_id, ApiKey.account_id == account_id)
    ).first()
    if key is None:
        raise NotFound("There is no such key.")
    if key.revoked_at is None:
        key.revoked_at = now()
        session.add(key)
        record_change(
            session,
            account_id,
            "api_key.revoked",
            user_id=user_id,
            before={"name": key.name, "hint": key.hint},
        )
    return key.name
