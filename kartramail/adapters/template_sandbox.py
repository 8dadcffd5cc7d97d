"""The bounds of a template: what it may use, and how much work and memory.

python-liquid limits nesting, output and loops that stand within each other. It does not limit
loops one after the other, nor what a filter makes of its input (`replace` and `join` multiply
lengths). That is closed here. All limits are counts, not clocks, so a template that passed once
passes always.
"""

from collections.abc import Callable
from io import StringIO
from typing import Any, TextIO

from liquid import BoundTemplate, Environment, RenderContext
from liquid.exceptions import (
    LocalNamespaceLimitError,
    LoopIterationLimitError,
    OutputStreamLimitError,
    ResourceLimitError,
)
from liquid.token import Token
from liquid.undefined import UNDEFINED

from kartramail.adapters.template_filters import (
    BOUNDS,
    TEXT_FILTERS,
    WHOLE_FILTERS,
    as_text,
    date_by_our_clock,
    strip_html,
    unchanged,
)
from kartramail.adapters.template_limits import (
    ITEM_WORK,
    MAX_BITS,
    MAX_HELD,
    MAX_ITEMS,
    MAX_ITERATIONS,
    MAX_LOOPED_CODE,
    MAX_SOURCE,
    MAX_VALUE,
    MAX_WORK,
)

__all__ = ["MAX_SOURCE", "SandboxContext", "SandboxEnvironment", "SandboxTemplate", "weight"]

REMOVED_TAGS = ("include", "render", "tablerow")
"""The first two read other templates; the last one writes tags with quotes in them, which would
break a value open that it is captured for. Mail has `for`."""

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
        bound = BOUNDS.get(name)

        def bounded(*args: Any, **kwargs: Any) -> object:
            if self.autoescape and name not in WHOLE_FILTERS:
                args = tuple(map(as_text, args))
            for value in (*args, *kwargs.values()):
                self.spend(weight(value), token)
            if bound is not None and bound(args) > MAX_VALUE:
                raise ResourceLimitError(f"{name} makes a value too long", token=token)
            result = run(*args, **kwargs)
            self.spend(weight(result), token)
            return result

        return bounded

    def get(
        self, path: list[object], *, token: Token | None, default: object = UNDEFINED
    ) -> object:
        """A variable; that reading a long one takes time is counted."""
        value = super().get(path, token=token, default=default)
        if isinstance(value, str):
            self.spend(len(value), token)
        elif isinstance(value, list | tuple):
            self.spend(len(value) * ITEM_WORK, token)
        return value

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


class SandboxTemplate(BoundTemplate):
    """A parsed template that knows how much of its source is code.

    `writes_addresses` where a variable may be the beginning of a link's address.
    """

    context_class = SandboxContext
    code_size = MAX_SOURCE
    writes_addresses = False

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
        if not autoescape:
            self.filters.update(dict.fromkeys(TEXT_FILTERS, unchanged))
        self.filters["strip_html"] = strip_html
        self.filters["date"] = date_by_our_clock
