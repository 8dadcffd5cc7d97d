"""A page of an account's forms, calendars and products, also by a part of their name."""

import unicodedata
from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, or_, select

from kartramail.assets.kinds import TYPES
from kartramail.assets.models import Asset
from kartramail.assets.names import MAX_ASSET_NAME
from kartramail.assets.service import list_assets
from kartramail.senders.choices import choices_for
from kartramail.senders.models import ChoiceScope


def search_assets(
    session: Session,
    account_id: int,
    words: str,
    *,
    kind: str | None = None,
    cursor: int | None = None,
    limit: int,
) -> list[Asset]:
    """At most `limit` with `words` in their name, the newest first; all of them for no words.

    Reads at most what one account may have, whatever is looked for.
    """
    words = clean_search(words)
    if not words:
        return list_assets(session, account_id, kind=kind, cursor=cursor, limit=limit)
    statement = select(Asset).where(Asset.account_id == account_id, _is_named(words))
    if kind is not None:
        statement = statement.where(Asset.kind == kind)
    if cursor is not None:
        statement = statement.where(col(Asset.id) < cursor)
    return list(session.exec(statement.order_by(col(Asset.id).desc()).limit(limit)))


def clean_search(words: str) -> str:
    """What is looked for, as names are kept: composed, in single spaces, no longer than a name."""
    composed = unicodedata.normalize("NFC", " ".join(words.replace("\0", " ").split()))
    return composed[:MAX_ASSET_NAME]


def _is_named(words: str) -> ColumnElement[bool]:
    """Without regard to case. SQLite knows that of ASCII only, so both cases are looked for."""
    spellings = dict.fromkeys((words.lower(), words.upper(), words))
    return or_(*(col(Asset.name).icontains(each, autoescape=True) for each in spellings))


def own_senders(
    session: Session, account_id: int, asset_ids: Sequence[int]
) -> Mapping[int, frozenset[int]]:
    """The senders chosen for these, each in the place of the default one, by the asset's number."""
    found: dict[int, set[int]] = {}
    if asset_ids:
        choices = choices_for(session, account_id, asset_ids, TYPES)
        for (scope, asset_id, _), sender_id in choices.items():
            if scope is ChoiceScope.ASSET:
                found.setdefault(asset_id, set()).add(sender_id)
    return {asset_id: frozenset(senders) for asset_id, senders in found.items()}
