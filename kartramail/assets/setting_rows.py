"""Rows of notification settings: the one place where they are fetched and written."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select, update

from kartramail.assets.effective import NOTHING, Layer
from kartramail.assets.models import EVERYWHERE, NotificationSetting
from kartramail.senders.choices import choices_for

Layers = Mapping[tuple[int, str], Layer]
"""By the asset's number, EVERYWHERE for the account, and the type."""

_COLUMNS: tuple[Any, ...] = (
    NotificationSetting.asset_id,
    NotificationSetting.type,
    NotificationSetting.enabled,
    NotificationSetting.subject,
    NotificationSetting.html,
    NotificationSetting.text,
    NotificationSetting.finished_html,
    NotificationSetting.html_text,
    NotificationSetting.version,
)


def load_layers(
    session: Session, account_id: int, asset_id: int | None, types: Collection[str]
) -> Layers:
    """What is set of these types everywhere and for this asset, senders included: two queries."""
    words = load_words(session, account_id, asset_id, types)
    assets = [] if asset_id is None else [asset_id]
    choices = choices_for(session, account_id, assets, types)
    senders = {(scope_id, name): sender for (_, scope_id, name), sender in choices.items()}
    return {
        key: replace(words.get(key, NOTHING), sender_id=senders.get(key))
        for key in words.keys() | senders.keys()
    }


def load_words(
    session: Session, account_id: int, asset_id: int | None, types: Collection[str]
) -> Layers:
    """The same without senders: one query."""
    rows = session.connection().execute(
        select(*_COLUMNS).where(
            col(NotificationSetting.account_id) == account_id,
            col(NotificationSetting.asset_id).in_({EVERYWHERE, asset_id or EVERYWHERE}),
            col(NotificationSetting.type).in_(types),
        )
    )
    return {
        (row.asset_id, row.type): Layer(
            enabled=row.enabled,
            subject=row.subject,
            html=row.html,
            text=row.text,
            finished_html=row.finished_html,
            html_text=row.html_text,
            version=row.version,
        )
        for row in rows
    }


def lock_setting(session: Session, account_id: int, asset_id: int, type_name: str) -> None:
    """Make the row where there is none, and let nobody else change it in the meantime."""
    dialect = sqlite if session.connection().dialect.name == "sqlite" else postgresql
    session.connection().execute(
        dialect.insert(NotificationSetting)
        .values(account_id=account_id, asset_id=asset_id, type=type_name, version=0)
        .on_conflict_do_nothing()
    )
    session.connection().execute(
        select(NotificationSetting.version)
        .where(*_is(account_id, asset_id, type_name))
        .with_for_update()
    )


def write_setting(
    session: Session, account_id: int, asset_id: int, type_name: str, values: Mapping[str, Any]
) -> None:
    """Set these columns of a row that is locked, and count the change."""
    session.connection().execute(
        update(NotificationSetting)
        .where(*_is(account_id, asset_id, type_name))
        .values(version=NotificationSetting.version + 1, **values)
    )


def _is(account_id: int, asset_id: int, type_name: str) -> tuple[Any, ...]:
    return (
        col(NotificationSetting.account_id) == account_id,
        col(NotificationSetting.asset_id) == asset_id,
        col(NotificationSetting.type) == type_name,
    )
