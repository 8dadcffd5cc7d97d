"""Words of a notification while they are edited: judged, and told apart from the inherited ones.

Pure but for reading what is inherited.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlmodel import Session

from kartramail.adapters.templating import TemplateKind, compile_template
from kartramail.assets.effective import NOTHING, EffectiveSetting, merge
from kartramail.assets.notification_types import NotificationType
from kartramail.assets.settings import judge_changes, load_setting
from kartramail.errors import TemplateError
from kartramail.messages.words import TemplateFault

WORDS = ("subject", "html", "text")

NO_WORDS = "A mail needs words. Write the message, the text version, or both."

_STYLES = re.compile(r"\s*<style>[^<]*</style>\s*")
_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Draft:
    """Subject, HTML and text as somebody types them; empty where there is none."""

    subject: str
    html: str
    text: str

    @classmethod
    def of(cls, setting: EffectiveSetting) -> "Draft":
        """What holds, as it is shown for editing: words first, styles last."""
        return cls(setting.subject, styles_last(setting.html or ""), setting.text or "")

    @classmethod
    def typed(cls, fields: Mapping[str, str]) -> "Draft":
        """What a browser sent, with plain line ends."""
        return cls(*(_plain(fields.get(name, "")) for name in WORDS))

    @property
    def words(self) -> dict[str, str]:
        """By field."""
        return {name: getattr(self, name) for name in WORDS}


@dataclass(frozen=True, slots=True)
class EditorFault:
    """A fault, and the name that was written where the suggestion would stand."""

    fault: TemplateFault
    misspelt: str | None


def load_above(
    session: Session, account_id: int, asset_id: int | None, one: NotificationType
) -> EffectiveSetting:
    """What would hold at this place if nothing were set there."""
    if asset_id is None:
        return merge(one, NOTHING, None)
    everywhere = load_setting(session, account_id, None, one)
    return replace(everywhere, sender_id=None, version=0)


def changes_of(draft: Draft, above: EffectiveSetting) -> dict[str, str | None]:
    """What to save: None for what is just as inherited, so that it goes on following that.

    The text follows the HTML: one that was left as it is inherited is made from an HTML of one's
    own, since it would say something else.
    """
    html = None if _same(draft.html, styles_last(above.html or "")) else draft.html
    text: str | None = draft.text
    if _same(draft.text, above.text or "") or (not draft.text.strip() and html):
        text = None
    subject = None if _same(draft.subject, above.subject) else draft.subject
    return {"subject": subject, "html": html, "text": text}


def judge_draft(one: NotificationType, draft: Draft) -> dict[str, list[EditorFault]]:
    """All faults by field, in the order of lines; empty where it can be sent."""
    found: dict[str, list[EditorFault]] = {}
    for fault in judge_changes(one, draft.words):
        named = EditorFault(fault, _misspelt(draft, fault))
        found.setdefault(fault.field, []).append(named)
    if not (draft.html.strip() or draft.text.strip()):
        fault = TemplateFault("html", None, "missing", NO_WORDS)
        found.setdefault("html", []).append(EditorFault(fault, None))
    return found


def styles_last(html: str) -> str:
    """The same mail with the styles that it begins with at its end: nobody came to edit those."""
    styles = _STYLES.match(html)
    return f"{html[styles.end() :].rstrip()}\n{styles[0].strip()}\n" if styles else html


def rename_variable(source: str, wrong: str, right: str) -> str:
    """The source with one variable's name in the place of another, wherever code uses it."""
    name = re.compile(rf"(?<![\w.]){re.escape(wrong)}(?![\w-])")
    return _CODE.sub(lambda code: name.sub(lambda _: right, code[0]), source)


def _misspelt(draft: Draft, fault: TemplateFault) -> str | None:
    """The unknown name that a fault with a suggestion is about, as it stands in the source."""
    if fault.suggestion is None:
        return None
    source = draft.words[fault.field]
    try:
        compiled = compile_template(source, TemplateKind(fault.field))
    except TemplateError:
        return None
    names = [name for name in compiled.variables if f"“{name}”" in fault.message]
    renamed = bool(names) and rename_variable(source, names[0], fault.suggestion) != source
    return names[0] if renamed else None


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _same(one: str, other: str) -> bool:
    """Whether they say the same; browsers lose the line end that a text begins with."""
    return one.strip() == other.strip()
