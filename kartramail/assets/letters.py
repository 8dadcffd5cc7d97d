"""From a notification to the letters that say it: to whom, in which words, filled in with what."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from kartramail.accounts.models import Account
from kartramail.accounts.team import confirmed_members_of
from kartramail.assets.event_variables import variables_of
from kartramail.assets.models import Asset
from kartramail.assets.notification_types import NotificationType, Recipient
from kartramail.messages.enqueue import Letter
from kartramail.outbox.contents import Words
from kartramail.outbox.models import SourceKind
from kartramail.rules.address_syntax import Address, read_address


@dataclass(frozen=True, slots=True)
class Scene:
    """What a notification tells of itself: the asset that it is from, and whose that is."""

    account_id: int
    asset_id: int
    kind: str
    asset_name: str
    business_name: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Occasion:
    """What happened to whom. `contact` has `email`, and whatever else is known of the person."""

    contact: Mapping[str, Any]
    variables: Mapping[str, Any]
    starts_at: datetime | None = None


def load_scenes(session: Session, account_id: int, asset_ids: Collection[int]) -> dict[int, Scene]:
    """These assets by their number. None of an account that may not send: it is gone, or new."""
    values = {"account": account_id, "assets": list(asset_ids)}
    rows = session.connection().execute(_SCENES, values)
    return {row.id: Scene(*row) for row in rows}


_COLUMNS: tuple[Any, ...] = (
    Asset.account_id,
    Asset.id,
    Asset.kind,
    Asset.name,
    Account.business_name,
    Account.time_zone,
)
# Built once: building a statement costs more than running it, and every event asks.
_SCENES = (
    select(*_COLUMNS)
    .join(Account, col(Account.id) == col(Asset.account_id))
    .where(
        col(Asset.account_id) == bindparam("account"),
        col(Asset.id).in_(bindparam("assets", expanding=True)),
        col(Account.deleted_at).is_(None),
        col(Account.confirmed_at).is_not(None),
    )
)


def letters_for(
    session: Session,
    scene: Scene,
    notification: NotificationType,
    occasion: Occasion,
    words: Words,
) -> list[Letter]:
    """One letter to the contact, or to each confirmed member of the account."""
    variables = variables_of(
        notification,
        contact=occasion.contact,
        variables=occasion.variables,
        business_name=scene.business_name,
        asset_name=scene.asset_name,
        starts_at=occasion.starts_at,
        time_zone=scene.time_zone,
    )
    return [
        Letter(
            to=to,
            words=words,
            variables=variables,
            source_kind=SourceKind.NOTIFICATION,
            asset_id=scene.asset_id,
            type=notification.name,
        )
        for to in _recipients(session, scene, notification, occasion)
    ]


def _recipients(
    session: Session, scene: Scene, notification: NotificationType, occasion: Occasion
) -> list[Address]:
    addresses = [str(occasion.contact["email"])]
    if notification.recipient is Recipient.TEAM:
        addresses = confirmed_members_of(session, scene.account_id)
    read = map(read_address, addresses)
    return [address for address in read if isinstance(address, Address)]
