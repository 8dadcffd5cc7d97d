"""Whose a row still is: what a worker reports or gives back is written only for its own rows."""

from typing import Any

from sqlmodel import col, func

from kartramail.outbox.models import Message


def is_held_by(*worker_ids: int) -> Any:
    """Of rows that are named by their ids: this worker, or one of these, still holds them.

    Said so that PostgreSQL cannot look for them by worker. While any transaction is old enough to
    see them, its index of what is held keeps an entry of every row that ever was, and for each few
    results it would visit all of these: it takes that index for very small.
    """
    return func.coalesce(col(Message.worker_id), 0).in_(worker_ids)
