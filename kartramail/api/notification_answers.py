"""Notifications as the API tells of them, and what is wrong with a change of one."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from kartramail.api.access import refuse
from kartramail.assets.kinds import variables_of
from kartramail.assets.notification_types import NotificationType
from kartramail.assets.settings import EffectiveSetting, load_settings
from kartramail.errors import InvalidInput
from kartramail.ids import show_id
from kartramail.messages.candidates import Wanted, resolve_all
from kartramail.messages.resolution import Resolution
from kartramail.messages.words import TemplateFault
from kartramail.web.access import installation


def describe_all(
    session: Session, account_id: int, asset_id: int | None, types: Sequence[NotificationType]
) -> list[dict[str, Any]]:
    """These notifications as they hold there. As many queries as there are senders, not types."""
    settings = load_settings(session, account_id, asset_id, types)
    return describe_settings(session, account_id, asset_id, settings)


def describe_settings(
    session: Session, account_id: int, asset_id: int | None, settings: Sequence[EffectiveSetting]
) -> list[dict[str, Any]]:
    """Settings of this place, each with who it would come from now."""
    wanted = [Wanted(account_id, asset_id=asset_id, type=one.type.name) for one in settings]
    senders = resolve_all(session, set(wanted), installation().settings.platform_domain)
    return [_show(*pair) for pair in zip(settings, map(senders.get, wanted), strict=True)]


def _show(setting: EffectiveSetting, sender: Resolution | None) -> dict[str, Any]:
    one = setting.type
    return {
        "type": one.name,
        "title": one.title,
        "recipient": one.recipient.value,
        "category": one.category,
        "variables": [
            {"name": known.name, "meaning": known.meaning, "example": known.example}
            for known in variables_of(one)
        ],
        "may_override_sender": one.may_override_sender,
        "why_fixed": one.why_fixed or None,
        "may_override_text": one.may_override_text,
        "why_text_fixed": one.why_text_fixed or None,
        "enabled": setting.enabled,
        "subject": setting.subject,
        "html": setting.html,
        "text": setting.text,
        "sender_id": None if setting.sender_id is None else show_id(setting.sender_id),
        "inherited": sorted("sender_id" if n == "sender" else n for n in setting.inherited),
        "effective_sender": sender.as_json() if sender else None,
    }


def refuse_words(title: str, faults: Sequence[TemplateFault]) -> Exception:
    """The problem that tells what is wrong with templates, with lines and suggestions."""
    errors = [
        {
            "pointer": f"/{fault.field}",
            "code": fault.code,
            "detail": fault.message,
            "line": fault.line,
            "suggestion": fault.suggestion,
        }
        for fault in faults
    ]
    return refuse(422, title, faults[0].message, code=faults[0].code, errors=errors)


def refuse_input(title: str, error: InvalidInput) -> Exception:
    """The problem that tells what does not fit, each with its place."""
    errors = [
        {"pointer": f"/{field}", "code": error.code, "detail": message}
        for field, message in error.faults.items()
    ]
    return refuse(422, title, errors[0]["detail"], code=error.code, errors=errors)
