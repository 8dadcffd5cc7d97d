"""`/api/v1/assets`: forms, calendars, products …, and the notifications of each (R-ASSET)."""

from typing import Any

from flask import jsonify
from flask_openapi3 import APIBlueprint, Tag
from sqlmodel import Session

from kartramail.api.access import SECURITY, Problem, api_account, refuse
from kartramail.api.notification_answers import describe_all, refuse_input
from kartramail.api.notification_models import (
    AssetAnswer,
    AssetList,
    AssetPath,
    AssetQuery,
    AssetTypePath,
    NewAsset,
    NotificationAnswer,
    NotificationChanges,
    NotificationList,
)
from kartramail.api.notifications import change_notification
from kartramail.api.once import answer_once
from kartramail.api.paging import read_cursor
from kartramail.assets.kinds import KINDS, TYPES, fires, types_for
from kartramail.assets.models import Asset
from kartramail.assets.service import create_asset, find_asset, list_assets
from kartramail.errors import InvalidInput
from kartramail.ids import read_id, show_id
from kartramail.web.access import database

_ENDPOINT = "POST /assets"

blueprint = APIBlueprint(
    "api_assets",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="assets", description="What sends notifications, and which.")],
    abp_security=SECURITY,
    abp_responses={401: Problem},
)


@blueprint.get("/assets", summary="List your assets", responses={200: AssetList, 422: Problem})
def get_assets(query: AssetQuery) -> Any:
    """The forms, calendars and products of this account, the newest first."""
    cursor = read_cursor(query.cursor)
    if query.kind is not None and query.kind not in KINDS:
        error = InvalidInput({"kind": f"Choose one of these: {', '.join(KINDS)}."}, "unknown_kind")
        raise refuse_input("There is no such kind", error)
    with database().reading() as session:
        found = list_assets(
            session, api_account(), kind=query.kind, cursor=cursor, limit=query.limit + 1
        )
    shown = found[: query.limit]
    is_more = len(found) > query.limit
    return jsonify(
        items=[_show(asset) for asset in shown], next=show_id(shown[-1].id) if is_more else None
    )


@blueprint.post("/assets", summary="Add an asset", responses={201: AssetAnswer, 422: Problem})
def post_asset(body: NewAsset) -> Any:
    """201 with its id. An Idempotency-Key has one effect within 7 days."""

    def take(session: Session, new: NewAsset) -> dict[str, Any]:
        try:
            return _show(create_asset(session, api_account(), new.kind, new.name))
        except InvalidInput as error:
            raise refuse_input("That cannot be added", error) from None

    return jsonify(answer_once(_ENDPOINT, body.model_dump(), lambda: body, take)), 201


@blueprint.get(
    "/assets/<string:asset_id>/notifications",
    summary="See the notifications of an asset",
    responses={200: NotificationList, 404: Problem},
)
def get_asset_notifications(path: AssetPath) -> Any:
    """All that it sends: its own, then those to affiliates and the team."""
    with database().reading() as session:
        asset = _find(session, path.asset_id)
        items = describe_all(session, api_account(), asset.id, types_for(asset.kind))
    return jsonify(items=items, next=None)


@blueprint.put(
    "/assets/<string:asset_id>/notifications/<string:type>",
    summary="Change a notification of one asset",
    responses={200: NotificationAnswer, 404: Problem, 422: Problem},
)
def put_asset_notification(path: AssetTypePath, body: NotificationChanges) -> Any:
    """What is left out stays as it is, null returns to what is inherited."""
    with database().reading() as session:
        asset = _find(session, path.asset_id)
    if not fires(asset.kind, path.type):
        names = ", ".join(one.name for one in types_for(asset.kind))
        raise refuse(
            404, "No such notification", f"A {asset.kind} sends these: {names}.", code="not_found"
        )
    return jsonify(change_notification(asset.id, TYPES[path.type], body))


def _find(session: Session, shown_id: str) -> Asset:
    number = read_id(shown_id)
    asset = None if number is None else find_asset(session, api_account(), number)
    if asset is None:
        raise refuse(
            404, "No such asset", "This account has no asset with that id.", code="not_found"
        )
    return asset


def _show(asset: Asset) -> dict[str, Any]:
    return {"id": show_id(asset.id), "kind": asset.kind, "name": asset.name}
