"""One Idempotency-Key, one effect, for seven days: the database decides who was first."""

import hashlib
import json
from datetime import timedelta
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, delete, select, update

from kartramail.clock import now
from kartramail.errors import IdempotencyConflict
from kartramail.outbox.models import Idempotency

LIFETIME = timedelta(days=7)


def hash_request(body: Any) -> str:
    """The same for the same JSON, whatever the order of its members."""
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def earlier_answer(
    session: Session, account_id: int, endpoint: str, key: str, request_hash: str
) -> dict[str, Any] | None:
    """What was answered to this request before, None where it was not; it reserves nothing.

    To be asked before a request is judged: a repeat gets its answer also where the same would be
    refused by now. Raises IdempotencyConflict when the key was used with another body.
    """
    found = session.exec(
        select(Idempotency).where(
            *_this(account_id, endpoint, key), col(Idempotency.expires_at) > now()
        )
    ).first()
    return None if found is None else _answer_to(found, request_hash)


def begin_once(
    session: Session, account_id: int, endpoint: str, key: str, request_hash: str
) -> dict[str, Any] | None:
    """Reserve the key in this transaction: None for the first, the earlier answer for a repeat.

    A second request that comes while the first is under way waits for it. Raises
    IdempotencyConflict when the key was used with another body.
    """
    mine = _this(account_id, endpoint, key)
    session.connection().execute(
        delete(Idempotency).where(*mine, col(Idempotency.expires_at) <= now())
    )
    if _insert(session, account_id, endpoint, key, request_hash):
        return None
    return _answer_to(session.exec(select(Idempotency).where(*mine)).one(), request_hash)


def _this(account_id: int, endpoint: str, key: str) -> tuple[Any, ...]:
    return (
        col(Idempotency.account_id) == account_id,
        col(Idempotency.endpoint) == endpoint,
        col(Idempotency.key) == key,
    )


def _answer_to(earlier: Idempotency, request_hash: str) -> dict[str, Any]:
    if earlier.request_hash != request_hash:
        raise IdempotencyConflict(
            "This Idempotency-Key was used within the last 7 days with another body. "
            "Use a new key for a new request."
        )
    return earlier.response


def _insert(session: Session, account_id: int, endpoint: str, key: str, request_hash: str) -> bool:
    dialect = sqlite if session.connection().dialect.name == "sqlite" else postgresql
    inserted = session.connection().execute(
        dialect.insert(Idempotency)
        .values(
            account_id=account_id,
            endpoint=endpoint,
            key=key,
            request_hash=request_hash,
            response={},
            expires_at=now() + LIFETIME,
        )
        .on_conflict_do_nothing()
        .returning(col(Idempotency.key))
    )
    return inserted.first() is not None


def finish_once(
    session: Session, account_id: int, endpoint: str, key: str, response: dict[str, Any]
) -> None:
    """Keep the answer for repeats."""
    session.connection().execute(
        update(Idempotency)
        .where(
            col(Idempotency.account_id) == account_id,
            col(Idempotency.endpoint) == endpoint,
            col(Idempotency.key) == key,
        )
        .values(response=response)
    )


def forget_expired(session: Session) -> None:
    """Drop the keys whose time is over."""
    session.connection().execute(delete(Idempotency).where(col(Idempotency.expires_at) <= now()))
