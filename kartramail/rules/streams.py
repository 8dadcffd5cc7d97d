"""The two streams of mail (R-STREAM)."""

from enum import StrEnum


class Stream(StrEnum):
    """What law and receivers tell apart: mail that one expects, and mail that one agreed to."""

    TRANSACTIONAL = "transactional"
    COMMERCIAL = "commercial"
