"""Words that people write: judged while they are edited, finished for their way out (R-VARS)."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from kartramail.adapters.mail_html import mail_of_html
from kartramail.adapters.template_code import block_faults, find_code
from kartramail.adapters.template_limits import MAX_SOURCE
from kartramail.adapters.templating import CompiledTemplate, TemplateKind, compile_template
from kartramail.adapters.weighed_cache import WeighedCache
from kartramail.errors import TemplateError
from kartramail.outbox.contents import Words

KEPT_BYTES = 16_000_000
"""What finished words may take in a process, about: the same ones come with every event."""

_BYTES_FOR_CHARACTER = 2

_OF_A_LIST = re.compile(r"\.(?:size|first|last)$")


@dataclass(frozen=True, slots=True)
class TemplateFault:
    """What is wrong with a template that is being edited.

    `field` is subject, html or text; `line` counts from 1, None where no line is to blame. `code`
    is `template` (it is not understood, or too much work) or `unknown_variable`. `message` is one
    sentence for people; `suggestion` is the name that was probably meant.
    """

    field: str
    line: int | None
    code: str
    message: str
    suggestion: str | None = None


def finish_words(words: Words) -> Words:
    """Words as they go out: HTML sanitised, its CSS inlined, a text made where there is none.

    Words without HTML stay as they are. All are templates still. Raises TemplateError, whose line
    is one of the HTML that was handed in.
    """
    subject, text, html = words
    if html is None:
        return words
    made = _cache.get((text, html))
    if made is None:
        made = _finished(text, html)
        size = len(html) + sum(len(part or "") for part in (text, *made))
        _cache.keep((text, html), made, size * _BYTES_FOR_CHARACTER)
    return subject, *made


_cache: WeighedCache[tuple[str | None, str], tuple[str | None, str | None]] = WeighedCache(
    KEPT_BYTES
)


def _finished(text: str | None, html: str) -> tuple[str | None, str | None]:
    """Text and HTML."""
    page, text_of_page = mail_of_html(html, needs_text=text is None)
    made = text_of_page or None if text is None else text
    for part, kind in ((page, TemplateKind.HTML), (made, TemplateKind.TEXT)):
        try:
            compile_template(part or "", kind)
        except TemplateError as error:
            compile_template(html, TemplateKind.HTML)  # tells the line that was written
            raise TemplateError(_of_what_was_made(str(error), kind)) from error
    return made, page


def _of_what_was_made(message: str, kind: TemplateKind) -> str:
    """No line: nobody has seen it."""
    what = "HTML with its styles written into it" if kind is TemplateKind.HTML else "text"
    return f"The {what} cannot be used. {re.sub(r' [(]line [0-9]+[)]', '', message)}"


def judge_words(
    subject: str,
    html: str | None,
    text: str | None,
    known: Collection[str],
    examples: Mapping[str, object] | None = None,
) -> list[TemplateFault]:
    """All faults of what is being edited, by field and line; none means that it can be sent.

    `known` are the variables that there are, such as `contact.first_name`; `event.*` stands for
    any name below `event`. With `examples`, such as `{"contact": {"first_name": "Ada"}}`, it is
    filled in once, so that too much work is told now and not at delivery.
    """
    sources = {TemplateKind.SUBJECT: subject, TemplateKind.HTML: html, TemplateKind.TEXT: text}
    faults = [
        fault
        for kind, source in sources.items()
        if source is not None
        for fault in _judge_source(source, kind, known, examples)
    ]
    if html is not None and not any(fault.code == "template" for fault in faults):
        faults += _judge_finished((subject, text, html), examples)
    return faults


def _judge_source(
    source: str, kind: TemplateKind, known: Collection[str], examples: Mapping[str, object] | None
) -> Iterator[TemplateFault]:
    broken = list(_block_faults(source, kind))
    try:
        compiled = compile_template(source, kind)
        if examples is not None:
            compiled.render(examples)
    except TemplateError as error:
        yield from broken or [_fault(kind, error)]
        return
    yield from _unknown_variables(compiled, known)


def _block_faults(source: str, kind: TemplateKind) -> Iterator[TemplateFault]:
    """Every tag that is not closed; the parser stops at the first."""
    if len(source) > MAX_SOURCE:
        return
    try:
        faults = block_faults(find_code(source))
    except TemplateError:
        return
    for fault in faults[:20]:
        yield _fault(kind, fault.error(source))


def _judge_finished(words: Words, examples: Mapping[str, object] | None) -> Iterator[TemplateFault]:
    try:
        _, _, html = finish_words(words)
        if examples is not None:
            written, made = (
                compile_template(source or "", TemplateKind.HTML) for source in (words[2], html)
            )
            if made.code_size > written.code_size:  # code in CSS was copied into elements
                made.render(examples)
    except TemplateError as error:
        yield _fault(TemplateKind.HTML, error)


def _fault(kind: TemplateKind, error: TemplateError) -> TemplateFault:
    return TemplateFault(kind.value, error.line, "template", str(error))


def _unknown_variables(
    compiled: CompiledTemplate, known: Collection[str]
) -> Iterator[TemplateFault]:
    names = {name.removesuffix(".*") for name in known}
    anything_below = tuple(name[:-1] for name in known if name.endswith(".*"))
    for name, line in sorted(compiled.variables.items(), key=lambda item: item[1]):
        if _is_known(name, names, anything_below):
            continue
        close = get_close_matches(name.lower(), [n for n in names if n + "." not in anything_below])
        suggestion = close[0] if close else None
        hint = f" Did you mean {suggestion}?" if suggestion else ""
        message = f"There is no variable “{name[:200]}” (line {line}).{hint}"
        yield TemplateFault(compiled.kind.value, line, "unknown_variable", message, suggestion)


def _is_known(name: str, names: Collection[str], anything_below: tuple[str, ...]) -> bool:
    """Whether there is such a variable, or one that it is a part or the whole of."""
    path = _OF_A_LIST.sub("", name)
    if {name, path} & set(names) or name.startswith(anything_below):
        return True
    before, bracket, _ = name.partition("[")  # an item of a list, a name that a variable gives
    whole = (before if bracket else name) + "."
    return (bool(bracket) and before in names) or any(other.startswith(whole) for other in names)
