"""The team: who is in it, invitations, roles. Members see it, owners change it."""

from flask import abort, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from kartramail.accounts.forms import InviteForm
from kartramail.accounts.invitations import (
    LIFETIME,
    MOST_OPEN,
    Invited,
    invite,
    send_invitation_again,
    withdraw_invitation,
)
from kartramail.accounts.models import Role
from kartramail.accounts.open_invitations import list_invitations
from kartramail.accounts.team import TeamChange, change_role, list_team, remove_member
from kartramail.accounts.views.routes import blueprint
from kartramail.clock import now
from kartramail.errors import NotFound
from kartramail.ids import read_id
from kartramail.rules.addresses import Address
from kartramail.rules.mail_hosts import judge_mail_host
from kartramail.web.access import (
    database,
    installation,
    owner_required,
    person,
    signed_in_required,
)
from kartramail.web.forms import has_lost_token, keeps_input
from kartramail.web.limits import by_person, limiter
from kartramail.web.waiting import shown_again

LAST_OWNER = "An account needs an owner, and this is the last one. Make somebody else owner first."
_NOT_INVITED = {
    Invited.IN_TEAM: "This person is in the team already.",
    Invited.OPEN_ALREADY: "This address is invited already. Send the invitation again below.",
    Invited.TOO_MANY: f"{MOST_OPEN} invitations are open. Withdraw some before you send more.",
}


@blueprint.get("/settings/team")
@signed_in_required
def team() -> ResponseReturnValue:
    """Everybody in the account, and who was invited."""
    return _page(_form(is_empty=True))


def _too_often(words: str) -> str | None:
    if not current_user.is_authenticated:
        return None
    form = _form()
    form.refuse("email", words)
    return _page(form)


@blueprint.post("/settings/team")
@keeps_input
@limiter.limit("30/hour", key_func=by_person, on_breach=shown_again(_too_often))
@owner_required
def invite_somebody() -> ResponseReturnValue:
    """Mail an invitation."""
    form = _form()
    if form.has_taken_suggestion():
        return _page(form)
    address = _address(form) if form.validate_on_submit() else None
    if address is None:
        return _page(form), 422
    with database().transaction() as session:
        outcome = invite(session, _base_url(), person(), address, Role(form.role.data))
    if outcome is not Invited.SENT:
        form.refuse("email", _NOT_INVITED[outcome])
        return _page(form), 422
    flash(f"An invitation is on its way to {address.text}.", "ok")
    return redirect("/settings/team", 303)


def _address(form: InviteForm) -> Address | None:
    """The address of a form that is valid, where mail to it can arrive."""
    address = form.judged.address if form.judged else None
    if address is None:
        return None
    verdict = judge_mail_host(address.domain, *installation().resolver.mail_hosts(address.domain))
    if not verdict.is_error:
        return address
    form.verdicts["email"] = verdict
    form.refuse("email", verdict.message)
    return None


@blueprint.post("/settings/team/invitations/<shown_id>/again")
@limiter.limit("30/hour", key_func=by_person)
@owner_required
def send_again(shown_id: str) -> ResponseReturnValue:
    """Mail a new link; the one before is void."""
    with database().transaction() as session:
        invitation = send_invitation_again(session, _base_url(), person(), _number(shown_id))
    flash(f"A new invitation is on its way to {invitation.email}; the old link is void.", "ok")
    return redirect("/settings/team", 303)


@blueprint.post("/settings/team/invitations/<shown_id>/withdraw")
@owner_required
def withdraw(shown_id: str) -> ResponseReturnValue:
    """Take an invitation back."""
    with database().transaction() as session:
        invitation = withdraw_invitation(session, person(), _number(shown_id))
    flash(f"The invitation of {invitation.email} is withdrawn; its link is void.", "ok")
    return redirect("/settings/team", 303)


@blueprint.post("/settings/team/<shown_id>/role")
@owner_required
def give_role(shown_id: str) -> ResponseReturnValue:
    """Make somebody owner or member."""
    wanted = request.form.get("role", "")
    if wanted not in list(Role):
        abort(400)
    with database().transaction() as session:
        outcome = change_role(
            session, person().account_id, _number(shown_id), Role(wanted), by=person().user_id
        )
    words = "The role is changed."
    if wanted == Role.MEMBER:
        words += " Invitations as owner that they had sent, and nobody had taken, are withdrawn."
    return _answer(outcome, words)


@blueprint.post("/settings/team/<shown_id>/remove")
@owner_required
def remove(shown_id: str) -> ResponseReturnValue:
    """Take somebody out of the team."""
    with database().transaction() as session:
        outcome = remove_member(
            session, person().account_id, _number(shown_id), by=person().user_id
        )
    return _answer(outcome, "They are no longer in the team, and signed out of this account.")


def _answer(outcome: TeamChange, words: str) -> ResponseReturnValue:
    if outcome is TeamChange.LAST_OWNER:
        flash(LAST_OWNER, "error")
    else:
        flash(words, "ok")
    return redirect("/settings/team", 303)


def _number(shown_id: str) -> int:
    number = read_id(shown_id)
    if number is None:
        raise NotFound("There is nothing of that name.")
    return number


def _base_url() -> str:
    return installation().settings.base_url


def _form(*, is_empty: bool = False) -> InviteForm:
    policy = installation().address_policy()
    return InviteForm(policy, formdata=None) if is_empty else InviteForm(policy)


def _page(form: InviteForm) -> str:
    with database().reading() as session:
        members = list_team(session, person().account_id)
        invitations = list_invitations(session, person().account_id)
    return render_template(
        "accounts/team.html",
        form=form,
        members=members,
        invitations=invitations,
        lifetime=LIFETIME,
        now=now(),
        is_stale=has_lost_token(form),
    )
