"""The bounds of a template: what it may use, and how much work and memory.

python-liquid limits nesting, output and loops that stand within each other. It does not limit
loops one after the other, nor what a filter makes of its input (`replace` and `join` multiply
lengths). That is closed here. All limits are counts, not clocks, so a template that passed once
passes always.
"""

import re
from collections.abc import Callable, Sequence
from io import StringIO
from typing import Any, TextIO

from liquid import BoundTemplate, Environment, RenderContext
from liquid.builtin.filters.misc import date
from liquid.exceptions import (
    LocalNamespaceLimitError,
    LoopIterationLimitError,
    OutputStreamLimitError,
    ResourceLimitError,
)
from liquid.filter import with_environment
from liquid.token import Token

from kartramail import clock

MAX_SOURCE = 300_000
"""Characters of a template. Gmail cuts a message at 102 kB."""

MAX_CODE = 20_000
"""Characters of code in a template: a thousand placeholders. Compiled, code takes up to two hundred
times its length, and a second for each hundred thousand."""

MAX_ITERATIONS = 10_000
MAX_LOOPED_CODE = 3_000_000
"""Iterations of all loops × characters of code: about two seconds of a slow machine."""

MAX_VALUE = 200_000
"""Characters of one value."""

MAX_ITEMS = 1_000
"""Items of one list."""

MAX_WORK = 20_000_000
"""Characters that go through filters in one rendering."""

MAX_HELD = 1_000_000
"""Characters in all names that a template assigns."""

MAX_BITS = 256
"""Of a whole number."""

MAX_DATE = 100
"""Characters of a date or of its format: the parser of dates is slow on long ones."""

REMOVED_TAGS = ("include", "render")
"""They read other templates."""

REMOVED_FILTERS = ("safe", "escapejs")
"""They switch escaping off."""


class _Text(StringIO):
    """Output that cannot grow past `limit` characters."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def write(self, text: str, /) -> int:
        self.limit -= len(text)
        if self.limit < 0:
            raise OutputStreamLimitError("the text becomes too long", token=None)
        return super().write(text)


class SandboxContext(RenderContext):
    """One rendering: what it holds and what it may still spend."""

    __slots__ = ("held", "iterations", "work")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.held: dict[str, int] = {}
        self.iterations = 0
        self.work = MAX_WORK

    def assign(self, key: str, val: Any) -> None:
        """As in python-liquid, but counting what is inside lists too, and only what changed."""
        self.locals[key] = val
        self.held[key] = len(key) + 50 + weight(val)
        if len(self.held) > MAX_ITEMS or sum(self.held.values()) > MAX_HELD:
            raise LocalNamespaceLimitError("it assigns too much", token=None)
        self.spend(len(self.held), None)

    def raise_for_loop_limit(self, length: int = 1) -> None:
        """Count the iterations of all loops, in whatever order they stand."""
        self.iterations += length
        template = self.template
        code = template.code_size if isinstance(template, SandboxTemplate) else MAX_SOURCE
        if self.iterations > MAX_ITERATIONS or self.iterations * code > MAX_LOOPED_CODE:
            raise LoopIterationLimitError("its loops run too often", token=None)

    def get_buffer(self, buf: TextIO | None = None) -> StringIO:
        """Output for a block, bounded as its surroundings are."""
        return _Text(buf.limit if isinstance(buf, _Text) else MAX_VALUE)

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        """The filter `name`, with its input and its result held against the limits."""
        run = super().filter(name, token)
        bound = _BOUNDS.get(name)

        def bounded(*args: Any, **kwargs: Any) -> object:
            for value in (*args, *kwargs.values()):
                self.spend(weight(value), token)
            if bound is not None and bound(args) > MAX_VALUE:
                raise ResourceLimitError(f"{name} makes a value too long", token=token)
            result = run(*args, **kwargs)
            self.spend(weight(result), token)
            return result

        return bounded

    def spend(self, work: int, token: Token | None) -> None:
        """Take `work` off the budget."""
        self.work -= work + 1
        if self.work < 0:
            raise ResourceLimitError("it takes too much work", token=token)


def weight(value: object) -> int:
    """How much memory and work `value` stands for. Raises when it is too big to touch."""
    if isinstance(value, str):
        size = len(value)
        if size > MAX_VALUE:
            raise ResourceLimitError("a value becomes too long", token=None)
        return size
    if isinstance(value, int):
        if value.bit_length() > MAX_BITS:
            raise ResourceLimitError("a number becomes too big", token=None)
        return 1
    if isinstance(value, list | tuple | range):
        if len(value) > MAX_ITEMS:
            raise ResourceLimitError("a list becomes too long", token=None)
        items = 0 if isinstance(value, range) else sum(_item_weight(item) for item in value)
        return items + len(value) ** 2 // 8  # uniq and sort compare items with each other
    return 1


def _item_weight(item: object) -> int:
    return len(item) if isinstance(item, str | list | tuple | dict) else 1


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


_BOUNDS: dict[str, Callable[[Sequence[Any]], int]] = {
    "replace": _length_of_replaced,
    "join": _length_of_joined,
    "date": _length_of_date,
}


class SandboxTemplate(BoundTemplate):
    """A parsed template that knows how much of its source is code."""

    context_class = SandboxContext
    code_size = MAX_SOURCE

    def _get_buffer(self) -> StringIO:
        return _Text(self.env.output_stream_limit or MAX_VALUE)


class SandboxEnvironment(Environment):
    """What a template may use. `max_output` in characters; HTML sets `autoescape`."""

    block_nesting_limit = 20
    context_depth_limit = 30
    template_class = SandboxTemplate

    def __init__(self, *, max_output: int, autoescape: bool = False) -> None:
        super().__init__(autoescape=autoescape)
        self.output_stream_limit = max_output  # type: ignore[misc]
        for tag in REMOVED_TAGS:
            del self.tags[tag]
        for name in REMOVED_FILTERS:
            del self.filters[name]
        self.filters["strip_html"] = _strip_html
        self.filters["date"] = _date


_TAG = re.compile(r"<[^<>]*>")


def _strip_html(value: object) -> str:
    """Text without tags, in linear time; plain, so that HTML escapes what is left."""
    return _TAG.sub("", "" if value is None else str(value))


@with_environment
def _date(value: object, form: object = None, *, environment: Environment) -> object:
    """python-liquid's, by our clock."""
    if isinstance(value, str) and value in ("now", "today"):
        value = clock.now()
    if not isinstance(form, str):
        return value
    return date(value, form, environment=environment)
