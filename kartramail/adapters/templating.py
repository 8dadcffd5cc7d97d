"""Liquid templates of account holders, compiled once and rendered within bounds (R-VARS).

A template is a stranger's program. It has no tag that reads another file, no attribute of a
Python object, and a budget for work and for memory: what exceeds it is a TemplateError, quickly.
"""

import re
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from liquid import BoundTemplate
from liquid.exceptions import LiquidError

from kartramail import clock
from kartramail.adapters.template_checks import check_source, check_syntax_tree, code_size
from kartramail.adapters.template_code import block_faults, find_code
from kartramail.adapters.template_limits import MAX_CODE, MAX_SOURCE
from kartramail.adapters.template_links import defuse_links, has_written_addresses
from kartramail.adapters.template_plain import PlainTemplate, plain_template
from kartramail.adapters.template_sandbox import SandboxEnvironment, SandboxTemplate
from kartramail.adapters.weighed_cache import WeighedCache
from kartramail.errors import TemplateError

CACHED_BYTES = 32_000_000
"""What compiled templates may take in a process, about: those of strangers must not fill it."""

_BYTES_FOR_CODE = 200
_BYTES_FOR_TEXT = 4

_CLOCK_NAMES = frozenset({"now", "today"})


class TemplateKind(StrEnum):
    """Where the text will stand, which decides what has to be made harmless in it."""

    SUBJECT = "subject"
    TEXT = "text"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class CompiledTemplate:
    """A template ready to be rendered. Safe to share by threads.

    `variables` maps each name that must come from outside, such as "contact.first_name", to the
    line where it is first used. `is_constant` is true when every recipient gets the same text.
    `code_size` in characters; `weight` is about the bytes of memory that it takes.
    """

    kind: TemplateKind
    variables: Mapping[str, int]
    is_constant: bool
    code_size: int
    weight: int
    _template: BoundTemplate | None
    _constant: str
    _plain: PlainTemplate | None
    """Where the template is only text and plain outputs: filled in without the engine."""

    def render(self, variables: Mapping[str, object], /) -> str:
        """The text for `variables`; what is not among them is empty.

        Raises TemplateError when the template fails on these values or exceeds its budget.
        """
        if self._template is None:
            return self._constant
        text = self._plain.render(variables) if self._plain else None
        if text is not None:
            return _finished(text, self._template, self.kind)
        return _rendered(self._template, self.kind, variables)

    @property
    def filling(self) -> PlainTemplate | None:
        """The parts that `render` joins and does not look at again; None where it does more."""
        if self.kind is TemplateKind.SUBJECT or _writes_addresses(self._template):
            return None
        return self._plain


def compile_template(source: str, kind: TemplateKind) -> CompiledTemplate:
    """Parse `source`. Raises TemplateError, with the line, for what is not understood.

    What was compiled lately is not compiled again.
    """
    if len(source) > MAX_SOURCE:
        raise TemplateError(f"The template is longer than {MAX_SOURCE:,} characters.")
    found = _cache.get((source, kind))
    if found is not None:
        return found
    try:
        check_source(source)  # before anything else scans it
        if code_size(source) > MAX_CODE:
            raise TemplateError(
                f"The template has more than {MAX_CODE:,} characters of code, "
                "in placeholders and tags. Use fewer of them."
            )
        for fault in block_faults(find_code(source)):
            raise fault.error(source)
        compiled = _compiled(source, kind)
    except LiquidError as error:
        raise _explained("The template cannot be understood", error) from error
    except RecursionError as error:
        raise TemplateError(
            "The template cannot be understood: it is nested too deeply."
        ) from error
    _cache.keep((source, kind), compiled, compiled.weight)
    return compiled


_cache: WeighedCache[tuple[str, TemplateKind], CompiledTemplate] = WeighedCache(CACHED_BYTES)


def _compiled(source: str, kind: TemplateKind) -> CompiledTemplate:
    template = _parsed(source, kind)
    usage = template.analyze(include_partials=False)
    names = {
        str(variable): _line_at(source, variable.span.index)
        for uses in usage.globals.values()
        for variable in uses[::-1]  # so that the first use has the last word
    }
    is_constant = not names and "date" not in usage.filters
    outside = {name: line for name, line in names.items() if name not in _CLOCK_NAMES}
    constant = _rendered(template, kind, {}) if is_constant else ""
    code = code_size(source)
    return CompiledTemplate(
        kind,
        MappingProxyType(outside),
        is_constant,
        code,
        _BYTES_FOR_CODE * code + _BYTES_FOR_TEXT * (len(source) + len(constant)),
        None if is_constant else template,
        constant,
        None if is_constant else plain_template(template, _MAX_OUTPUT[kind]),
    )


def _parsed(source: str, kind: TemplateKind) -> BoundTemplate:
    template = _ENVIRONMENTS[kind].from_string(source)
    check_syntax_tree(template)
    if isinstance(template, SandboxTemplate):
        template.code_size = max(code_size(source), 1)
        template.writes_addresses = kind is TemplateKind.HTML and has_written_addresses(source)
    return template


def _rendered(template: BoundTemplate, kind: TemplateKind, variables: Mapping[str, object]) -> str:
    moment = clock.now()
    try:
        text = template.render(ChainMap({"now": moment, "today": moment}, dict(variables)))
    except LiquidError as error:
        raise _explained("The template cannot be filled in", error) from error
    except Exception as error:  # a filter may raise anything on hostile values
        raise TemplateError("The template cannot be filled in with these values.") from error
    return _finished(text, template, kind)


def _finished(text: str, template: BoundTemplate, kind: TemplateKind) -> str:
    """What was filled in, made harmless for where it will stand."""
    if _writes_addresses(template):
        text = defuse_links(text)
    return _in_one_line(text) if kind is TemplateKind.SUBJECT else text


def _writes_addresses(template: BoundTemplate | None) -> bool:
    return isinstance(template, SandboxTemplate) and template.writes_addresses


LONGEST_SUBJECT = 900
"""Characters. Beyond that a value got into it that is none for a subject: it is cut, not refused,
since the message is wanted all the same."""

_BREAKS = re.compile("[\x00-\x20\x7f-\x9f\u2028\u2029]+")


def _in_one_line(text: str) -> str:
    """A subject: line breaks, control characters and runs of blanks become one space."""
    line = _BREAKS.sub(" ", text).strip(" ")
    return line if len(line) <= LONGEST_SUBJECT else f"{line[: LONGEST_SUBJECT - 1]}…"


def _explained(what: str, error: LiquidError) -> TemplateError:
    if isinstance(error.__cause__, RecursionError):  # python-liquid wraps what its parser raises
        return TemplateError(f"{what}: it is nested too deeply.")
    token = error.token
    line = _line_at(token.source, token.start_index) if token and token.start_index >= 0 else None
    where = f" (line {line})" if line else ""
    return TemplateError(f"{what}{where}: {str(error.message)[:200]}.", line)


def _line_at(source: str, index: int) -> int:
    return source.count("\n", 0, index) + 1


_MAX_OUTPUT = {
    TemplateKind.SUBJECT: 500_000,
    TemplateKind.TEXT: 500_000,
    TemplateKind.HTML: 1_000_000,
}
_ENVIRONMENTS = {
    kind: SandboxEnvironment(max_output=most, autoescape=kind is TemplateKind.HTML)
    for kind, most in _MAX_OUTPUT.items()
}
