"""What every change of a notification of one asset has in common: asked for, saved, told."""

from collections.abc import Mapping
from typing import Any

from flask import abort, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from kartramail.assets.kinds import TYPES, fires
from kartramail.assets.notification_types import NotificationType
from kartramail.assets.settings import Conflict, EffectiveSetting, change_setting
from kartramail.assets.views.notification_page import answer
from kartramail.assets.views.paths import Named, named, path_of
from kartramail.assets.views.said import Said
from kartramail.errors import InvalidInput
from kartramail.web.access import person


def asked_for(kind_name: str, shown_id: str, type_name: str) -> tuple[Named, NotificationType]:
    """The asset and the notification that the address names; 404 where there is none such."""
    asset = named(kind_name, shown_id)
    if not fires(kind_name, type_name):
        abort(404)
    return asset, TYPES[type_name]


def change(
    session: Session,
    asset: Named,
    one: NotificationType,
    changes: Mapping[str, Any],
    version: int | None = None,
) -> EffectiveSetting | Conflict:
    """Save it. What no button of ours sends is refused, and a stranger's sender is not found."""
    try:
        return change_setting(
            session,
            person().account_id,
            asset.asset.id,
            one,
            changes,
            user_id=person().user_id,
            version=version,
        )
    except InvalidInput as error:
        abort(404 if error.code == "not_found" else 400)


def tell(
    asset: Named, one: NotificationType, what: str, words: str, undo: Mapping[str, str]
) -> ResponseReturnValue:
    """What is true now, with the way back; who has just gone back is not offered it again."""
    if "undo" in request.form:
        return answer(asset, one, Said(one.name, f"Undone. {words}"))
    path = f"{path_of(asset.asset)}/{one.name}/{what}"
    is_gone = what != "switch" and "picker" not in request.form
    return answer(asset, one, Said(one.name, words, path=path, undo=undo, takes_focus=is_gone))
