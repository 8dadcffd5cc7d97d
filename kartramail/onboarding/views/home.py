"""Home: what needs attention, the first steps, and who mail comes from now."""

from dataclasses import dataclass

from flask import redirect, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from kartramail.clock import now
from kartramail.onboarding.checklist import (
    Situation,
    hide_checklist,
    make_checklist,
    read_situation,
    take_up_checklist,
)
from kartramail.onboarding.views.routes import blueprint
from kartramail.senders.standing import Proof
from kartramail.web.access import database, installation, person, signed_in_required
from kartramail.web.reading import as_read


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that needs a look, and where to look."""

    kind: str
    text: str
    link_text: str
    link_href: str


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """The first page; strangers sign in."""
    if not current_user.is_authenticated:
        return redirect("/login")
    situation = _situation()
    checklist = make_checklist(situation)
    return render_template(
        "home/home.html",
        situation=situation,
        concerns=_concerns(situation),
        checklist=checklist,
        now=now(),
    )


@blueprint.get("/onboarding")
@signed_in_required
def onboarding() -> ResponseReturnValue:
    """The first steps on a page of their own."""
    situation = _situation()
    return render_template(
        "onboarding/onboarding.html",
        situation=situation,
        checklist=make_checklist(situation),
    )


@blueprint.post("/onboarding/not-now")
@signed_in_required
def not_now() -> ResponseReturnValue:
    """Put the first steps aside."""
    with database().transaction() as session:
        hide_checklist(session, person().account_id)
    return redirect("/", 303)


@blueprint.post("/onboarding/take-up")
@signed_in_required
def take_up() -> ResponseReturnValue:
    """Go on with the first steps."""
    with database().transaction() as session:
        take_up_checklist(session, person().account_id)
    return redirect("/onboarding", 303)


def _situation() -> Situation:
    with database().reading() as session:
        return read_situation(session, person().account_id, installation().settings.platform_domain)


def _concerns(situation: Situation) -> list[Concern]:
    concerns = []
    if situation.sender.code in ("claimed", "dmarc_policy"):
        domain = situation.standing.domain
        page = f"/settings/domains/{domain.domain or domain.from_domain}"
        concerns.append(Concern("warning", situation.sender.why, "See the domain", page))
    elif situation.standing.proof is Proof.NONE:
        concerns.append(
            Concern(
                "warning",
                f"Waiting for the link sent to {as_read(situation.standing.send_from)}. Until "
                f"somebody follows it, mail leaves from {situation.sender.send_from}.",
                "Send it again or use another address",
                "/settings/integrations",
            )
        )
    if situation.has_failed_test and situation.last_test is not None:
        concerns.append(
            Concern(
                "error",
                f"Your last test did not arrive. {situation.last_test.problem or ''}".strip(),
                "See what went wrong",
                "/settings/integrations",
            )
        )
    return concerns
