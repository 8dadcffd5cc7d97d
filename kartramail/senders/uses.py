"""Where a sender is in use: asked before it changes, and before it goes (R-SENDERS, R-IMPACT)."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session, col, select

from kartramail.senders.impact import count_waiting_messages
from kartramail.senders.models import ChoiceScope, SenderChoice
from kartramail.senders.rows import load_sender


@dataclass(frozen=True, slots=True)
class SenderUses:
    """What chose a sender, by the names of notification types, and what waits to leave as it.

    `everywhere`: the notifications that leave as it wherever they come from. `by_asset`: those of
    single assets, by the asset's number. `waiting` counts messages, `MOST_COUNTED` + 1 at most.
    """

    is_default: bool
    everywhere: tuple[str, ...]
    by_asset: Mapping[int, tuple[str, ...]]
    waiting: int

    @property
    def is_chosen(self) -> bool:
        """Whether anybody chose it for something."""
        return bool(self.everywhere or self.by_asset)

    @property
    def is_in_use(self) -> bool:
        """Whether anything would have to leave as another sender if it went."""
        return self.is_default or self.is_chosen or self.waiting > 0


def uses_of(session: Session, account_id: int, sender_id: int) -> SenderUses:
    """Where this sender is in use. Raises NotFound for one that is not this account's."""
    sender = load_sender(session, account_id, sender_id)
    statement = (
        select(SenderChoice.scope, SenderChoice.scope_id, SenderChoice.type)
        .where(SenderChoice.account_id == account_id, SenderChoice.sender_id == sender_id)
        .order_by(col(SenderChoice.scope_id), col(SenderChoice.type))
    )
    everywhere: list[str] = []
    by_asset: dict[int, list[str]] = defaultdict(list)
    for scope, scope_id, type_name in session.exec(statement):
        place = by_asset[scope_id] if scope is ChoiceScope.ASSET else everywhere
        place.append(type_name)
    return SenderUses(
        is_default=sender.is_default,
        everywhere=tuple(everywhere),
        by_asset={asset_id: tuple(types) for asset_id, types in by_asset.items()},
        waiting=count_waiting_messages(session, account_id, [sender_id]),
    )
