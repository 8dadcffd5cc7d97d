"""Templates that are nothing but text and plain outputs, filled in without the engine.

Most of what is written for mail is of this kind: `{{ name }}`, `{{ contact.first_name }}`, perhaps
with `| default: "friend"`. For values as JSON has them the result is what the engine would give;
for anything else (lists, very long texts, huge numbers) there is no result, and the engine decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, zip_longest

from liquid import BoundTemplate
from liquid.ast import Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions.filtered import Filter, FilteredExpression
from liquid.builtin.expressions.path import Path
from liquid.builtin.output import OutputNode
from liquid.stringify import to_liquid_string
from markupsafe import escape

from kartramail.adapters.template_filters import EscapedLiteral
from kartramail.adapters.template_sandbox import SandboxContext

LONGEST_VALUE = 2_000
"""Characters of a value that is filled in here; longer ones are the engine's."""

_GROWTH = 5
"""Characters that escaping makes of one, at most: `&quot;` is written `&#34;`."""

_BIGGEST = 10**18
# The first two are the clock's, the last one is a name that the engine itself defines.
_NAMES_OF_THE_ENGINE = frozenset({"now", "today", "partial"})
_ITEMS_OF_THE_ENGINE = frozenset({"size", "first", "last"})
_MISSING = object()


@dataclass(frozen=True, slots=True)
class _Output:
    """`{{ root.rest[0].rest[1] | default: … }}`; `otherwise` as it is written, escaped."""

    root: str
    rest: tuple[str, ...]
    otherwise: str | None


@dataclass(frozen=True, slots=True)
class PlainTemplate:
    """Literals with a gap between each two; `gaps` says which of the values stands in each.

    `longest` is how many characters a value may have, so that neither the output nor the work of
    the engine could pass a limit.
    """

    literals: tuple[str, ...]
    gaps: tuple[int, ...]
    outputs: tuple[tuple[str, tuple[str, ...], str | None], ...]
    longest: int
    escapes: bool

    def values(self, variables: Mapping[str, object]) -> list[str] | None:
        """Each distinct output as it is written; None where the engine has to decide."""
        values = []
        for root, rest, otherwise in self.outputs:
            value = variables.get(root, _MISSING)
            if rest and value is not _MISSING:
                for name in rest:
                    if type(value) is not dict:
                        return None
                    value = value.get(name, _MISSING)
                    if value is _MISSING:
                        break
            text = value if type(value) is str else _written(value)
            if text is None or len(text) > self.longest:
                return None
            if otherwise is not None and (not text or value is False):
                text = otherwise
            elif self.escapes:
                text = str(escape(text))
            values.append(text)
        return values

    def render(self, variables: Mapping[str, object]) -> str | None:
        """The whole text; None where the engine has to decide."""
        values = self.values(variables)
        return None if values is None else joined(self.literals, self.gaps, values)


def joined(literals: tuple[str, ...], gaps: tuple[int, ...], values: list[str]) -> str:
    """The text of `literals` with their gaps filled in."""
    filled = [values[gap] for gap in gaps]
    return "".join(chain.from_iterable(zip_longest(literals, filled, fillvalue="")))


def _written(value: object) -> str | None:
    """A value that is no text, as the engine writes it; None for one that it has to judge."""
    if value is None or value is _MISSING:
        return ""
    if type(value) is int:
        return str(value) if -_BIGGEST < value < _BIGGEST else None
    if type(value) is bool:
        return "true" if value else "false"
    return str(value) if type(value) is float else None


def plain_template(template: BoundTemplate, max_output: int) -> PlainTemplate | None:
    """`template` in parts, if it has only text and plain outputs; None for any other.

    `max_output` in characters. Expects a template that `check_syntax_tree` has passed.
    """
    literals, gaps = [""], []
    outputs: dict[_Output, int] = {}
    for node in template.nodes:
        if type(node) is ContentNode:
            literals[-1] += node.text
            continue
        output = _output(node, template)
        if output is None:
            return None
        gaps.append(outputs.setdefault(output, len(outputs)))
        literals.append("")
    fixed = [*literals, *(list(outputs)[gap].otherwise or "" for gap in gaps)]
    room = (max_output - sum(map(len, fixed))) // (_GROWTH * max(len(gaps), 1))
    if not gaps or room < 1:
        return None
    return PlainTemplate(
        tuple(literals),
        tuple(gaps),
        tuple((output.root, output.rest, output.otherwise) for output in outputs),
        min(room, LONGEST_VALUE),
        template.env.autoescape,
    )


def _output(node: Node, template: BoundTemplate) -> _Output | None:
    expression = node.expression if type(node) is OutputNode else None
    if type(expression) is not FilteredExpression or type(expression.left) is not Path:
        return None
    root, *rest = expression.left.path
    if type(root) is not str or root in _NAMES_OF_THE_ENGINE:
        return None
    names = tuple(name for name in rest if type(name) is str and name not in _ITEMS_OF_THE_ENGINE)
    if len(names) < len(rest):
        return None
    if not expression.filters:
        return _Output(root, names, None)
    otherwise = _otherwise(expression.filters, template)
    return None if otherwise is None else _Output(root, names, otherwise)


def _otherwise(filters: list[Filter], template: BoundTemplate) -> str | None:
    """What `default: "…"` puts in, as it is written; None for any other filters."""
    if len(filters) != 1 or filters[0].name != "default" or len(filters[0].args) != 1:
        return None
    context = SandboxContext(template)
    name, _ = filters[0].args[0].evaluate(context)
    literal = filters[0].args[0].value
    if name or type(literal) is not EscapedLiteral:
        return None
    return str(to_liquid_string(literal.evaluate(context), context.autoescape))
