"""Contents: the words of a source, kept once however many messages say them."""

import hashlib
import json

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, select

from kartramail.ids import new_id
from kartramail.outbox.models import Content

Words = tuple[str, str | None, str | None]
"""Subject, text, HTML: templates, unrendered."""


def store_content(session: Session, account_id: int, words: Words) -> int:
    """The number of this content in this account; two that come at once agree on one."""
    subject, text, html = words
    digest = hashlib.sha256(json.dumps(words).encode()).hexdigest()
    dialect = sqlite if session.connection().dialect.name == "sqlite" else postgresql
    session.connection().execute(
        dialect.insert(Content)
        .values(
            id=new_id(), account_id=account_id, hash=digest, subject=subject, text=text, html=html
        )
        .on_conflict_do_nothing()
    )
    return session.exec(
        select(Content.id).where(Content.account_id == account_id, Content.hash == digest)
    ).one()


def load_contents(session: Session, ids: set[int]) -> dict[int, Words]:
    """The words of these contents. For delivery, which has the numbers from its own rows."""
    rows = session.connection().execute(
        select(Content.id, Content.subject, Content.text, Content.html).where(
            Content.id.in_(ids)  # type: ignore[attr-defined]
        )
    )
    return {row.id: (row.subject, row.text, row.html) for row in rows}
