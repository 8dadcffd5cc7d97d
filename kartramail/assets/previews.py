"""A notification as it will look, filled in with example variables (R-GLOBAL). Pure."""

import html as html_codes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kartramail.adapters.templating import TemplateKind, compile_template
from kartramail.assets.drafts import Draft
from kartramail.assets.kinds import KINDS, example_variables
from kartramail.assets.notification_types import NotificationType
from kartramail.errors import TemplateError
from kartramail.messages.words import finish_words
from kartramail.outbox.contents import Words

_GLANCE = 140
"""Characters of a mail that an inbox shows at most beside its subject."""

_UNSEEN = re.compile(r"<(style|title|head)\b.*?</\1>|<!--.*?-->|<!doctype[^>]*>", re.S | re.I)
_TAG = re.compile(r"<[^<>]*>")
_BLANK = re.compile("[\\s\u00ad\u034f\u200b-\u200f\u2060\ufeff]+")


@dataclass(frozen=True, slots=True)
class Preview:
    """Subject, HTML and text filled in; `glance` is what an inbox shows beside the subject."""

    subject: str
    html: str | None
    text: str | None
    glance: str


def finished_words(draft: Draft) -> Words:
    """The draft as it would be sent. Raises TemplateError."""
    text = draft.text if draft.text.strip() else None
    return finish_words((draft.subject, text, draft.html if draft.html.strip() else None))


def examples_for(
    one: NotificationType, *, business_name: str, asset_name: str | None = None
) -> dict[str, Any]:
    """Example variables; without a name of an asset, that of one that sends such mail."""
    return example_variables(
        one, business_name=business_name, asset_name=asset_name or _example_name(one)
    )


def render_preview(draft: Draft, examples: Mapping[str, Any]) -> Preview:
    """The draft filled in. Raises TemplateError for what could not be sent."""
    subject, text, html = finished_words(draft)
    shown_html = _rendered(html, TemplateKind.HTML, examples)
    shown_text = _rendered(text, TemplateKind.TEXT, examples)
    return Preview(
        subject=_rendered(subject, TemplateKind.SUBJECT, examples) or "",
        html=shown_html,
        text=shown_text,
        glance=_glance_at_html(shown_html) if shown_html else _shortened(shown_text or ""),
    )


def render_subject(source: str, examples: Mapping[str, Any]) -> str:
    """The subject alone; as it is written while it cannot be understood."""
    try:
        return _rendered(source, TemplateKind.SUBJECT, examples) or ""
    except TemplateError:
        return " ".join(source.split())[:_GLANCE]


def _rendered(source: str | None, kind: TemplateKind, examples: Mapping[str, Any]) -> str | None:
    return None if source is None else compile_template(source, kind).render(examples)


def _glance_at_html(html: str) -> str:
    """The first words, those that only inboxes show among them."""
    return _shortened(html_codes.unescape(_TAG.sub(" ", _UNSEEN.sub(" ", html))))


def _shortened(text: str) -> str:
    return _BLANK.sub(" ", text[: _GLANCE * 20]).strip()[:_GLANCE]


def _example_name(one: NotificationType) -> str:
    sending = (kind for kind in KINDS.values() if one in kind.types)
    return next(sending, next(iter(KINDS.values()))).example_name
