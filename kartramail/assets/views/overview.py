"""The list of forms, calendars and products: by kind, by name, fifty at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from kartramail.assets.browsing import clean_search, own_senders, search_assets
from kartramail.assets.kinds import KINDS
from kartramail.assets.models import Asset
from kartramail.assets.notification_types import Kind
from kartramail.assets.service import count_assets
from kartramail.assets.views.paths import LIST, path_of
from kartramail.clock import now
from kartramail.ids import read_id, show_id
from kartramail.senders.further import load_senders
from kartramail.web.access import database, person, signed_in_required
from kartramail.web.fragments import wants_fragment

blueprint = Blueprint("overview", __name__)

PAGE = 50
_FEW = 10
"""Up to so many, one sees what one looks for."""


@dataclass(frozen=True, slots=True)
class Row:
    """One of them as the list shows it. `senders`: its own ones in words; empty without any."""

    name: str
    kind: Kind
    path: str
    created_at: datetime
    senders: str


@dataclass(frozen=True, slots=True)
class Wish:
    """Which part of the list is asked for."""

    kind: Kind | None
    search: str
    cursor: int | None

    def path(self, cursor: int | None = None) -> str:
        """The address of this kind and search, from `cursor` on."""
        parts = {
            "kind": self.kind.name if self.kind else "",
            "q": self.search,
            "cursor": show_id(cursor) if cursor is not None else "",
        }
        query = urlencode({name: value for name, value in parts.items() if value})
        return f"{LIST}?{query}" if query else LIST


@blueprint.get(LIST)
@signed_in_required
def index() -> ResponseReturnValue:
    """All of them or one kind, as a page; the list alone while one types into the search."""
    wish = _wish()
    with database().reading() as session:
        found = search_assets(
            session,
            person().account_id,
            wish.search,
            kind=wish.kind.name if wish.kind else None,
            cursor=wish.cursor,
            limit=PAGE + 1,
        )
        shown = found[:PAGE]
        chosen = own_senders(session, person().account_id, [asset.id for asset in shown])
        senders = load_senders(session, person().account_id) if chosen else []
        counts = count_assets(session, person().account_id)
    names = {sender.sender_id: sender.name for sender in senders}
    has_more = len(found) > PAGE
    parts = {
        "kind": wish.kind,
        "search": wish.search,
        "rows": [_row(asset, chosen.get(asset.id, frozenset()), names) for asset in shown],
        "next": wish.path(shown[-1].id) if has_more else "",
        "is_later": wish.cursor is not None,
        "first_path": wish.path(),
        "moment": now(),
    }
    if wants_fragment():
        words = _found_words(wish, len(shown), has_more)
        return render_template("assets/_list.html", is_fragment=True, found_words=words, **parts)
    return render_template(
        "assets/index.html",
        kinds=list(KINDS.values()),
        counts=counts,
        is_search_shown=bool(wish.search) or _size(counts, wish.kind) > _FEW,
        **parts,
    )


def _wish() -> Wish:
    kind_name, cursor = request.args.get("kind", ""), request.args.get("cursor", "")
    kind, number = KINDS.get(kind_name), read_id(cursor)
    if (kind_name and kind is None) or (cursor and number is None):
        abort(404)
    return Wish(kind, clean_search(request.args.get("q", "")), number)


def _size(counts: Mapping[str, int], kind: Kind | None) -> int:
    return counts.get(kind.name, 0) if kind else sum(counts.values())


def _row(asset: Asset, senders: frozenset[int], names: Mapping[int, str]) -> Row:
    return Row(
        asset.name, KINDS[asset.kind], path_of(asset), asset.created_at, _in_words(senders, names)
    )


def _in_words(senders: frozenset[int], names: Mapping[int, str]) -> str:
    """The sender's name, or how many there are; one that was removed has no name any more."""
    if len(senders) == 1:
        return names.get(next(iter(senders)), "A sender of its own")
    return f"{len(senders)} senders of its own" if senders else ""


def _found_words(wish: Wish, number: int, has_more: bool) -> str:
    if not wish.search:
        return "All are shown."
    if not number:
        return f"There is none with “{wish.search}” in its name."
    found = f"more than {number} are" if has_more else f"{number} {'is' if number == 1 else 'are'}"
    return f"{found[0].upper()}{found[1:]} found with “{wish.search}” in the name."
