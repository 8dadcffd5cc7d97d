"""One Idempotency-Key, one effect within 7 days, for every call that takes the header."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from flask import request
from sqlmodel import Session

from kartramail.api.access import api_account, refuse
from kartramail.errors import IdempotencyConflict
from kartramail.outbox.idempotency import (
    begin_once,
    earlier_answer,
    finish_once,
    hash_request,
)
from kartramail.web.access import database

_KEY = re.compile(r"[\x20-\x7e]{1,255}")

Answer = dict[str, Any]
Judged = TypeVar("Judged")


def answer_once(
    endpoint: str,
    raw: Answer,
    judge: Callable[[], Judged],
    take: Callable[[Session, Judged], Answer],
) -> Answer:
    """The answer to this request: what was answered before, or what `take` says of `judge`.

    `raw` is the body that a repeat must equal. A repeat is answered before it is judged: what was
    taken stays taken. `judge` runs outside, `take` inside the transaction; both may raise a
    problem, which leaves no trace. Raises one for a key that does not fit or is taken.
    """
    key = _key()
    try:
        return _earlier(endpoint, key, raw) or _take(endpoint, key, raw, judge(), take)
    except IdempotencyConflict as error:
        raise refuse(422, "That Idempotency-Key is taken", str(error), code="key_reused") from None


def _key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise refuse(
            422,
            "That Idempotency-Key does not fit",
            "Use 1 to 255 characters of ASCII that can be printed.",
            code="invalid",
        )
    return key


def _earlier(endpoint: str, key: str | None, raw: Answer) -> Answer | None:
    if key is None:
        return None
    with database().reading() as session:
        return earlier_answer(session, api_account(), endpoint, key, hash_request(raw))


def _take(
    endpoint: str,
    key: str | None,
    raw: Answer,
    judged: Judged,
    take: Callable[[Session, Judged], Answer],
) -> Answer:
    account_id = api_account()
    with database().transaction() as session:
        if key is None:
            return take(session, judged)
        earlier = begin_once(session, account_id, endpoint, key, hash_request(raw))
        if earlier is not None:
            return earlier
        answer = take(session, judged)
        finish_once(session, account_id, endpoint, key, answer)
        return answer
