"""Lists in parts: where the next part begins."""

from kartramail.api.access import refuse
from kartramail.ids import read_id


def read_cursor(shown: str | None) -> int | None:
    """The number that a part comes after, None for the first part. Raises a 422 problem.

    A cursor that cannot be read is no first page: a program would go through the list for ever.
    """
    if not shown:
        return None
    number = read_id(shown)
    if number is None:
        detail = "That is no cursor. Send the `next` of the part before, or none for the first."
        fault = {"pointer": "/cursor", "code": "invalid", "detail": detail}
        raise refuse(422, "That cursor cannot be read", detail, code="invalid", errors=[fault])
    return number
