"""The page of the sender form: as it is saved, or again with everything that was typed (R-EDIT)."""

from collections.abc import Mapping

from flask import render_template
from flask.typing import ResponseReturnValue

from kartramail.clock import now
from kartramail.messages.resolution import resolve_sender
from kartramail.rules.address_syntax import Address, read_address
from kartramail.rules.sender_details import FIELDS, JudgedSender
from kartramail.rules.verdict import OK, Verdict
from kartramail.senders.card import SenderCard
from kartramail.senders.forms import HELP, SenderForm
from kartramail.senders.judging import judge_typed
from kartramail.senders.low_delivery import LowDelivery, low_delivery_of
from kartramail.senders.rows import SenderView
from kartramail.senders.views.places import Place
from kartramail.senders.views.use_words import impact_of
from kartramail.web.access import database, installation, person
from kartramail.web.opened_in import form_of_other_account
from kartramail.web.reading import as_read
from kartramail.web.resume import Resumed, stash


def judge(form: SenderForm) -> JudgedSender:
    """What the rules say of what was typed; asks no DNS."""
    return judge_typed(installation(), person().account_id, form.typed)


def show_edit_page(
    place: Place,
    form: SenderForm | None = None,
    verdicts: Mapping[str, Verdict] | None = None,
    *,
    status: int = 200,
    tick: Verdict | None = None,
    **more: object,
) -> ResponseReturnValue:
    """The page with what is saved, or with `form` and what the rules say of it.

    `more` is for the template: `notice`, `conflict` and `change`, `other_account`, `progress` …
    `tick` is the verdict on the box that R-LOWDELIV asks for, where it is missing.
    """
    with database().reading() as session:
        card = place.load(session)
        impact = impact_of(session, card.sender) if card else ""
    saved = _as_typed(card.sender) if card else dict.fromkeys(FIELDS, "")
    typed = form.typed if form else saved
    form = form or SenderForm(formdata=None, data=saved | _of_saved(card))
    form.sender.data = place.checked
    verdicts = verdicts or {}
    form.show_faults(verdicts if status == 422 else dict.fromkeys(verdicts, OK), tick)
    page = render_template(
        place.template,
        place=place,
        form=form,
        verdicts={name: _shown(verdict) for name, verdict in verdicts.items()},
        help=HELP,
        card=card,
        resolution=resolve_sender(card.standing) if card else None,
        low_delivery=_typed_low_delivery(form, card),
        impact=impact,
        changed={name: typed[name] for name in FIELDS if not card or typed[name] != saved[name]},
        moment=now(),
        **more,
    )
    return page, status


def show_in_other_account(
    place: Place, form: SenderForm, kept: Resumed | None = None
) -> ResponseReturnValue:
    """What was typed in another account than this one: kept, and not saved (R-SAVE).

    It was sent just now, or comes through the sign-in page as `kept`. The next press would save it
    here on purpose, so the form takes this account's version.
    """
    resume = stash(place.path, form.kept, opened_in=kept.opened_in if kept else None)
    with database().reading() as session:
        card = place.load(session)
    form.version.data = str(card.sender.version) if card else ""
    other = kept.other if kept else form_of_other_account()
    return show_edit_page(
        place,
        form,
        judge(form).verdicts,
        status=200 if kept else 409,
        other_account=other,
        resume=resume,
    )


def find_low_delivery(send_from: Address, sender_id: int | None) -> LowDelivery | None:
    """What the tick is about, where wanting this send-from for the sender asks for it."""
    platform_domain = installation().settings.platform_domain
    with database().reading() as session:
        return low_delivery_of(
            session, person().account_id, send_from, platform_domain, sender_id=sender_id
        )


def _typed_low_delivery(form: SenderForm, card: SenderCard | None) -> LowDelivery | None:
    address = read_address(form.send_from.data or "")
    if not isinstance(address, Address):
        return None
    return find_low_delivery(address, card.sender.sender_id if card else None)


def _as_typed(sender: SenderView) -> dict[str, str]:
    """The saved details as somebody would type them."""
    return {
        "sender_name": sender.name,
        "send_from": as_read(sender.send_from),
        "reply_to": as_read(sender.reply_to or ""),
    }


def _of_saved(card: SenderCard | None) -> dict[str, str]:
    """What the form remembers beside: what was read, and that these addresses need no question."""
    if card is None:
        return {}
    return {
        "version": str(card.sender.version),
        "kept_send_from": as_read(card.sender.send_from),
        "kept_reply_to": as_read(card.sender.reply_to or ""),
    }


def _shown(verdict: Verdict) -> Verdict | None:
    """Nothing where there is nothing to say, so that the help stays."""
    return None if verdict == OK else verdict
