"""Whether a failure of the database is one of the database, or of what was to be written."""

from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_OUTAGES = (OperationalError, InterfaceError, InternalError, PoolTimeout)


def is_outage(error: BaseException) -> bool:
    """True where the same may succeed in a moment: away, locked, disk full, deadlock, fail-over."""
    is_cut_off = isinstance(error, DBAPIError) and error.connection_invalidated
    return is_cut_off or isinstance(error, _OUTAGES)
