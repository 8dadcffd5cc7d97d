"""`/api/v1/notifications`: every notification as it holds for the whole account (R-GLOBAL)."""

from collections.abc import Mapping
from typing import Any

from flask import jsonify
from flask_openapi3 import APIBlueprint, Tag
from sqlmodel import Session

from kartramail.api.access import SECURITY, Problem, api_account, refuse
from kartramail.api.notification_answers import (
    describe_all,
    describe_settings,
    refuse_input,
    refuse_words,
)
from kartramail.api.notification_models import (
    NotificationAnswer,
    NotificationChanges,
    NotificationList,
    TypePath,
)
from kartramail.assets.kinds import TYPES
from kartramail.assets.notification_types import NotificationType
from kartramail.assets.settings import (
    Conflict,
    change_setting,
    judge_changes,
    refuse_fixed,
)
from kartramail.errors import InvalidInput, NotFound
from kartramail.ids import read_id
from kartramail.senders.low_delivery import FIELD as TICK
from kartramail.senders.low_delivery import accept_low_delivery, require_tick
from kartramail.web.access import database, installation

_TITLE = "That notification cannot be changed so"

blueprint = APIBlueprint(
    "api_notifications",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="notifications", description="Automatic messages, for all assets.")],
    abp_security=SECURITY,
    abp_responses={401: Problem},
)


@blueprint.get(
    "/notifications", summary="List all notifications", responses={200: NotificationList}
)
def get_notifications() -> Any:
    """Each as it holds where an asset has nothing of its own."""
    with database().reading() as session:
        items = describe_all(session, api_account(), None, list(TYPES.values()))
    return jsonify(items=items, next=None)


@blueprint.put(
    "/notifications/<string:type>",
    summary="Change a notification for all assets",
    responses={200: NotificationAnswer, 404: Problem, 422: Problem},
)
def put_notification(path: TypePath, body: NotificationChanges) -> Any:
    """What is left out stays as it is, null returns to ours."""
    if path.type not in TYPES:
        raise refuse(
            404, "No such notification", f"There are: {', '.join(TYPES)}.", code="not_found"
        )
    return jsonify(change_notification(None, TYPES[path.type], body))


def change_notification(
    asset_id: int | None, one: NotificationType, body: NotificationChanges
) -> dict[str, Any]:
    """Change one, everywhere (None) or for one asset, and say what holds. Raises a problem."""
    given = body.model_fields_set - {TICK}
    changes = {name: getattr(body, name) for name in given}
    if changes.get("sender_id") is not None:
        changes["sender_id"] = read_id(changes["sender_id"]) or 0  # 0 is nobody's
    faults = judge_changes(one, changes)
    if faults:
        raise refuse_words(_TITLE, faults)
    account_id = api_account()
    try:
        with database().transaction() as session:
            refuse_fixed(asset_id, one, changes)
            _ask_for_tick(session, account_id, changes, is_ticked=body.accept_low_delivery)
            after = change_setting(session, account_id, asset_id, one, changes, user_id=None)
            setting = after.setting if isinstance(after, Conflict) else after
            return describe_settings(session, account_id, asset_id, [setting])[0]
    except InvalidInput as error:
        raise refuse_input(_TITLE, error) from None


def _ask_for_tick(
    session: Session, account_id: int, changes: Mapping[str, Any], *, is_ticked: bool
) -> None:
    """R-LOWDELIV: a sender whose domain is not authenticated is chosen knowingly, once."""
    sender_id = changes.get("sender_id")
    if sender_id is None:
        return
    domain = installation().settings.platform_domain
    try:
        asked = require_tick(session, account_id, sender_id, domain)
    except NotFound as error:
        raise InvalidInput({"sender_id": str(error)}, "not_found") from None
    if asked is None:
        return
    if not is_ticked:
        raise InvalidInput(
            {TICK: f'{asked.words} To use it all the same, send "{TICK}": true.'}, TICK
        )
    accept_low_delivery(session, account_id, sender_id)
