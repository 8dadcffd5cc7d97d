"""Contents: the words of a source, kept once however many messages say them."""

import hashlib
import json
from collections.abc import Iterable

from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, select

from kartramail.ids import new_id
from kartramail.outbox.models import Content

Words = tuple[str, str | None, str | None]
"""Subject, text, HTML: templates, unrendered."""


def store_content(session: Session, account_id: int, words: Words) -> int:
    """The number of this content in this account; two that come at once agree on one."""
    return store_contents(session, account_id, [words])[words]


def store_contents(
    session: Session, account_id: int, contents: Iterable[Words]
) -> dict[Words, int]:
    """The numbers of these contents in this account.

    They are written in the order of their digests: two requests that write the same ones in orders
    of their own would wait for each other.
    """
    digests = sorted((_digest(words), words) for words in set(contents))
    return {words: _store(session, account_id, digest, words) for digest, words in digests}


def _digest(words: Words) -> str:
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()


def _store(session: Session, account_id: int, digest: str, words: Words) -> int:
    connection = session.connection()
    place = {"account": account_id, "digest": digest}
    known = connection.scalar(_FIND, place)  # nearly always: a source says the same again
    if known is not None:
        return int(known)
    subject, text, html = words
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(
        dialect.insert(Content)
        .values(
            id=new_id(), account_id=account_id, hash=digest, subject=subject, text=text, html=html
        )
        .on_conflict_do_nothing()
    )
    return int(connection.execute(_FIND, place).scalar_one())


# Built once: building a statement costs more than running it. Locked as the row that comes to refer
# to it will lock it anyway: so that retention does not delete it in between.
_FIND = (
    select(Content.id)
    .where(Content.account_id == bindparam("account"), Content.hash == bindparam("digest"))
    .with_for_update(read=True, key_share=True)
)


def load_contents(session: Session, ids: set[int]) -> dict[int, Words]:
    """The words of these contents. For delivery, which has the numbers from its own rows."""
    rows = session.connection().execute(
        select(Content.id, Content.subject, Content.text, Content.html).where(
            Content.id.in_(ids)  # type: ignore[attr-defined]
        )
    )
    return {row.id: (row.subject, row.text, row.html) for row in rows}
