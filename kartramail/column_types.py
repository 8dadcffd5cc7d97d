"""The column types that all tables use, and what their indexes and constraints are called."""

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, Integer, String, TypeDecorator
from sqlmodel import Field, SQLModel

from kartramail.ids import new_id

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite's own row number is an INTEGER PRIMARY KEY; anything else costs a second index.
IdType = BigInteger().with_variant(Integer(), "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in, aware UTC out, on every database. SQLite keeps it as sortable text."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Refuses a naive time: nobody could say later what it meant."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """The time as it was put in."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    def result_processor(self, dialect: Any, coltype: object) -> Any:
        """The same with nothing between, where the driver has times with a zone: workers read very
        many of them."""
        is_naive = dialect.name == "sqlite"
        return super().result_processor(dialect, coltype) if is_naive else _in_utc


def _in_utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


class StateType(TypeDecorator[StrEnum]):
    """A StrEnum stored by value."""

    impl = String(32)
    cache_ok = True

    def __init__(self, states: type[StrEnum]) -> None:
        super().__init__()
        self.states = states
        self._by_value = _ByValue(states)

    def process_bind_param(self, value: StrEnum | str | None, dialect: Any) -> str | None:
        """Refuses a word that is no state."""
        return None if value is None else str(self.states(value))

    def process_result_value(self, value: str | None, dialect: Any) -> StrEnum | None:
        """The state."""
        return self._by_value[value]

    def result_processor(self, dialect: Any, coltype: object) -> Any:
        """The same with nothing between: workers read very many of them."""
        return self._by_value.__getitem__


class _ByValue(dict[str | None, StrEnum | None]):
    """The states by what is stored of them; none where nothing is."""

    def __init__(self, states: type[StrEnum]) -> None:
        super().__init__({str(state): state for state in states})
        self[None] = None
        self._states = states

    def __missing__(self, value: str | None) -> StrEnum | None:
        return self._states(str(value))  # raises ValueError, in its own words


_decode_json = json.JSONDecoder().raw_decode


def read_json(text: str | bytes) -> Any:
    """As `json.loads` does, without what it does first for each: workers read very many."""
    if isinstance(text, bytes):
        text = text.decode()
    try:
        value, end = _decode_json(text)
    except ValueError:  # as with a blank in front
        return json.loads(text)
    return value if end == len(text) else json.loads(text)


def id_field() -> Any:
    """A primary key that the application makes."""
    return Field(
        default_factory=new_id,
        primary_key=True,
        sa_type=IdType,
        sa_column_kwargs={"autoincrement": False},
    )
