"""Fields of the pages about people, teams, accounts and keys. What they need is handed in."""

from collections.abc import Callable
from typing import Any
from zoneinfo import available_timezones

from flask import request
from wtforms import (
    HiddenField,
    IntegerField,
    PasswordField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import NumberRange, Optional, ValidationError
from wtforms.widgets import HiddenInput

from kartramail.accounts.models import Role
from kartramail.accounts.names import MAX_NAME, judge_name, judge_postal_address
from kartramail.accounts.passwords import judge_password
from kartramail.rules.addresses import AddressPolicy, Judged, judge_signup_address
from kartramail.rules.verdict import Status, Verdict
from kartramail.web.opened_in import AccountBoundForm

PASSWORD_HELP = "At least 10 characters. A few words in a row are easy to remember."  # noqa: S105
_ROLES = [
    SelectChoice(Role.MEMBER.value, "Member"),
    SelectChoice(Role.OWNER.value, "Owner"),
]


def trimmed(text: str | None) -> str:
    """Without spaces around it; a line break at its end is a fault like any other."""
    return (text or "").strip(" ")


def lines(text: str | None) -> str:
    """With plain line ends, without spaces around the whole."""
    return (text or "").replace("\r\n", "\n").replace("\r", "\n").strip()


class JudgedForm(AccountBoundForm):
    """A form that keeps the verdicts of the rules, so that the page can show their suggestions."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.verdicts: dict[str, Verdict] = {}

    def keep(self, name: str, verdict: Verdict) -> None:
        """Remember a verdict about a field. Raises ValidationError where it forbids saving."""
        self.verdicts[name] = verdict
        if verdict.is_error:
            raise ValidationError(verdict.message)

    def refuse(self, name: str, message: str) -> None:
        """Put a sentence below a field after the form itself was fine."""
        field = self[name]
        field.errors = [*field.errors, message]


def name_of(what: str, limit: int = MAX_NAME) -> Callable[[JudgedForm, Any], None]:
    """A validator for names; `what` says whose, as in "your business name"."""

    def check(form: JudgedForm, field: Any) -> None:
        form.keep(field.name, judge_name(field.data, what, limit))

    return check


def filled(message: str) -> Callable[[JudgedForm, Any], None]:
    """A validator for what must not be left empty."""

    def check(form: JudgedForm, field: Any) -> None:
        if not field.data:
            raise ValidationError(message)

    return check


class MailedForm(JudgedForm):
    """A form that has a mail sent to an address. One that looks mistyped is asked about once."""

    kept_email = HiddenField()
    anyway = "If your address is right as it is, send it again."

    def __init__(self, policy: AddressPolicy, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._policy = policy
        self.judged: Judged | None = None

    def validate_email(self, field: Any) -> None:
        """As the rules for a sign-up say."""
        self.judged = judge_signup_address(field.data, self._policy)
        verdict = self.judged.verdict
        is_doubtful = verdict.status is Status.WARNING and verdict.suggestion is not None
        if is_doubtful and self.kept_email.data != field.data:
            self.kept_email.data = field.data
            words = f"{verdict.message} {self.anyway}"
            verdict = Verdict(Status.ERROR, verdict.code, words, verdict.suggestion)
        self.keep(field.name, verdict)

    def has_taken_suggestion(self) -> bool:
        """Without JavaScript "Use …" sends the form: the field takes it, and nothing is done."""
        if "use_email" not in request.form:
            return False
        self["email"].data = request.form["use_email"]
        return True


class LogInForm(JudgedForm):
    """Address and password, and where to go afterwards."""

    email = StringField("Email", [filled("Type your address.")], filters=[trimmed])
    password = PasswordField("Password", [filled("Type your password.")])
    next = HiddenField()
    resume = HiddenField()


def log_in_form(*, next_path: str = "", resume: str = "") -> LogInForm:
    """An empty sign-in form, also for other doors whose session was lost (web/resume.py)."""
    return LogInForm(formdata=None, data={"next": next_path, "resume": resume})


class ForgotForm(JudgedForm):
    """The address to send a link to."""

    email = StringField("Email", [filled("Type your address.")], filters=[trimmed])


class _PasswordForm(JudgedForm):
    """A form with a new password, which must not be the address or the business name."""

    def __init__(self, email: str = "", business_name: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._known = (email, business_name)

    def judge_new(self, field: Any) -> None:
        email, business_name = self._known
        typed = field.data or ""
        self.keep(field.name, judge_password(typed, email=email, business_name=business_name))


class ResetForm(_PasswordForm):
    """A new password."""

    password = PasswordField("New password", description=PASSWORD_HELP)

    def validate_password(self, field: Any) -> None:
        """As the rules for passwords say."""
        self.judge_new(field)


class ChangePasswordForm(_PasswordForm):
    """The old password and the new one."""

    current_password = PasswordField("Current password", [filled("Type your current password.")])
    new_password = PasswordField("New password", description=PASSWORD_HELP)

    def validate_new_password(self, field: Any) -> None:
        """As the rules for passwords say."""
        self.judge_new(field)


class JoinForm(_PasswordForm):
    """The name and password that somebody new chooses when they join a team."""

    full_name = StringField(
        "Your name",
        [name_of("your name")],
        filters=[trimmed],
        description="As your team knows you.",
    )
    password = PasswordField("Password", description=PASSWORD_HELP)

    def validate_password(self, field: Any) -> None:
        """As the rules for passwords say."""
        self.judge_new(field)


class JoinKnownForm(JudgedForm):
    """The password of somebody who has one here already."""

    password = PasswordField("Password", [filled("Type your password.")])


class JoinSignedInForm(JudgedForm):
    """Nothing but the button, for somebody who is signed in."""


class PersonForm(JudgedForm):
    """A person's name."""

    full_name = StringField(
        "Your name",
        [name_of("your name")],
        filters=[trimmed],
        description="As your team knows you.",
    )


class AccountForm(JudgedForm):
    """The account's details. `version` is what its page was opened with (R-SAVE)."""

    business_name = StringField(
        "Business name",
        [name_of("your business name")],
        filters=[trimmed],
        description="As your customers know you.",
    )
    postal_address = TextAreaField(
        "Postal address",
        filters=[lines],
        description="Newsletters and offers must show where you can be reached by post.",
    )
    time_zone = SelectField(
        "Time zone",
        choices=sorted(available_timezones()),
        description="Times on these pages and in schedules are in this zone.",
    )
    version = IntegerField(validators=[Optional(), NumberRange(0, 2**31 - 2)], widget=HiddenInput())

    def validate_postal_address(self, field: Any) -> None:
        """Lines of print, or nothing."""
        self.keep(field.name, judge_postal_address(field.data))


class InviteForm(MailedForm):
    """Who is to join, and as what. The rules for the address are those of a sign-up."""

    anyway = "If the address is right as it is, send the invitation again."

    email = StringField(
        "Email", filters=[trimmed], description="A link to join is sent to this address."
    )
    role = SelectField(
        "Role",
        choices=_ROLES,
        default=Role.MEMBER.value,
        description="Owners can also change the team and the account.",
    )


class ApiKeyForm(JudgedForm):
    """What a key is for."""

    name = StringField(
        "Name",
        [name_of("a name for the key", 100)],
        filters=[trimmed],
        description="What will use it, so that you know later which one to revoke.",
    )
