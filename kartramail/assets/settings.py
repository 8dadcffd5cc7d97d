"""Settings of notifications, everywhere and for one form, calendar or product (R-GLOBAL, R-ASSET).

`asset_id` None stands for everywhere. What holds is worked out in `effective.py`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from kartramail.assets.effective import NOTHING, EffectiveSetting, Origin, merge, words_of
from kartramail.assets.models import EVERYWHERE
from kartramail.assets.notification_types import NotificationType
from kartramail.assets.setting_history import record_setting
from kartramail.assets.setting_rows import (
    Layers,
    load_layers,
    load_words,
    lock_setting,
    write_setting,
)
from kartramail.assets.wording import WORDS, clean_words, judge_changes, prepare_html
from kartramail.errors import InvalidInput, NotFound
from kartramail.outbox.contents import Words
from kartramail.senders.choices import choose_sender
from kartramail.senders.models import ChoiceScope
from kartramail.senders.removal import hold_sender

__all__ = [
    "Conflict",
    "EffectiveSetting",
    "Origin",
    "change_setting",
    "judge_changes",
    "load_setting",
    "load_settings",
    "refuse_fixed",
    "words_to_send",
]


_NO_WORDS = "A mail needs words. Write the HTML, the text, or both."


@dataclass(frozen=True, slots=True)
class Conflict:
    """Nothing was changed: somebody else did meanwhile. `setting` is what holds now (R-SAVE)."""

    setting: EffectiveSetting


def load_setting(
    session: Session, account_id: int, asset_id: int | None, one: NotificationType
) -> EffectiveSetting:
    """What holds for one notification at this place."""
    return load_settings(session, account_id, asset_id, [one])[0]


def load_settings(
    session: Session, account_id: int, asset_id: int | None, types: Iterable[NotificationType]
) -> list[EffectiveSetting]:
    """What holds for these, in their order. Two queries, however many there are."""
    wanted = list(types)
    layers = load_layers(session, account_id, asset_id, [one.name for one in wanted])
    return [_merged(layers, asset_id, one) for one in wanted]


def words_to_send(
    session: Session, account_id: int, asset_id: int | None, one: NotificationType
) -> Words | None:
    """The finished words of a notification; None where it is switched off. One query."""
    layers = load_words(session, account_id, asset_id, [one.name])
    everywhere = layers.get((EVERYWHERE, one.name), NOTHING)
    own = NOTHING if asset_id is None else layers.get((asset_id, one.name), NOTHING)
    return words_of(one, own, everywhere)


def change_setting(
    session: Session,
    account_id: int,
    asset_id: int | None,
    one: NotificationType,
    changes: Mapping[str, Any],
    *,
    user_id: int | None,
    version: int | None = None,
) -> EffectiveSetting | Conflict:
    """Change what `changes` names of enabled, subject, html, text and sender_id, with history.

    None returns to what is inherited. Words were judged by `judge_changes` before; HTML is made
    clean here. Nothing is changed if somebody else did since `version` was read (None: no check).
    Raises InvalidInput for what is fixed, for a sender that is not the account's (`not_found`), and
    for a notification that would say nothing (`missing`).
    """
    refuse_fixed(asset_id, one, changes)
    scope_id = asset_id or EVERYWHERE
    values = _columns(changes)
    lock_setting(session, account_id, scope_id, one.name)
    layers = load_layers(session, account_id, asset_id, [one.name])
    before, own = _merged(layers, asset_id, one), layers[scope_id, one.name]
    chosen = changes.get("sender_id", own.sender_id)
    if chosen == own.sender_id and all(getattr(own, name) == values[name] for name in values):
        return before  # also at the second of two presses, whatever its version
    if version is not None and version != before.version:
        return Conflict(before)
    write_setting(session, account_id, scope_id, one.name, values)
    if chosen != own.sender_id:
        _choose(session, account_id, scope_id, one.name, chosen)
    after = load_setting(session, account_id, asset_id, one)
    if not (after.html or after.text):
        raise InvalidInput({"text": _NO_WORDS}, "missing")
    record_setting(session, account_id, asset_id, before, after, user_id=user_id)
    return after


def refuse_fixed(asset_id: int | None, one: NotificationType, changes: Mapping[str, Any]) -> None:
    """Raise InvalidInput, with the reason, for a sender or words that cannot be chosen there."""
    if changes.get("sender_id") is not None and not one.may_override_sender:
        raise InvalidInput({"sender_id": one.why_fixed}, "sender_fixed")
    if asset_id is not None and not one.may_override_text:
        fixed = [name for name in WORDS if changes.get(name) is not None]
        if fixed:
            raise InvalidInput(dict.fromkeys(fixed, one.why_text_fixed), "text_fixed")


def _merged(layers: Layers, asset_id: int | None, one: NotificationType) -> EffectiveSetting:
    everywhere = layers.get((EVERYWHERE, one.name), NOTHING)
    if asset_id is None:
        return merge(one, everywhere, None)
    return merge(one, layers.get((asset_id, one.name), NOTHING), everywhere)


def _columns(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that say what `changes` say."""
    values: dict[str, Any] = dict(clean_words(changes))
    if "enabled" in changes:
        values["enabled"] = changes["enabled"]
    if "html" in values:
        html = values["html"]
        prepared = None if html is None else prepare_html(html)
        values["html"] = prepared.source if prepared else None
        values["finished_html"] = prepared.finished if prepared else None
        values["html_text"] = prepared.text if prepared else None
    return values


def _choose(
    session: Session, account_id: int, scope_id: int, type_name: str, sender_id: int | None
) -> None:
    if sender_id is not None:
        try:
            hold_sender(session, account_id, sender_id)
        except NotFound as error:
            raise InvalidInput({"sender_id": str(error)}, "not_found") from None
    scope = ChoiceScope.NOTIFICATION if scope_id == EVERYWHERE else ChoiceScope.ASSET
    choose_sender(session, account_id, scope, scope_id, type_name, sender_id)
