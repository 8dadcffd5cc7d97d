"""Settings › Email notifications: by recipient and category, each with its switch."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from flask import Blueprint, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from kartramail.assets.drafts import WORDS
from kartramail.assets.effective import EffectiveSetting
from kartramail.assets.kinds import TYPES, Recipient
from kartramail.assets.settings import change_setting, load_setting, load_settings
from kartramail.assets.views.scope import EVERYWHERE, LIST, find_scope, kinds_of
from kartramail.assets.views.shown import slug_of
from kartramail.senders.further import load_senders
from kartramail.web.access import database, person, signed_in_required
from kartramail.web.fragments import wants_fragment

blueprint = Blueprint("notifications", __name__)

_HEADINGS = {
    Recipient.CONTACT: "To your contacts",
    Recipient.TEAM: "To your team",
    Recipient.AFFILIATE: "To your affiliates",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One notification as the list shows it. `sender`: the name of the one chosen for it, or ""."""

    setting: EffectiveSetting
    sender: str

    @property
    def is_changed(self) -> bool:
        """Whether its words differ from ours."""
        return not self.setting.inherited.issuperset(WORDS)

    @property
    def anchor(self) -> str:
        """The id of its row."""
        return slug_of(self.setting.type)


@dataclass(frozen=True, slots=True)
class Group:
    """Those of one recipient, by category. The word of a category is "" where there is only one."""

    heading: str
    categories: list[tuple[str, list[Row]]]


@blueprint.get(LIST)
@signed_in_required
def index() -> str:
    """The whole list."""
    with database().reading() as session:
        settings = load_settings(session, person().account_id, None, TYPES.values())
        senders = load_senders(session, person().account_id)
    names = {sender.sender_id: sender.name for sender in senders}
    return render_template("notifications/index.html", groups=list(_groups(settings, names)))


@blueprint.post(f"{EVERYWHERE}/switch")
@signed_in_required
def switch(type_name: str) -> ResponseReturnValue:
    """Switch one on or off, as the button that was pressed says; answers its row anew."""
    one = find_scope(type_name).type
    if request.form.get("enabled") not in ("on", "off"):
        abort(400)
    wanted = request.form["enabled"] == "on"
    with database().transaction() as session:
        change_setting(
            session,
            person().account_id,
            None,
            one,
            {"enabled": None if wanted else False},  # on is what it is by itself
            user_id=person().user_id,
        )
        setting = load_setting(session, person().account_id, None, one)
        senders = load_senders(session, person().account_id)
    row = _row(setting, {sender.sender_id: sender.name for sender in senders})
    if wants_fragment():
        return render_template("notifications/_switched.html", row=row)
    return redirect(f"{LIST}#{row.anchor}", 303)


def _groups(settings: list[EffectiveSetting], names: dict[int, str]) -> Iterator[Group]:
    for recipient, heading in _HEADINGS.items():
        rows = [_row(one, names) for one in settings if one.type.recipient is recipient]
        if not rows:
            continue
        by_category = groupby(rows, key=lambda row: row.setting.type.category)
        categories = [(_word_of(found), found) for found in (list(each) for _, each in by_category)]
        yield Group(heading, categories)


def _word_of(rows: list[Row]) -> str:
    """ "Calendars", "Forms and pages"; "" for those that everything sends."""
    plurals = [kind.plural for kind in kinds_of(rows[0].setting.type)]
    return " and ".join([*plurals[:1], *(plural.lower() for plural in plurals[1:])])


def _row(setting: EffectiveSetting, names: dict[int, str]) -> Row:
    return Row(setting, names.get(setting.sender_id or 0, ""))
