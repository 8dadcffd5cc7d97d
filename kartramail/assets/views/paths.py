"""Where the pages are, and what their addresses name."""

from dataclasses import dataclass

from flask import abort

from kartramail.assets.kinds import KINDS
from kartramail.assets.models import Asset
from kartramail.assets.notification_types import Kind
from kartramail.assets.service import find_asset
from kartramail.ids import read_id, show_id
from kartramail.web.access import database, person

LIST = "/assets"
ONE = f"{LIST}/<kind_name>/<shown_id>/notifications"


def path_of(asset: Asset) -> str:
    """The page of what this asset sends."""
    return f"{LIST}/{asset.kind}/{show_id(asset.id)}/notifications"


@dataclass(frozen=True, slots=True)
class Named:
    """The asset that an address names, and its kind."""

    asset: Asset
    kind: Kind


def named(kind_name: str, shown_id: str) -> Named:
    """What the address names; 404 where the account worked in has none such."""
    asset_id, kind = read_id(shown_id), KINDS.get(kind_name)
    if asset_id is None or kind is None:
        abort(404)
    with database().reading() as session:
        asset = find_asset(session, person().account_id, asset_id)
    if asset is None or asset.kind != kind_name:
        abort(404)
    return Named(asset, kind)
