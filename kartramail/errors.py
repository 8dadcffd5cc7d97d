"""The exception tree. Expected answers of the outside world are values, not exceptions.

KartraMailError
├── ConfigurationError     a setting is unknown or impossible; the start stops
├── SchemaError            the database is not at the newest schema
├── InvalidInput           what came in breaks a rule; carries the faults by field
├── NotFound               it is not there, or belongs to another account (the same thing)
├── EditConflict           somebody else changed it meanwhile
├── IdempotencyConflict    the same Idempotency-Key came with another body
├── TemplateError          a template of the user's cannot be understood or rendered
├── SealBroken             no master key opens a sealed signing key
└── UnsafeHeader           a value that must not stand in a mail header (also a ValueError)
"""

from collections.abc import Mapping


class KartraMailError(Exception):
    """Any failure that KartraMail itself names."""


class ConfigurationError(KartraMailError):
    """A setting is unknown or impossible: names it, its value and what is allowed."""


class SchemaError(KartraMailError):
    """The database schema is missing or old."""


class InvalidInput(KartraMailError):
    """Input that breaks a rule. `faults` maps a field to one sentence about it."""

    def __init__(self, faults: Mapping[str, str], code: str = "invalid") -> None:
        super().__init__("; ".join(faults.values()))
        self.faults = dict(faults)
        self.code = code


class NotFound(KartraMailError):
    """Nothing of that name in this account."""


class EditConflict(KartraMailError):
    """The row was changed by someone else since it was read (R-SAVE)."""


class IdempotencyConflict(KartraMailError):
    """One Idempotency-Key was used for two different requests."""


class TemplateError(KartraMailError):
    """A template that cannot be parsed or rendered. `line` counts from 1, None where unknown."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class SealBroken(KartraMailError):
    """A sealed signing key that none of MASTER_KEYS opens. Never carries what was sealed."""


class UnsafeHeader(KartraMailError, ValueError):
    """A value that cannot stand in a mail header: a line break in it would add a header."""
