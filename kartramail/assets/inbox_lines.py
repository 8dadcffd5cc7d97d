"""How a notification stands in an inbox: its subject, and its first words, with example values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session

from kartramail.adapters.templating import TemplateKind, compile_template
from kartramail.assets.effective import NOTHING, words_of
from kartramail.assets.kinds import example_variables
from kartramail.assets.models import EVERYWHERE, Asset
from kartramail.assets.notification_types import NotificationType
from kartramail.assets.setting_rows import load_words
from kartramail.errors import TemplateError

_SHOWN = 160
"""Characters of the first words; no inbox shows more."""


@dataclass(frozen=True, slots=True)
class InboxLine:
    """What stands beside the sender's name."""

    subject: str
    preview: str


def inbox_lines(
    session: Session,
    account_id: int,
    asset: Asset,
    types: Sequence[NotificationType],
    *,
    business_name: str,
) -> Mapping[str, InboxLine]:
    """By the type's name, also for those that are switched off. One query."""
    layers = load_words(session, account_id, asset.id, [one.name for one in types])
    lines = {}
    for one in types:
        own = replace(layers.get((asset.id, one.name), NOTHING), enabled=True)
        words = words_of(one, own, layers.get((EVERYWHERE, one.name), NOTHING))
        subject, text, _ = words or ("", None, None)
        values = example_variables(one, business_name=business_name, asset_name=asset.name)
        first = _rendered(text or "", TemplateKind.TEXT, values)
        lines[one.name] = InboxLine(
            _rendered(subject, TemplateKind.SUBJECT, values), " ".join(first.split())[:_SHOWN]
        )
    return lines


def _rendered(source: str, kind: TemplateKind, values: Mapping[str, Any]) -> str:
    """With the examples filled in; as it is written where the template fails on them."""
    try:
        return compile_template(source, kind).render(values)
    except TemplateError:
        return source
