"""What each test's application would work out anew although it never changes is worked out once.

Every test has an application and a database of its own, and most of the time that takes goes into
three things: Werkzeug compiles, for each of some 140 routes, two Python functions that build its
address; the OpenAPI extension asks all installed packages for plugins; and SQLAlchemy compiles each
statement for each engine. All come out the same each time.
"""

from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points
from typing import Any

import flask_openapi3.openapi
import pytest
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

import kartramail.db

Builder = Callable[..., tuple[str, str]]


def keep_compiled_routes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile what builds an address once per rule.

    The function is made of the rule's text alone: Werkzeug binds it to the rule afterwards, and it
    finds the converters there when it is called. Only default values are worked into it, so rules
    that have some are compiled as ever.
    """
    compile_builder = Rule._compile_builder
    kept: dict[tuple[object, ...], Builder] = {}

    def compile_once(rule: Rule, append_unknown: bool = True) -> Builder:
        if rule.defaults:
            return compile_builder(rule, append_unknown)
        key = rule.rule, tuple(rule._trace), append_unknown
        if key not in kept:
            kept[key] = compile_builder(rule, append_unknown)
        return kept[key]

    monkeypatch.setattr(Rule, "_compile_builder", compile_once)


def keep_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the installed packages once: nobody installs one during a test."""

    @cache
    def ask_once(group: str) -> Any:
        return entry_points(group=group)

    monkeypatch.setattr(flask_openapi3.openapi, "entry_points", ask_once)


def keep_compiled_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all engines share what they compiled, as all requests of one process do.

    A compiled statement is kept under its dialect and its own structure, without its values. Two
    dialects of one kind, to servers of one version, compile alike.
    """
    kept: LRUCache[Any, Any] = LRUCache(5000)

    def create_and_share(*args: Any, **kwargs: Any) -> Engine:
        engine = create_engine(*args, **kwargs)
        engine._compiled_cache = kept
        return engine

    def is_alike(one: DefaultDialect, other: object) -> bool:
        return type(one) is type(other) and one.server_version_info == other.server_version_info

    for kind in (PGDialect_psycopg, SQLiteDialect_pysqlite):
        monkeypatch.setattr(kind, "__eq__", is_alike)
        monkeypatch.setattr(kind, "__hash__", lambda one: hash(type(one)))
    monkeypatch.setattr("kartramail.db.create_engine", create_and_share)


def wait_for_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let SQLite leave it to the operating system when a commit reaches the disk.

    Nobody pulls this machine's plug, and what a killed process committed is kept all the same;
    test_database.py looks at what is promised in service.
    """
    make_engine = kartramail.db._sqlite_engine

    def make_hurried(url: str) -> Engine:
        engine = make_engine(url)
        event.listen(engine, "connect", lambda it, _: it.execute("PRAGMA synchronous=OFF"))
        return engine

    monkeypatch.setattr(kartramail.db, "_sqlite_engine", make_hurried)
