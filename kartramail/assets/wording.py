"""Words that somebody wrote for a notification: judged, made clean, finished (R-VARS). Pure.

What is judged here is prepared here, and kept for a while: the transaction that saves it a moment
later does none of this work.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kartramail.adapters.mail_html import sanitise_html
from kartramail.adapters.weighed_cache import WeighedCache
from kartramail.assets.kinds import example_variables, known_names
from kartramail.assets.notification_types import NotificationType
from kartramail.errors import TemplateError
from kartramail.messages.words import TemplateFault, finish_words, judge_words

WORDS = ("subject", "html", "text")
MAX_SUBJECT = 1_000
"""Characters of a subject's template."""

_KEPT_CHARACTERS = 3_000_000
_NO_CHARACTER = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class PreparedHtml:
    """HTML as it is kept, as it is sent, and the text that is made from it."""

    source: str
    finished: str
    text: str


def judge_changes(one: NotificationType, changes: Mapping[str, Any]) -> list[TemplateFault]:
    """All that is wrong with the words among `changes`, each fault with its line."""
    words = clean_words(changes)
    faults = list(_faults(words))
    if not faults:
        faults = judge_words(
            words.get("subject") or "",
            words.get("html") or None,
            words.get("text") or None,
            known_names(one),
            example_variables(one, business_name="Doe Inc.", asset_name="Getting started"),
        )
    if not faults and words.get("html"):
        try:
            prepare_html(str(words["html"]))
        except TemplateError as error:
            faults = [TemplateFault("html", error.line, "template", str(error), None)]
    return faults


def clean_words(changes: Mapping[str, Any]) -> dict[str, str | None]:
    """The words among `changes` with plain line ends; a text or HTML of blanks is an empty one."""
    cleaned: dict[str, str | None] = {}
    for name in WORDS:
        if name in changes:
            value = changes[name]
            cleaned[name] = None if value is None else _plain(str(value))
    return cleaned


def _plain(value: str) -> str:
    lines = value.replace("\r\n", "\n").replace("\r", "\n")
    return lines if lines.strip() else ""


def _faults(words: Mapping[str, str | None]) -> Iterator[TemplateFault]:
    for name, value in words.items():
        if value is not None and _NO_CHARACTER.search(value):
            line = value.count("\n", 0, _NO_CHARACTER.search(value).start()) + 1  # type: ignore[union-attr]
            yield TemplateFault(
                name,
                line,
                "control",
                f"There is a character in line {line} that no mail can hold. Type that line by "
                "hand instead of pasting it.",
                None,
            )
    subject = words.get("subject")
    if subject is not None and not subject.strip():
        yield TemplateFault(
            "subject",
            None,
            "missing",
            "A mail without a subject looks like spam. Type one, or return to the inherited one.",
            None,
        )
    elif subject is not None and len(subject) > MAX_SUBJECT:
        yield TemplateFault(
            "subject",
            None,
            "too_long",
            f"The subject has {len(subject):,} characters, and inboxes show about 60. Shorten it "
            f"to {MAX_SUBJECT:,} at most.",
            None,
        )


def prepare_html(html: str) -> PreparedHtml:
    """Sanitised, finished, and its text made. Raises TemplateError for what cannot be."""
    if not html:
        return PreparedHtml("", "", "")
    found = _prepared.get(html)
    if found is None:
        source = sanitise_html(html)
        _, text, finished = finish_words(("", None, source))
        found = PreparedHtml(source, finished or "", text or "")
        _prepared.keep(html, found, len(html) + len(source) + len(found.finished) + len(found.text))
    return found


_prepared: WeighedCache[str, PreparedHtml] = WeighedCache(_KEPT_CHARACTERS)
