"""Words in quotes and filters, as a template of a stranger may have them."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from liquid import Environment, RenderContext
from liquid.builtin.expressions.primitive import StringLiteral
from liquid.builtin.filters.misc import date
from liquid.filter import with_environment
from markupsafe import Markup

from kartramail import clock
from kartramail.adapters.template_limits import MAX_DATE, MAX_VALUE

TEXT_FILTERS = ("escape", "escape_once", "newline_to_br")
"""They make HTML, so they leave a text as it is: the text part is often made from the HTML."""

WHOLE_FILTERS = frozenset(
    {"append", "concat", "default", "join", "lstrip", "newline_to_br", "prepend", "rstrip", "size"}
    | {"strip", "strip_newlines"}
)
"""They do not cut what a template captured: its tags stay whole."""


class EscapedLiteral(StringLiteral):
    """Words in quotes: escaped like those of a variable, but for tags that can do nothing.

    HTML stands in the template, where it is sanitised, and not in its code.
    """

    __slots__ = ()

    def evaluate(self, context: RenderContext) -> str:
        """The words; with simple tags only, as HTML."""
        is_html = context.autoescape and _HARMLESS.fullmatch(self.value)
        return Markup(self.value) if is_html else self.value  # noqa: S704  (judged just above)


_HARMLESS = re.compile(
    r"""(?:[^<>&"']|&#?\w{1,12};|</?(?:b|br|em|hr|i|li|p|strong|u)\s?/?>)*+""", re.IGNORECASE
)


_TAG = re.compile(r"<[^<>]*>")


def strip_html(value: object) -> str:
    """Text without tags, in linear time; plain, so that HTML escapes what is left."""
    return _TAG.sub("", "" if value is None else str(value))


def unchanged(value: object) -> str:
    """A text as it is."""
    return "" if value is None else str(value)


@with_environment
def date_by_our_clock(value: object, form: object = None, *, environment: Environment) -> object:
    """python-liquid's, by our clock."""
    if isinstance(value, str) and value in ("now", "today"):
        value = clock.now()
    if not isinstance(form, str):
        return value
    return date(value, form, environment=environment)


def as_text(value: object) -> object:
    """Captured HTML as the text that it shows: cut to pieces, it could be other HTML."""
    return value.unescape() if isinstance(value, Markup) else value


def _length_of_replaced(args: Sequence[Any]) -> int:
    value, seek, put = (str(arg) for arg in (*args, "", "")[:3])
    return len(value) + (value.count(seek) if seek else len(value) + 1) * len(put)


def _length_of_joined(args: Sequence[Any]) -> int:
    items, separator = (*args, " ")[:2]
    if not isinstance(items, list | tuple | range):
        return 0
    return sum(len(str(item)) for item in items) + len(items) * len(str(separator))


def _length_of_date(args: Sequence[Any]) -> int:
    too_long = any(isinstance(arg, str) and len(arg) > MAX_DATE for arg in args)
    return MAX_VALUE + 1 if too_long else 0


BOUNDS: dict[str, Callable[[Sequence[Any]], int]] = {
    "replace": _length_of_replaced,
    "join": _length_of_joined,
    "date": _length_of_date,
}
