"""What uses a sender, in words: before it is changed, and before it is removed (R-IMPACT)."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session

from kartramail.assets.kinds import KINDS, TYPES
from kartramail.assets.service import asset_names
from kartramail.ids import show_id
from kartramail.senders.impact import MOST_COUNTED
from kartramail.senders.rows import SenderView
from kartramail.senders.uses import SenderUses, uses_of

MOST_NAMED = 5
"""Of one kind; beyond that the page says how many more there are."""

Names = Mapping[int, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class UseLine:
    """One line of the page that asks what takes a sender's place. `href` is empty where none is."""

    title: str
    text: str
    href: str = ""


def impact_of(session: Session, sender: SenderView) -> str:
    """What a change of this sender touches, in a sentence; empty where it touches nothing."""
    uses = uses_of(session, sender.account_id, sender.sender_id)
    words = use_sentence(uses, asset_names(session, sender.account_id, uses.by_asset))
    them = "it" if words.startswith("1 ") and " and " not in words else "them"
    return f"{words}: what you save here holds for {them} as well." if words else ""


def use_sentence(uses: SenderUses, names: Names) -> str:
    """Such as "3 calendars and 14 scheduled messages use this sender", without its full stop."""
    if not uses.is_chosen:
        return f"{_messages(uses.waiting)} to be sent" if uses.waiting else ""
    parts = [_counted(number, *_kind_words(kind)) for kind, number in _by_kind(names).items()]
    if uses.everywhere:
        parts.append(_counted(len(uses.everywhere), "notification", "notifications"))
    if uses.waiting:
        parts.append(_amount(uses.waiting, "scheduled message", "scheduled messages"))
    is_one = parts[0].startswith("1 ") and len(parts) == 1
    return f"{_listed(parts)} {'uses' if is_one else 'use'} this sender"


def use_lines(uses: SenderUses, names: Names) -> list[UseLine]:
    """Each thing that uses it, by kind; then the notifications, then the messages that wait."""
    lines: list[UseLine] = []
    for kind in _by_kind(names):
        own = [asset_id for asset_id, (its_kind, _) in names.items() if its_kind == kind]
        for asset_id in own[:MOST_NAMED]:
            titles = _listed([_title(name) for name in uses.by_asset[asset_id]])
            lines.append(
                UseLine(
                    names[asset_id][1],
                    f"{_kind_words(kind)[0].capitalize()}: {titles}",
                    f"/assets/{kind}/{show_id(asset_id)}/notifications",
                )
            )
        if len(own) > MOST_NAMED:
            more = len(own) - MOST_NAMED
            lines.append(UseLine(_counted(more, *_more_words(kind)), ""))
    for type_name in uses.everywhere:
        lines.append(
            UseLine(
                _title(type_name),
                "Wherever no other sender is chosen for it",
                f"/settings/notifications/{type_name}",
            )
        )
    if uses.waiting:
        lines.append(UseLine(_amount(uses.waiting, "message", "messages"), "Waiting to be sent"))
    return lines


def _messages(waiting: int) -> str:
    return f"{_amount(waiting, 'message', 'messages')} {'waits' if waiting == 1 else 'wait'}"


def _amount(waiting: int, one: str, many: str) -> str:
    if waiting > MOST_COUNTED:
        return f"More than {MOST_COUNTED:,} {many}"
    return _counted(waiting, one, many)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"


def _by_kind(names: Names) -> dict[str, int]:
    """How many there are of each kind, in the order of the kinds."""
    counted = Counter(kind for kind, _ in names.values())
    return {kind: counted[kind] for kind in (*KINDS, *counted) if counted[kind]}


def _kind_words(kind: str) -> tuple[str, str]:
    known = KINDS.get(kind)
    return (known.title.lower(), known.plural.lower()) if known else (kind, f"{kind}s")


def _more_words(kind: str) -> tuple[str, str]:
    one, many = _kind_words(kind)
    return f"more {one}", f"more {many}"


def _title(type_name: str) -> str:
    known = TYPES.get(type_name)
    return known.title if known else type_name


def _listed(parts: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
