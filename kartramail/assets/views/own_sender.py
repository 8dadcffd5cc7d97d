"""Who a notification of one asset comes from: chosen, and returned to what is inherited."""

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from kartramail.assets.notification_types import NotificationType
from kartramail.assets.settings import EffectiveSetting, load_setting
from kartramail.assets.views.changing import asked_for, change, tell
from kartramail.assets.views.notification_page import show_news
from kartramail.assets.views.paths import ONE, Named
from kartramail.assets.views.shown import Tick
from kartramail.ids import read_id, show_id
from kartramail.senders.forms.picker import adding_in_picker
from kartramail.senders.low_delivery import FIELD, accept_low_delivery, require_tick
from kartramail.web.access import database, installation, person, signed_in_required

blueprint = Blueprint("own_sender", __name__)


@blueprint.get(f"{ONE}/<type_name>/sender")
@signed_in_required
def choose(kind_name: str, shown_id: str, type_name: str) -> ResponseReturnValue:
    """The senders to choose from; with `?keep=` they are put away again."""
    asset, one = asked_for(kind_name, shown_id, type_name)
    is_choosing = one.may_override_sender and "keep" not in request.args
    return show_news(asset, one, is_choosing=is_choosing, is_put_away=not is_choosing)


@blueprint.post(f"{ONE}/<type_name>/sender")
@signed_in_required
def take_sender(kind_name: str, shown_id: str, type_name: str) -> ResponseReturnValue:
    """Take this sender, or the inherited one; the tick of R-LOWDELIV is asked for before."""
    asset, one = asked_for(kind_name, shown_id, type_name)
    adding = adding_in_picker()
    if adding is not None:  # pressed where no script runs
        return show_news(asset, one, is_choosing=True, adding=adding)
    sender_id = _sender_id()
    before, tick = _take_sender(asset, one, sender_id)
    if tick is not None:
        return show_news(asset, one, status=422, is_choosing=True, tick=tick)
    was = show_id(before.sender_id) if before.sender_id else ""
    words = "It has a sender of its own now." if sender_id else "It has the inherited sender again."
    return tell(asset, one, "sender", words, {"sender_id": was})


def _take_sender(
    asset: Named, one: NotificationType, sender_id: int | None
) -> tuple[EffectiveSetting, Tick | None]:
    """What held before; and the tick, where it is missing and so nothing was changed."""
    account_id, user_id = person().account_id, person().user_id
    with database().transaction() as session:
        before = load_setting(session, account_id, asset.asset.id, one)
        if sender_id is not None:
            domain = installation().settings.platform_domain
            asked = require_tick(session, account_id, sender_id, domain)
            is_answer = request.form.get("asked") == show_id(sender_id)
            if asked is not None and not (is_answer and request.form.get(FIELD)):
                return before, Tick(asked, sender_id, is_missing=is_answer)
            if asked is not None:
                accept_low_delivery(session, account_id, sender_id, user_id=user_id)
        change(session, asset, one, {"sender_id": sender_id})
    return before, None


def _sender_id() -> int | None:
    """The sender that was chosen, in a picker or by a button; None for the inherited one."""
    typed = request.form.get(request.form.get("picker", "sender_id"))
    if typed is None:
        abort(400)
    number = read_id(typed)
    if typed and number is None:
        abort(404)
    return number
