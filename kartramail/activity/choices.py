"""What can be chosen in the filters of Activity."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session

from kartramail.activity.filters import DAYS, SOURCES, Filters
from kartramail.assets.kinds import KINDS, TYPES
from kartramail.assets.service import asset_names, list_assets
from kartramail.ids import show_id
from kartramail.outbox.models import MessageState

_MOST_NAMED = 100
"""Forms, calendars and products that are listed by name: the newest, and the one that is chosen."""

Choice = tuple[str, str]
"""The value in the address, and the word for it."""

_STATES: tuple[Choice, ...] = (
    (MessageState.SENT, "Sent"),
    ("waiting", "Waiting"),
    ("trouble", "Not delivered"),
)
_TROUBLES: tuple[Choice, ...] = (
    (MessageState.DEFERRED, "Trying again"),
    (MessageState.BOUNCED, "Bounced"),
    (MessageState.FAILED, "Failed"),
    (MessageState.SUPPRESSED, "Not sent"),
    (MessageState.CANCELLED, "Cancelled"),
)
_DAY_WORDS = {1: "Last 24 hours"}
_SOURCE_WORDS = {"api": "API", "test": "Tests", "sample": "Samples"}


@dataclass(frozen=True, slots=True)
class Choices:
    """The options of each filter, in groups by their label; the first group has none."""

    states: Mapping[str, tuple[Choice, ...]]
    sources: Mapping[str, tuple[Choice, ...]]
    days: Mapping[str, tuple[Choice, ...]]


def load_choices(session: Session, account_id: int, filters: Filters) -> Choices:
    """The filters of this account; what is chosen is always among them."""
    named = {
        asset.id: (asset.kind, asset.name)
        for asset in list_assets(session, account_id, limit=_MOST_NAMED)
    }
    if filters.asset_id is not None and filters.asset_id not in named:
        named |= asset_names(session, account_id, {filters.asset_id})
    ordered = sorted(named.items(), key=lambda item: _title(*item[1]).casefold())
    kinds = tuple((f"kind:{kind.name}", f"All {kind.plural.lower()}") for kind in KINDS.values())
    things = tuple((f"asset:{show_id(number)}", _title(*thing)) for number, thing in ordered)
    return Choices(
        states={"": _STATES, "Not delivered, in detail": _TROUBLES},
        sources={
            "": tuple((name, _SOURCE_WORDS[name]) for name in SOURCES),
            "Forms, calendars and products": things,
            "Kinds": kinds if things else (),
            "Notifications": tuple((f"type:{one.name}", one.title) for one in TYPES.values()),
        },
        days={"": tuple((str(days), _DAY_WORDS.get(days, f"Last {days} days")) for days in DAYS)},
    )


def _title(kind: str, name: str) -> str:
    return f"{KINDS[kind].title if kind in KINDS else kind} · {name}"
