"""What somebody looks for in Activity, read from the address of the page. Nothing here fails."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlencode

from kartramail.assets.kinds import KINDS, TYPES
from kartramail.ids import read_id, show_id
from kartramail.outbox.models import MessageState, SourceKind
from kartramail.rules.address_syntax import Address, read_address

TROUBLE = (
    MessageState.DEFERRED,
    MessageState.BOUNCED,
    MessageState.FAILED,
    MessageState.SUPPRESSED,
    MessageState.CANCELLED,
)
"""As `outbox.models.IN_TROUBLE` says it."""

WAITING = (MessageState.SCHEDULED, MessageState.QUEUED, MessageState.SENDING)

STATES: Mapping[str, tuple[MessageState, ...]] = {
    "waiting": WAITING,
    "trouble": TROUBLE,
    **{state.value: (state,) for state in MessageState},
}
"""What the word of the filter stands for."""

DAYS = (1, 7, 30, 90)

SOURCES: Mapping[str, SourceKind] = {
    kind.value: kind for kind in (SourceKind.API, SourceKind.TEST, SourceKind.SAMPLE)
}

_MOST_TYPED = 320
_UNPRINTABLE = re.compile("[\x00-\x20\x7f-\x9f]+")


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for. Empty words and None stand for all.

    `q` is what was typed; `before` the id that a page begins below.
    """

    q: str = ""
    state: str = ""
    source: str = ""
    days: int | None = None
    before: int | None = None

    @property
    def is_any(self) -> bool:
        """Whether anything is looked for at all."""
        return bool(self.q or self.state or self.source or self.days)

    @property
    def states(self) -> tuple[MessageState, ...]:
        """The states that count, empty where all do."""
        return STATES.get(self.state, ())

    @property
    def source_kind(self) -> SourceKind | None:
        """API, test or sample, where one of them is looked for."""
        return SOURCES.get(self.source)

    @property
    def asset_kind(self) -> str | None:
        """A kind such as "calendar", where all of a kind are looked for."""
        return _after(self.source, "kind:")

    @property
    def type(self) -> str | None:
        """A notification type."""
        return _after(self.source, "type:")

    @property
    def asset_id(self) -> int | None:
        """One form, calendar or product."""
        shown = _after(self.source, "asset:")
        return read_id(shown) if shown else None

    @property
    def message_id(self) -> int | None:
        """The message whose whole id was typed."""
        return read_id(self.q.lower())

    @property
    def domain(self) -> str | None:
        """What the recipient's domain begins with: `@doeinc.com` was typed."""
        return _domain_key(self.q[1:]) if self.q.startswith("@") else None

    @property
    def prefix(self) -> str | None:
        """What the recipient's address begins with, as it is kept."""
        if not self.q or self.domain is not None:
            return None
        address = read_address(self.q) if "@" in self.q else None
        return address.key if isinstance(address, Address) else self.q.lower()

    def below(self, before: int | None) -> Self:
        """The same, for the page that begins below this id; None begins with the newest."""
        return replace(self, before=before)

    def address(self, path: str = "/activity") -> str:
        """The address of the list, or its export."""
        query = {
            "q": self.q,
            "state": self.state,
            "source": self.source,
            "days": self.days,
            "before": show_id(self.before) if self.before is not None else "",
        }
        filled = urlencode({name: value for name, value in query.items() if value})
        return f"{path}?{filled}" if filled else path


def read_filters(query: Mapping[str, str]) -> Filters:
    """The filters of a request; what no filter knows is left out."""
    state, days = query.get("state", ""), query.get("days", "")
    return Filters(
        q=_UNPRINTABLE.sub("", query.get("q", ""))[:_MOST_TYPED],
        state=state if state in STATES else "",
        source=_known_source(query.get("source", "")),
        days=int(days) if days in map(str, DAYS) else None,
        before=read_id(query.get("before", "")),
    )


def _known_source(source: str) -> str:
    what, _, name = source.partition(":")
    is_known = {
        "kind": name in KINDS,
        "type": name in TYPES,
        "asset": read_id(name) is not None,
    }.get(what, source in SOURCES)
    return source if is_known else ""


def _after(text: str, start: str) -> str | None:
    return text.removeprefix(start) if text.startswith(start) else None


def _domain_key(typed: str) -> str:
    """As `message.to_domain` has it: A-labels where a whole domain can be read."""
    address = read_address(f"x@{typed}")
    return address.domain if isinstance(address, Address) else typed.lower()
