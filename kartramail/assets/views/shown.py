"""What the page of one asset shows of each notification: its words, its sender and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from kartramail.assets.impact import count_scheduled
from kartramail.assets.inbox_lines import InboxLine, inbox_lines
from kartramail.assets.kinds import TYPES
from kartramail.assets.models import Asset
from kartramail.assets.notification_types import NotificationType
from kartramail.assets.settings import EffectiveSetting, load_settings
from kartramail.assets.views.paths import path_of
from kartramail.domains.standing import DomainStanding
from kartramail.ids import show_id
from kartramail.messages.candidates import Wanted, resolve_all
from kartramail.messages.resolution import Resolution
from kartramail.rules.address_syntax import shown_address, shown_domain
from kartramail.senders.low_delivery import LowDelivery
from kartramail.senders.picker import SenderOption, load_options
from kartramail.senders.standing import Proof

_REMINDERS = frozenset(one.reminder for one in TYPES.values() if one.reminder)
_WORDS = frozenset({"subject", "html", "text"})


@dataclass(frozen=True, slots=True)
class Concern:
    """What is to be said of a sender whose domain is not authenticated (R-LOWDELIV)."""

    domain: str
    path: str
    words: str


@dataclass(frozen=True, slots=True)
class Tick:
    """The tick that choosing sender `number` asks for; missing once it was asked and not given."""

    asked: LowDelivery
    number: int
    is_missing: bool

    @property
    def sender(self) -> str:
        """Which sender it is about, as the form says it."""
        return show_id(self.number)

    @property
    def domain(self) -> str:
        """The domain that is not authenticated, as people read it."""
        return shown_domain(self.asked.domain.from_domain)

    @property
    def page(self) -> str:
        """The domain's checklist."""
        return checklist_of(self.asked.domain)


@dataclass(frozen=True, slots=True)
class ShownNotification:
    """One notification of one asset as its page shows it.

    `chosen` is the sender chosen here, None where it is inherited. `scheduled` counts messages
    that wait for their time.
    """

    setting: EffectiveSetting
    line: InboxLine
    resolution: Resolution
    chosen: SenderOption | None
    scheduled: int
    page: str

    @property
    def type(self) -> NotificationType:
        """What it is."""
        return self.setting.type

    @property
    def slug(self) -> str:
        """What its part of the page is called."""
        return slug_of(self.type)

    @property
    def field(self) -> str:
        """The name of the picker's field: no two pickers on the page may share one."""
        return f"sender_{self.slug.replace('-', '_')}"

    @property
    def path(self) -> str:
        """Where its editor is; what changes it lies below."""
        return f"{self.page}/{self.type.name}"

    @property
    def has_own_text(self) -> bool:
        """Whether any of its words is written here."""
        return bool(_WORDS - self.setting.inherited)

    @property
    def concern(self) -> Concern | None:
        """Why fewer of its messages arrive, where that is for the sender chosen here."""
        return concern_of(self.chosen) if self.chosen else None


def slug_of(one: NotificationType) -> str:
    """The type's name without dots, for anchors and selectors."""
    return one.name.replace(".", "-").replace("_", "-")


def concern_of(option: SenderOption) -> Concern | None:
    """What is to be said before, and while, this sender is used; None where all is well."""
    domain = option.standing.domain
    if option.standing.proof is Proof.PLACEHOLDER or domain.is_authenticated:
        return None
    shown, page = shown_domain(domain.from_domain), checklist_of(domain)
    if option.standing.proof is Proof.NONE and domain.claimed_at is None:
        return Concern(
            shown,
            page,
            f"{shown_address(option.send_from)} is not used yet: {shown} is not authenticated "
            "here, and nobody has followed the link sent to the address.",
        )
    return Concern(shown, page, LowDelivery(domain).words)


def checklist_of(domain: DomainStanding) -> str:
    """The page where the domain is authenticated; the list where it is none of the account's."""
    return f"/settings/domains/{domain.domain}" if domain.domain else "/settings/domains"


def show_notifications(
    session: Session,
    asset: Asset,
    types: Sequence[NotificationType],
    *,
    business_name: str,
    platform_domain: str,
) -> list[ShownNotification]:
    """These notifications of the asset, in their order. As many queries for one as for all."""
    account_id, page = asset.account_id, path_of(asset)
    settings = load_settings(session, account_id, asset.id, types)
    lines = inbox_lines(session, account_id, asset, types, business_name=business_name)
    wanted = {one.name: Wanted(account_id, asset_id=asset.id, type=one.name) for one in types}
    resolved = resolve_all(session, set(wanted.values()), platform_domain)
    options = {one.id: one for one in load_options(session, account_id, platform_domain)}
    reminders = [one.name for one in types if one.name in _REMINDERS]
    scheduled = count_scheduled(session, account_id, asset.id, reminders)
    return [
        ShownNotification(
            setting=setting,
            line=lines[setting.type.name],
            resolution=resolved[wanted[setting.type.name]],
            chosen=options.get(setting.sender_id or 0),
            scheduled=scheduled.get(setting.type.name, 0),
            page=page,
        )
        for setting in settings
    ]
