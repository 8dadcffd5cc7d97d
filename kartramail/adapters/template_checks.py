"""What is refused before a template runs: slow sources, unknown filters, endless ranges.

python-liquid's lexer takes quadratic time for some sources, and a range as long as its author
likes costs nothing until something walks it.
"""

import re
from collections.abc import Iterable, Iterator

from liquid import BoundTemplate, Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.expressions.primitive import IntegerLiteral, RangeLiteral, StringLiteral
from liquid.exceptions import LiquidError, ResourceLimitError, UnknownFilterError
from liquid.expression import Expression
from liquid.token import Token

from kartramail.adapters.template_filters import EscapedLiteral
from kartramail.adapters.template_limits import MAX_ITEMS

MAX_NODES = 20_000

_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_BLANK_RUN = re.compile(r"\{[{%]-?\s*\w*\s{80}")
_VERBATIM = re.compile(r"\{%-?\s{0,80}(end)?(raw|doc)\b")


def check_source(source: str) -> None:
    """Refuse what the lexer would take quadratic time for. Raises LiquidError's family.

    Those are: many openings without a closing, blocks taken verbatim without an end, and code
    that begins with a long run of blanks.
    """
    for opening, closing in (("{{", "}}"), ("{%", "%}")):
        if source.count(opening, source.rfind(closing) + 1) > 50:
            raise _unread(source, source.rindex(opening), f"'{opening}' is not closed")
    if run := _BLANK_RUN.search(source):
        raise _unread(source, run.start(), "there is a long run of blanks in code")
    verbatim = list(_VERBATIM.finditer(source))
    starts = sum(1 for match in verbatim if not match[1])
    if starts - (len(verbatim) - starts) > 50:
        raise _unread(source, verbatim[-1].start(), f"'{verbatim[-1][2]}' has no end")


def _unread(source: str, index: int, message: str) -> LiquidError:
    return LiquidError(message, token=Token("content", source[index : index + 2], index, source))


def check_syntax_tree(template: BoundTemplate) -> None:
    """Refuse filters that do not exist, endless ranges and too many parts. Raises LiquidError.

    Words in quotes are made to be escaped.
    """
    for count, node in enumerate(_nodes(template), 1):
        if count > MAX_NODES:
            raise ResourceLimitError("it has too many parts", token=node.token)
        for expression in _expressions(node.expressions()):
            _check_expression(template.env, expression)


def code_size(source: str) -> int:
    """Characters of `source` that are code and not text."""
    return sum(map(len, _CODE.findall(source)))


def _check_expression(env: Environment, expression: Expression) -> None:
    for call in getattr(expression, "filters", None) or ():
        if call.name not in env.filters:
            raise UnknownFilterError(f"there is no filter '{call.name}'", token=call.token)
    if type(expression) is StringLiteral:
        expression.__class__ = EscapedLiteral  # the parser's own class cannot be chosen
    if isinstance(expression, RangeLiteral):
        start, stop = expression.start, expression.stop
        if not (isinstance(start, IntegerLiteral) and isinstance(stop, IntegerLiteral)):
            raise ResourceLimitError("a range needs two whole numbers", token=expression.token)
        if stop.value - start.value >= MAX_ITEMS:
            raise ResourceLimitError("a range is too long", token=expression.token)


def _nodes(template: BoundTemplate) -> Iterator[Node]:
    context = RenderContext(template)
    waiting = list(template.nodes)
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.children(context, include_partials=False))


def _expressions(expressions: Iterable[Expression]) -> Iterator[Expression]:
    waiting = list(expressions)
    while waiting:
        expression = waiting.pop()
        yield expression
        waiting.extend(expression.children())
