"""The page of what one asset sends, and the parts of it that a change is answered by."""

from typing import Any

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from kartramail.assets.event_example import example_call
from kartramail.assets.kinds import types_for
from kartramail.assets.notification_types import NotificationType, Recipient
from kartramail.assets.views.naming import NameForm
from kartramail.assets.views.paths import Named, path_of
from kartramail.assets.views.said import Said, keep_said
from kartramail.assets.views.shown import ShownNotification, show_notifications, slug_of
from kartramail.clock import now
from kartramail.ids import show_id
from kartramail.messages.candidates import Wanted, resolve_wanted
from kartramail.senders.impact import MOST_COUNTED
from kartramail.senders.picker import load_options
from kartramail.web.access import database, installation, person
from kartramail.web.fragments import wants_fragment
from kartramail.web.reading import in_zone

_TO_OTHERS = (("To your team", Recipient.TEAM), ("To your affiliates", Recipient.AFFILIATE))


def show_news(
    named: Named, one: NotificationType, *, status: int = 200, **more: Any
) -> ResponseReturnValue:
    """One notification as it is now, in parts for the open page; whole where no script runs.

    `more` is for the template: `said`, and `is_choosing` with `adding` and `tick` of the picker.
    """
    if not wants_fragment():
        return show_page(named, row={"type": one.name} | more), status
    with database().reading() as session:
        (item,) = _shown(session, named, (one,))
        parts = _picker_parts(session, named, one) if more.get("is_choosing") else {}
    page = render_template(
        "assets/_news.html",
        item=item,
        kind=named.kind,
        is_from_picker="picker" in request.form,
        most_counted=MOST_COUNTED,
        **parts,
        **more,
    )
    return page, status


def answer(named: Named, one: NotificationType, said: Said) -> ResponseReturnValue:
    """What is true now, and the way back; a picker that it was chosen in stays open."""
    if wants_fragment():
        return show_news(named, one, said=said, is_choosing="picker" in request.form)
    if not said.can_travel():
        return show_news(named, one, said=said)
    page = path_of(named.asset)
    keep_said(said, page)
    return redirect(f"{page}#{slug_of(one)}", 303)


def show_page(
    named: Named, form: NameForm | None = None, row: dict[str, Any] | None = None, **more: Any
) -> str:
    """The whole page. `row` is what is special about one of its rows, by the name of its type."""
    types = types_for(named.asset.kind)
    chosen = next((one for one in types if row and one.name == row["type"]), None)
    with database().reading() as session:
        items = _shown(session, named, types)
        if row and chosen and row.get("is_choosing"):
            row |= _picker_parts(session, named, chosen)
    base_url, shown_id = installation().settings.base_url, show_id(named.asset.id)
    own = named.kind.types
    name = named.asset.name
    return render_template(
        "assets/notifications.html",
        asset=named.asset,
        shown_id=shown_id,
        kind=named.kind,
        page=path_of(named.asset),
        own=[item for item in items if item.type in own],
        others=[
            (title, [item for item in items if item.type.recipient is recipient])
            for title, recipient in _TO_OTHERS
        ],
        row=row or {},
        form=form or NameForm(formdata=None, data={"name": name, "was": name}),
        example=example_call(own[0], shown_id, base_url, in_zone(now())),
        most_counted=MOST_COUNTED,
        **more,
    )


def _shown(
    session: Session, named: Named, types: tuple[NotificationType, ...]
) -> list[ShownNotification]:
    return show_notifications(
        session,
        named.asset,
        types,
        business_name=person().business_name,
        platform_domain=installation().settings.platform_domain,
    )


def _picker_parts(session: Session, named: Named, one: NotificationType) -> dict[str, Any]:
    """What the picker needs: all senders, and who it comes from when none is chosen here."""
    domain, account_id = installation().settings.platform_domain, person().account_id
    return {
        "options": load_options(session, account_id, domain),
        "inherited": resolve_wanted(session, Wanted(account_id, type=one.name), domain),
    }


__all__ = ["answer", "show_news", "show_page"]
