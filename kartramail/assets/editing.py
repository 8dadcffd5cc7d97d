"""All that the editor of a notification shows, and who a choice of sender would make it from."""

from dataclasses import dataclass

from sqlmodel import Session

from kartramail.accounts.history import Change, list_changes
from kartramail.assets.drafts import load_above
from kartramail.assets.effective import EffectiveSetting
from kartramail.assets.notification_types import NotificationType
from kartramail.assets.reach import Reach, reach_of
from kartramail.assets.settings import load_setting
from kartramail.messages.resolution import Candidate, Place, Resolution, resolve
from kartramail.senders.picker import SenderOption, load_options

_LOOKED_AT = 50
"""Lines of history in which the last change of one notification is looked for."""


@dataclass(frozen=True, slots=True)
class Editing:
    """A notification at one place: what holds, what would be inherited, and the senders to choose.

    `everywhere_sender_id` is the sender chosen for it everywhere; None while that itself is edited.
    """

    asset_id: int | None
    setting: EffectiveSetting
    above: EffectiveSetting
    options: tuple[SenderOption, ...]
    everywhere_sender_id: int | None
    reach: Reach

    def option(self, sender_id: int | None) -> SenderOption | None:
        """The sender of that number, None where the account has none."""
        return next((one for one in self.options if one.id == sender_id), None)

    def resolution(self, sender_id: int | None) -> Resolution:
        """Who it would come from with this sender chosen here, None: with none (R-RESOLVE)."""
        chosen = self._candidate(Place.NOTIFICATION, sender_id)
        above: tuple[Candidate, ...] = ()
        if self.asset_id is not None:
            chosen = self._candidate(Place.ASSET, sender_id)
            above = (self._candidate(Place.NOTIFICATION, self.everywhere_sender_id),)
        default = next((one.standing for one in self.options if one.is_default), None)
        return resolve((chosen, *above, Candidate(Place.GATEWAY, default)))

    def _candidate(self, place: Place, sender_id: int | None) -> Candidate:
        option = self.option(sender_id)
        return Candidate(place, option.standing if option else None)


def load_editing(
    session: Session,
    account_id: int,
    asset_id: int | None,
    one: NotificationType,
    platform_domain: str,
) -> Editing:
    """Read it. A handful of queries, however much there is."""
    above = None if asset_id is None else load_setting(session, account_id, None, one)
    return Editing(
        asset_id=asset_id,
        setting=load_setting(session, account_id, asset_id, one),
        above=load_above(session, account_id, asset_id, one),
        options=tuple(load_options(session, account_id, platform_domain)),
        everywhere_sender_id=above.sender_id if above else None,
        reach=reach_of(session, account_id, asset_id, one),
    )


def last_change_of(session: Session, account_id: int, one: NotificationType) -> Change | None:
    """Who changed this notification last, and when, where that is not long ago."""
    changes = list_changes(session, account_id, _LOOKED_AT)
    return next((each for each in changes if each.after.get("type") == one.name), None)
