"""Which words: from a content or a template of the platform's to a message ready to be filled in.

Compiled once for a source, kept while it is in use, filled in once for each recipient.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from kartramail.adapters.templating import CompiledTemplate, TemplateKind, compile_template
from kartramail.adapters.weighed_cache import WeighedCache
from kartramail.config import ROOT
from kartramail.errors import TemplateError
from kartramail.outbox.contents import Words
from kartramail.rules.mime import CompiledMessage, MessageSource, compile_message

KEPT_BYTES = 64_000_000
"""What compiled contents may take in a process, about."""


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
    """Compiles and remembers. For one thread; what is `missing` others may ask, too."""

    def __init__(self) -> None:
        self._contents: WeighedCache[int, CompiledMessage] = WeighedCache(KEPT_BYTES)
        self._platform: dict[str, CompiledMessage] = {}  # as many as there are folders
        self._environment = Environment(
            loader=FileSystemLoader(ROOT / "templates"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def missing(self, content_ids: set[int]) -> set[int]:
        """Which of these contents must be loaded before all of them are composed.

        Where one is not there, all are asked for: compiling it may push out any other.
        """
        return set() if all(number in self._contents for number in content_ids) else content_ids

    def content(self, content_id: int, words: Words | None) -> CompiledMessage:
        """A content; `words` are needed where it is `missing`. Raises TemplateError."""
        kept = self._contents.get(content_id)
        if kept is not None:
            return kept
        if words is None:
            raise TemplateError("The words of this message are gone.")
        compiled, weight = _compile(words)
        self._contents.keep(content_id, compiled, weight)
        return compiled

    def platform_mail(self, name: str) -> CompiledMessage:
        """The platform's own mail of that name, from templates/mail/<name>/."""
        if name not in self._platform:
            self._platform[name] = self._compile_platform(name)
        return self._platform[name]

    def _compile_platform(self, name: str) -> CompiledMessage:
        subject, text, html = (
            self._environment.get_template(f"mail/{name}/{file}")
            for file in ("subject.txt", "body.txt", "body.html")
        )
        return compile_message(MessageSource(_SubjectLine(subject), _Page(text), _Page(html)))


def _compile(words: Words) -> tuple[CompiledMessage, int]:
    """The content, and about how many bytes it takes."""
    subject, text, html = (_template(*pair) for pair in zip(words, TemplateKind, strict=True))
    parts = [part for part in (subject, text, html) if part is not None]
    source = MessageSource(subject or compile_template("", TemplateKind.SUBJECT), text, html)
    return compile_message(source), sum(part.weight for part in parts)


def _template(source: str | None, kind: TemplateKind) -> CompiledTemplate | None:
    return None if source is None else compile_template(source, kind)
