"""What the account's history says of a change of a notification (R-SAVE)."""

from sqlmodel import Session

from kartramail.accounts.history import record_change
from kartramail.assets.effective import FIELDS, EffectiveSetting
from kartramail.assets.service import asset_names
from kartramail.errors import NotFound
from kartramail.senders.rows import load_sender

_INHERITED = "as inherited"


def record_setting(
    session: Session,
    account_id: int,
    asset_id: int | None,
    before: EffectiveSetting,
    after: EffectiveSetting,
    *,
    user_id: int | None,
) -> None:
    """One line with what differs. The words themselves would be too long for it."""
    was, now_is = _said(session, account_id, before), _said(session, account_id, after)
    differing = [name for name in was if was[name] != now_is[name]]
    named = {
        "notification": after.type.title,
        "type": after.type.name,
        "place": _place(session, account_id, asset_id),
    }
    record_change(
        session,
        account_id,
        "notification.changed",
        user_id=user_id,
        before={name: was[name] for name in differing},
        after=named | {name: now_is[name] for name in differing},
    )


def _said(session: Session, account_id: int, setting: EffectiveSetting) -> dict[str, str]:
    """What is set at its place, in words; the subject as it is written."""
    said = dict.fromkeys(FIELDS, _INHERITED)
    if "enabled" not in setting.inherited:
        said["enabled"] = "on" if setting.enabled else "off"
    if "subject" not in setting.inherited:
        said["subject"] = setting.subject
    for name, words in (("html", setting.html), ("text", setting.text)):
        if name not in setting.inherited:
            said[name] = f"its own, {len(words or ''):,} characters"
    if setting.sender_id is not None:
        said["sender"] = _sender(session, account_id, setting.sender_id)
    return said


def _sender(session: Session, account_id: int, sender_id: int) -> str:
    try:
        sender = load_sender(session, account_id, sender_id)
    except NotFound:
        return "a sender that is gone"
    return f"{sender.name} <{sender.send_from}>"


def _place(session: Session, account_id: int, asset_id: int | None) -> str:
    if asset_id is None:
        return "everywhere"
    found = asset_names(session, account_id, [asset_id])
    return f"of {found[asset_id][1]}" if asset_id in found else "everywhere"
