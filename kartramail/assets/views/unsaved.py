"""The editor again with all that was typed, where it could not be saved (R-SAVE, R-EDIT)."""

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from kartramail.accounts.forms import log_in_form
from kartramail.assets.editing import last_change_of
from kartramail.assets.forms import NotificationForm
from kartramail.assets.settings import Conflict
from kartramail.assets.views.editor_page import show_editor
from kartramail.assets.views.scope import Scope
from kartramail.web.access import database, person
from kartramail.web.forms import has_lost_token
from kartramail.web.resume import is_sent_from_here, stash

_SIGNED_IN_ANEW = (
    "You were signed in anew since this page was opened. What you typed is still here: press "
    "{} once more."
)


def show_again(scope: Scope, form: NotificationForm, button: str) -> ResponseReturnValue:
    """The page for a form that came without a good token, or is none of ours."""
    is_lost = has_lost_token(form)
    notice = _SIGNED_IN_ANEW.format(button) if is_lost else "Look at the form once more."
    form.csrf_token.errors = ()
    return show_editor(scope, form, notice=notice, status=422)


def ask_to_sign_in() -> ResponseReturnValue:
    """The sign-in page, which carries what was typed (R-EDIT).

    Where it is too much to carry, the page that was sent stays open beside the sign-in page.
    """
    path = request.path.removesuffix("/sample")
    if not is_sent_from_here():
        return redirect(path, 303)
    form = NotificationForm()
    form.csrf_token.errors = ()
    text = stash(path, form.kept)
    if not text:
        return render_template("notifications/kept.html", form=form, path=path), 401
    return render_template(
        "accounts/log_in.html", form=log_in_form(next_path=path, resume=text)
    ), 401


def show_conflict(scope: Scope, form: NotificationForm, conflict: Conflict) -> ResponseReturnValue:
    """Keep what was typed, say that there is something newer; the next press saves over it."""
    form.version.data = str(conflict.setting.version)
    with database().reading() as session:
        change = last_change_of(session, person().account_id, scope.type)
    return show_editor(scope, form, conflict=conflict.setting, change=change, status=409)
