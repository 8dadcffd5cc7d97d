"""Who overrides what: a sender chosen for a notification, everywhere or of one asset (R-ASSET).

Assets and campaigns write their choice here, so that resolution, "what uses this sender" and
R-IMPACT are one query.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, delete, or_, select

from kartramail.senders.models import ChoiceScope, SenderChoice

EVERYWHERE = 0
"""The `scope_id` of a choice for a notification wherever it comes from."""

ChoiceKey = tuple[ChoiceScope, int, str]
"""Scope, the asset's number or EVERYWHERE, the notification type."""


def choices_for(
    session: Session, account_id: int, asset_ids: Collection[int], types: Collection[str]
) -> Mapping[ChoiceKey, int]:
    """The senders chosen for these types: everywhere, and for these assets. Values: sender ids."""
    values = {"account": account_id, "assets": list(asset_ids), "types": list(types)}
    rows = session.connection().execute(_FIND, values)
    return {(row.scope, row.scope_id, row.type): row.sender_id for row in rows}


# Built once: building a statement costs more than running it, and every message asks.
_FIND = select(
    SenderChoice.scope, SenderChoice.scope_id, SenderChoice.type, SenderChoice.sender_id
).where(
    SenderChoice.account_id == bindparam("account"),
    col(SenderChoice.type).in_(bindparam("types", expanding=True)),
    or_(
        (col(SenderChoice.scope) == ChoiceScope.ASSET)
        & col(SenderChoice.scope_id).in_(bindparam("assets", expanding=True)),
        (col(SenderChoice.scope) == ChoiceScope.NOTIFICATION)
        & (col(SenderChoice.scope_id) == EVERYWHERE),
    ),
)


def choose_sender(
    session: Session,
    account_id: int,
    scope: ChoiceScope,
    scope_id: int,
    type_name: str,
    sender_id: int | None,
) -> None:
    """Let this sender write the notification there; None returns to what is inherited."""
    place = {
        "account_id": account_id,
        "scope": scope,
        "scope_id": scope_id,
        "type": type_name,
    }
    if sender_id is None:
        session.connection().execute(
            delete(SenderChoice).where(
                *(getattr(SenderChoice, name) == value for name, value in place.items())
            )
        )
        return
    dialect = sqlite if session.connection().dialect.name == "sqlite" else postgresql
    session.connection().execute(
        dialect.insert(SenderChoice)
        .values(**place, sender_id=sender_id)
        .on_conflict_do_update(index_elements=list(place), set_={"sender_id": sender_id})
    )
