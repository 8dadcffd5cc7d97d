"""Another name for a form, a calendar or a product, and never over somebody else's (R-SAVE)."""

from sqlmodel import Session, select

from kartramail.accounts.history import record_change
from kartramail.assets.models import Asset
from kartramail.assets.names import clean_asset_name, judge_asset_name
from kartramail.errors import EditConflict, InvalidInput, NotFound


def rename_asset(
    session: Session,
    account_id: int,
    asset_id: int,
    name: str,
    *,
    was: str | None = None,
    user_id: int | None = None,
) -> Asset:
    """Give it that name, with a line of history. `was` is the name that was read (None: no check).

    Raises NotFound, InvalidInput for what is no name, EditConflict where it got another meanwhile.
    """
    asset = session.exec(
        select(Asset)
        .where(Asset.account_id == account_id, Asset.id == asset_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if asset is None:
        raise NotFound("This account has nothing of that number.")
    verdict = judge_asset_name(name)
    if verdict.is_error:
        raise InvalidInput({"name": verdict.message}, verdict.code or "invalid")
    cleaned = clean_asset_name(name)
    if cleaned == asset.name:  # also at the second of two presses
        return asset
    if was is not None and asset.name != was:
        raise EditConflict(f"It is called “{asset.name}” by now.")
    record_change(
        session,
        account_id,
        "asset.renamed",
        user_id=user_id,
        before={"name": asset.name},
        after={"name": cleaned},
    )
    asset.name = cleaned
    session.add(asset)
    return asset
