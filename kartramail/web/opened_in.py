"""A form belongs to the account that it was opened in, and is never saved into another (R-SAVE).

A person in two accounts may open a form in one and switch to the other in another tab. So every
form names its account in a hidden field, which the macros `csrf` and `hidden` write. Without the
field there is no check. It needs no signature: the CSRF token says that the form is ours, and a
forged name could only keep its sender from saving.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import g, request
from flask_login import current_user
from flask_wtf import FlaskForm

from kartramail.accounts.sign_ins import list_accounts
from kartramail.ids import read_id, show_id
from kartramail.web.access import database, person

FIELD = "opened_in"
V = TypeVar("V", bound=Callable[..., Any])

_in_any_account: set[Callable[..., Any]] = set()


@dataclass(frozen=True, slots=True)
class OtherAccount:
    """An account that a form was opened in, and that is not the one worked in now.

    `shown_id` and `business_name` are None where it is none of this person's (any more).
    """

    shown_id: str | None
    business_name: str | None

    @property
    def is_theirs(self) -> bool:
        """Whether the person can go back to it."""
        return self.shown_id is not None


class AccountBoundForm(FlaskForm):
    """A form that is not valid in another account than the one it was opened in."""

    def validate(self, extra_validators: Any = None) -> bool:
        """As the fields say, and in its own account."""
        is_valid: bool = super().validate(extra_validators)
        return is_valid and form_of_other_account() is None


def in_any_account(view: V) -> V:
    """For a view that does the same whatever account is worked in, such as signing out."""
    _in_any_account.add(view)
    return view


def is_in_any_account(view: Callable[..., Any]) -> bool:
    """Whether the view was marked so."""
    return view in _in_any_account


def working_in() -> str:
    """The account worked in now as forms name it; empty for strangers."""
    if not (current_user and current_user.is_authenticated):
        return ""
    return show_id(person().account_id)


def form_of_other_account() -> OtherAccount | None:
    """The account that the form sent now was opened in, where that is another one."""
    if request.method != "POST" or FIELD not in request.form:
        return None
    if "other_account" not in g:
        g.other_account = other_account(request.form[FIELD])
    found: OtherAccount | None = g.other_account
    return found


def other_account(shown_id: str) -> OtherAccount | None:
    """The account of that name, where it is another than the one worked in now."""
    here = working_in()
    if not here or not shown_id or shown_id == here:
        return None
    wanted = read_id(shown_id)
    with database().reading() as session:
        theirs = {each.id: each for each in list_accounts(session, person().user_id)}
    found = theirs.get(wanted) if wanted is not None else None
    return OtherAccount(show_id(found.id), found.business_name) if found else _NOBODYS


_NOBODYS = OtherAccount(None, None)
