"""A checklist as a page, and as the parts of one that changed."""

from typing import Any

from flask import render_template, request
from flask import session as cookie

from kartramail.clock import now
from kartramail.domains.checklist import Checklist
from kartramail.domains.dns_hosts import find_dns_host
from kartramail.domains.forms import ShareForm
from kartramail.domains.instructions import (
    as_text,
    make_link,
    records_to_set,
    words_on_what_is_there,
)
from kartramail.domains.platform import lists_sending_ips
from kartramail.domains.views.practising import practice_rows
from kartramail.domains.views.removal import removal_words
from kartramail.domains.views.shown import (
    badge_of,
    changed_parts,
    is_unsettled,
    needed_titles,
    next_step,
    shown_dmarc,
    shown_records,
    spf_standing,
    wait_before,
    what_is_seen,
)
from kartramail.rules.domain_names import show_domain
from kartramail.web.access import database, installation, person
from kartramail.web.forms import has_lost_token

_WHO = "domain_set_up_by"
_ANSWERS = ("me", "other")


def remember_who(answer: str | None) -> None:
    """Keep who sets the records up, as the person said it, for all domains."""
    if answer in _ANSWERS:
        cookie[_WHO] = answer


def render_page(
    checklist: Checklist, *, share: ShareForm | None = None, who: str | None = None
) -> str:
    """The whole page; `share` with what was typed where it could not be sent."""
    settings = installation().settings
    account_id = person().account_id
    with database().reading() as db:
        uses_words = removal_words(db, account_id, checklist)
        secret = settings.secret_key.get_secret_value()
        link = make_link(db, account_id, checklist.domain, secret)
    form = share or ShareForm(installation().address_policy(), formdata=None)
    return render_template(
        "domains/domain.html",
        **_what_is_shown(checklist, is_own_work=(who or _who()) == "me"),
        who=who or _who(),
        form=form,
        is_stale=share is not None and has_lost_token(share),
        link=f"{settings.base_url}/dns/{link}",
        uses_words=uses_words,
        practice=practice_rows(checklist),
        look=1,
        wait=wait_before(1) if is_unsettled(checklist) else None,
    )


def render_live(checklist: Checklist, look_number: int, seen: str = "") -> str:
    """The part that asks again, with the parts of the page that changed since `seen`."""
    return render_template(
        "domains/_live.html",
        **_what_is_shown(checklist, is_own_work=_who() == "me"),
        changed=changed_parts(seen, checklist),
        look=look_number,
        wait=wait_before(look_number) if is_unsettled(checklist) else None,
    )


def _what_is_shown(checklist: Checklist, *, is_own_work: bool) -> dict[str, Any]:
    dns_host = find_dns_host(checklist.name_servers)
    with database().reading() as db:
        lists_us = lists_sending_ips(db, installation().settings)
    return {
        "checklist": checklist,
        "domain": checklist.domain,
        "shown": show_domain(checklist.domain),
        "badge_of": badge_of(checklist),
        "records": shown_records(checklist),
        "dmarc": shown_dmarc(checklist),
        "spf_standing": spf_standing(checklist, lists_us),
        "missing_titles": needed_titles(checklist),
        "dns_host": dns_host,
        "next_step": next_step(
            checklist, dns_host.name if dns_host else None, is_own_work=is_own_work
        ),
        "is_unsettled": is_unsettled(checklist),
        "text": as_text(records_to_set(checklist)),
        "what_is_there": words_on_what_is_there(checklist),
        "seen": what_is_seen(checklist),
        "moment": now(),
    }


def _who() -> str:
    """Who sets it up, as was said last; on a phone nobody copies 400 characters (look.md)."""
    kept = cookie.get(_WHO)
    if kept in _ANSWERS:
        return str(kept)
    is_phone = request.headers.get("Sec-CH-UA-Mobile") == "?1" or "Mobi" in (
        request.headers.get("User-Agent") or ""
    )
    return "other" if is_phone else "me"
