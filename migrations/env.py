"""Alembic's entry: runs the migrations on the connection that `kartramail.schema` hands in."""

from typing import Any, Literal

from alembic import context
from sqlmodel import AutoString

from kartramail.column_types import StateType, UtcDateTime
from kartramail.models import metadata


def render_plainly(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """How a new migration spells our column types: it must outlive the models."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "UtcDateTime()"
    if kind == "type" and isinstance(item, StateType):
        return "sa.String(32)"
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String({item.length})" if item.length else "sa.Text()"
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    render_item=render_plainly,
)
with context.begin_transaction():
    context.run_migrations()
