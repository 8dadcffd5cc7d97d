"""What programs send along: text that every database can keep, and JSON that is JSON."""

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

_NO_CHARACTER = re.compile("[\x00\ud800-\udfff]")
_HAS_NO_CHARACTER = "has a NUL or half a character (a lone surrogate) in it"


def check_text(value: str) -> str:
    """The text. Raises ValueError: no database text holds NUL, half a pair is no character."""
    if _NO_CHARACTER.search(value):
        raise ValueError(_HAS_NO_CHARACTER)
    return value


def check_json(value: Any) -> Any:
    """The value, of any kind. Raises ValueError for what is no JSON or cannot be kept.

    Python reads Infinity and NaN, which are no JSON (RFC 8259 §6) and no database takes.
    """
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        raise ValueError("holds a number that is not finite") from None
    except RecursionError:
        raise ValueError("is nested too deeply") from None
    if any(map(_NO_CHARACTER.search, _texts(value))):
        raise ValueError(_HAS_NO_CHARACTER)
    return value


def _texts(value: object) -> Iterator[str]:
    """Every text in JSON, the names of members too."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict):
            waiting += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            waiting += part


def _null_is_empty(value: Any) -> Any:
    return {} if value is None else value


def null_is_no(value: Any) -> Any:
    """What a flag is given as; null is the same as leaving it out."""
    return False if value is None else value


Text = Annotated[str, AfterValidator(check_text)]
"""Text that can be kept."""

JsonObject = Annotated[dict[str, Any], BeforeValidator(_null_is_empty), AfterValidator(check_json)]
"""An object of JSON that can be kept; null is an empty one."""
