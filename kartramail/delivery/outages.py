"""Whether a failure of the database is one of the database, or of what was to be written."""

from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_OUTAGES = (OperationalError, InterfaceError, InternalError, PoolTimeout)

# PostgreSQL's classes of errors about statements and the schema: columns that are not there yet, or
# not any more, rights that are missing, plans of another schema. SQLite calls these operational.
_OF_THE_SCHEMA = ("42", "0A")


def is_outage(error: BaseException) -> bool:
    """True where the same may succeed in a moment: away, locked, disk full, deadlock, fail-over.

    Or when somebody has set the schema right: no message is to blame for that, nor to end of it.
    """
    if not isinstance(error, DBAPIError):
        return isinstance(error, _OUTAGES)
    state = getattr(error.orig, "sqlstate", None) or ""
    is_of_schema = state.startswith(_OF_THE_SCHEMA)
    return error.connection_invalidated or is_of_schema or isinstance(error, _OUTAGES)
