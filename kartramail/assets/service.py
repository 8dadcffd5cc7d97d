"""Forms, calendars, products … of an account: make, find, list. Every query names its account."""

from collections.abc import Collection, Mapping

from sqlmodel import Session, col, func, select

from kartramail.accounts.history import record_change
from kartramail.assets.kinds import KINDS
from kartramail.assets.models import Asset
from kartramail.assets.names import clean_asset_name, judge_asset_name
from kartramail.errors import InvalidInput

MOST_ASSETS = 20_000
"""Of one account."""

_AT_ONCE = 500
"""Numbers in one query: databases bound the parameters of a statement."""


def create_asset(
    session: Session, account_id: int, kind: str, name: str, *, user_id: int | None = None
) -> Asset:
    """A new one, with a line of history.

    Raises InvalidInput with the field that does not fit and the code of its rule: an unknown kind,
    a name that is none, more than an account can have.
    """
    if kind not in KINDS:
        raise InvalidInput({"kind": f"Choose one of these: {', '.join(KINDS)}."}, "unknown_kind")
    verdict = judge_asset_name(name)
    if verdict.is_error:
        raise InvalidInput({"name": verdict.message}, verdict.code or "invalid")
    if sum(count_assets(session, account_id).values()) >= MOST_ASSETS:
        raise InvalidInput({"name": _TOO_MANY}, "too_many")
    asset = Asset(account_id=account_id, kind=kind, name=clean_asset_name(name))
    session.add(asset)
    session.flush()
    record_change(
        session,
        account_id,
        "asset.made",
        user_id=user_id,
        after={"kind": KINDS[kind].title.lower(), "name": asset.name},
    )
    return asset


_TOO_MANY = (
    f"You have {MOST_ASSETS:,} forms, calendars and products, which is as many as an account can "
    "have. Use one of them, or ask us for more room."
)


def find_asset(session: Session, account_id: int, asset_id: int) -> Asset | None:
    """The asset, None where this account has none of that number."""
    return session.exec(
        select(Asset).where(Asset.account_id == account_id, Asset.id == asset_id)
    ).first()


def list_assets(
    session: Session,
    account_id: int,
    *,
    kind: str | None = None,
    cursor: int | None = None,
    limit: int,
) -> list[Asset]:
    """At most `limit` of one kind or of all, the newest first, older than the number `cursor`."""
    statement = select(Asset).where(Asset.account_id == account_id)
    if kind is not None:
        statement = statement.where(Asset.kind == kind)
    if cursor is not None:
        statement = statement.where(col(Asset.id) < cursor)
    return list(session.exec(statement.order_by(col(Asset.id).desc()).limit(limit)))


def count_assets(session: Session, account_id: int) -> Mapping[str, int]:
    """How many there are of each kind that there is any of."""
    rows = session.connection().execute(
        select(Asset.kind, func.count())
        .where(col(Asset.account_id) == account_id)
        .group_by(col(Asset.kind))
    )
    return {row[0]: row[1] for row in rows}


def asset_names(
    session: Session, account_id: int, ids: Collection[int]
) -> Mapping[int, tuple[str, str]]:
    """Kind and name of those of these numbers that this account has."""
    wanted = sorted(set(ids))
    found: dict[int, tuple[str, str]] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        rows = session.connection().execute(
            select(Asset.id, Asset.kind, Asset.name).where(
                col(Asset.account_id) == account_id,
                col(Asset.id).in_(wanted[start : start + _AT_ONCE]),
            )
        )
        found |= {row.id: (row.kind, row.name) for row in rows}
    return found
