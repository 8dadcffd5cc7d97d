"""The database schema: bring it to the newest, or say that it is not (R-OPS)."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

from kartramail.config import ROOT
from kartramail.db import Database
from kartramail.errors import SchemaError
from kartramail.rules.replies import clean_words


def migrate(db: Database, revision: str = "head") -> None:
    """Run migrations up to `revision` (or down, where it is an older one), in one transaction."""
    with db.engine.execution_options(begins_immediate=True).begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        current = MigrationContext.configure(connection).get_current_revision()
        steps = ScriptDirectory.from_config(config)
        is_down = revision == "base" or (
            revision != "head"
            and current is not None
            and revision in {step.revision for step in steps.iterate_revisions(current, "base")}
        )
        (command.downgrade if is_down else command.upgrade)(config, revision)


def check(db: Database) -> None:
    """Raises SchemaError with one clear line unless the database is at the newest schema."""
    with db.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    if current != newest:
        raise SchemaError(
            f"The database is at schema {current or 'none'}, this version needs {newest}. "
            "Run: flask kartramail migrate"
        )


def unreachable(error: DBAPIError) -> str:
    """One line about a database that could not be used at the start."""
    words = clean_words(str(error.orig).partition("\n")[0]).rstrip(".")
    return (
        f"The database of DATABASE_URL cannot be used: {words}. "
        "Check that it runs and that the address is right."
    )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return config
