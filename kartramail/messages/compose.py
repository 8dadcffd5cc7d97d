"""Which words: from a content or a template of the platform's to a message ready to be filled in.

Compiled once for a source, kept while it is in use, filled in once for each recipient.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from kartramail.adapters.templating import TemplateKind, compile_template
from kartramail.config import ROOT
from kartramail.errors import TemplateError
from kartramail.outbox.contents import Words
from kartramail.rules.mime import CompiledMessage, MessageSource, compile_message

T = TypeVar("T")

_KEPT = 512


@dataclass(frozen=True, slots=True)
class _Page:
    """A file of templates/mail/ as a body that is filled in."""

    template: Template
    is_constant = False

    def render(self, variables: Mapping[str, object], /) -> str:
        return self.template.render(variables)


@dataclass(frozen=True, slots=True)
class _SubjectLine(_Page):
    def render(self, variables: Mapping[str, object], /) -> str:
        return " ".join(self.template.render(variables).split())


class Composer:
    """Compiles and remembers. One a process; not shared by threads."""

    def __init__(self) -> None:
        self._contents: OrderedDict[int, CompiledMessage] = OrderedDict()
        self._platform: OrderedDict[str, CompiledMessage] = OrderedDict()
        self._environment = Environment(
            loader=FileSystemLoader(ROOT / "templates"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def missing(self, content_ids: set[int]) -> set[int]:
        """Which of these contents must still be loaded."""
        return content_ids - self._contents.keys()

    def content(self, content_id: int, words: Words | None) -> CompiledMessage:
        """A content; `words` are needed where it is `missing`. Raises TemplateError."""
        if content_id not in self._contents and words is None:
            raise TemplateError("The words of this message are gone.")
        return _keep(self._contents, content_id, lambda: _compile(words or ("", None, None)))

    def platform_mail(self, name: str) -> CompiledMessage:
        """The platform's own mail of that name, from templates/mail/<name>/."""
        return _keep(self._platform, name, lambda: self._compile_platform(name))

    def _compile_platform(self, name: str) -> CompiledMessage:
        subject, text, html = (
            self._environment.get_template(f"mail/{name}/{file}")
            for file in ("subject.txt", "body.txt", "body.html")
        )
        return compile_message(MessageSource(_SubjectLine(subject), _Page(text), _Page(html)))


def _compile(words: Words) -> CompiledMessage:
    subject, text, html = words
    return compile_message(
        MessageSource(
            subject=compile_template(subject, TemplateKind.SUBJECT),
            text=None if text is None else compile_template(text, TemplateKind.TEXT),
            html=None if html is None else compile_template(html, TemplateKind.HTML),
        )
    )


def _keep(cache: OrderedDict[Any, T], key: Any, make: Callable[[], T]) -> T:
    if key in cache:
        cache.move_to_end(key)
        return cache[key]
    cache[key] = made = make()
    while len(cache) > _KEPT:
        cache.popitem(last=False)
    return made
