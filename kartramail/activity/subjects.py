"""The subjects of a page of messages as their recipients read them, at little cost.

Variables may be large, so they are read only for subjects that have any in them.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session, col, select

from kartramail.adapters.templating import CompiledTemplate, TemplateKind, compile_template
from kartramail.errors import TemplateError
from kartramail.outbox.models import Content, Message, SourceKind

_MOST_SUBJECT = 200
_RENDERING = 0.5
"""Seconds for the subjects of a page; those that are left then are shown as they were written."""

OWN_SUBJECTS = {
    SourceKind.TEST: "Test of the mail service",
    SourceKind.SAMPLE: "Sample, as your contacts see it",
}
"""For mails of our own, whose words are not kept."""


def load_subjects(session: Session, account_id: int, rows: Sequence[Row[Any]]) -> dict[int, str]:
    """The subject of each of these rows of `find_messages`, by the number of the message."""
    written = _load_written(session, account_id, {row.content_id for row in rows} - {None})
    compiled = {number: _compiled(subject) for number, subject in written.items()}
    varied = [row.id for row in rows if row.content_id in compiled and _varies(compiled, row)]
    variables = _load_variables(session, account_id, varied) if varied else {}
    end = time.monotonic() + _RENDERING
    return {
        row.id: _subject(
            row,
            written.get(row.content_id),
            compiled.get(row.content_id) if time.monotonic() < end else None,
            variables,
        )
        for row in rows
    }


def _load_written(session: Session, account_id: int, ids: Collection[int]) -> dict[int, str]:
    """The subjects of these contents as they were written, unrendered."""
    rows = session.connection().execute(
        select(Content.id, Content.subject).where(
            Content.account_id == account_id, col(Content.id).in_(ids)
        )
    )
    return {row.id: row.subject for row in rows}


def _load_variables(
    session: Session, account_id: int, ids: Collection[int]
) -> dict[int, Mapping[str, Any]]:
    """The variables of these messages."""
    rows = session.connection().execute(
        select(Message.id, Message.variables).where(
            Message.account_id == account_id, col(Message.id).in_(ids)
        )
    )
    return {row.id: row.variables or {} for row in rows}


def _varies(compiled: Mapping[int, CompiledTemplate | None], row: Row[Any]) -> bool:
    template = compiled[row.content_id]
    return template is not None and not template.is_constant


def _compiled(subject: str) -> CompiledTemplate | None:
    try:
        return compile_template(subject, TemplateKind.SUBJECT)
    except TemplateError:
        return None


def _subject(
    row: Row[Any],
    written: str | None,
    compiled: CompiledTemplate | None,
    variables: Mapping[int, Mapping[str, Any]],
) -> str:
    """As its recipient reads it; one that cannot be filled in, as it was written."""
    if written is None:
        return OWN_SUBJECTS.get(row.source_kind, "")
    if compiled is not None:
        try:
            return compiled.render(variables.get(row.id, {}))[:_MOST_SUBJECT]
        except TemplateError:
            pass
    return written[:_MOST_SUBJECT]
