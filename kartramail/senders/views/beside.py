"""The other buttons of the Edit page, pressed without JavaScript (R-EDIT).

They belong to the sender form, so that the page comes back with what was typed; nothing of it is
saved. With JavaScript the same buttons ask for a fragment, see `trial` and `proof`.
"""

from collections.abc import Callable
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue

from kartramail.ids import read_id, show_id
from kartramail.senders.forms import SenderForm
from kartramail.senders.views.edit_page import judge, show_edit_page
from kartramail.senders.views.places import Place
from kartramail.senders.views.proof import send_link
from kartramail.senders.views.trial import (
    TOO_OFTEN,
    find_progress,
    send_own_sample,
    send_own_test,
)

BUTTON = "beside"
"""The name of these buttons; the value says which one was pressed."""

_LOOK = "look:"


def press(place: Place, form: SenderForm, button: str) -> ResponseReturnValue:
    """Do what the button says and show the page again. An unknown one does nothing."""
    if button == "link":
        kind, words = send_link(place)
        return _page(place, form, link_result={"kind": kind, "words": words})
    if button in _SENDERS:
        message_id = _SENDERS[button]()
        return (
            _follow(place, form, message_id)
            if message_id
            else _page(place, form, trial_problem=TOO_OFTEN)
        )
    if button.startswith(_LOOK):
        return _follow(place, form, read_id(button.removeprefix(_LOOK)))
    return _page(place, form)


_SENDERS: dict[str, Callable[[], int | None]] = {"test": send_own_test, "sample": send_own_sample}


def pressed() -> str | None:
    """Which of these buttons sent the form, if one of them did."""
    return request.form.get(BUTTON)


def _follow(place: Place, form: SenderForm, message_id: int | None) -> ResponseReturnValue:
    found = find_progress(message_id) if message_id else None
    shown = "" if found is None or found.is_final else show_id(found.id)
    return _page(
        place,
        form,
        progress=found,
        look=f"{_LOOK}{shown}" if shown else "",
        follow=f"{shown}?looks=1" if shown else "",
    )


def _page(place: Place, form: SenderForm, **more: Any) -> ResponseReturnValue:
    return show_edit_page(place, form, judge(form).verdicts, **more)
