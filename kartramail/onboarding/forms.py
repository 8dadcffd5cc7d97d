"""Fields of sign-up and confirmation."""

from typing import Any

from wtforms import HiddenField, PasswordField, StringField

from kartramail.accounts.forms import PASSWORD_HELP, JudgedForm, filled, name_of, trimmed
from kartramail.accounts.passwords import judge_password
from kartramail.rules.addresses import AddressPolicy, Judged, judge_signup_address
from kartramail.rules.verdict import Status, Verdict


class SignUpForm(JudgedForm):
    """Who signs up. The address is judged by the rules; look-ups are the view's."""

    business_name = StringField(
        "Business name",
        [name_of("your business name")],
        filters=[trimmed],
        description="As your customers know you.",
    )
    full_name = StringField(
        "Your name", [name_of("your name")], filters=[trimmed], description="First and last name."
    )
    email = StringField(
        "Email",
        filters=[trimmed],
        description="You sign in with it. An address on your own domain can be used for sending "
        "at once.",
    )
    password = PasswordField("Password", description=PASSWORD_HELP)
    kept_email = HiddenField()

    def __init__(self, policy: AddressPolicy, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._policy = policy
        self.judged: Judged | None = None

    def validate_email(self, field: Any) -> None:
        """As the rules say; an address that looks mistyped is asked about once."""
        self.judged = judge_signup_address(field.data, self._policy)
        verdict = self.judged.verdict
        is_doubtful = verdict.status is Status.WARNING and verdict.suggestion is not None
        if is_doubtful and self.kept_email.data != field.data:
            self.kept_email.data = field.data
            verdict = Verdict(
                Status.ERROR,
                verdict.code,
                f"{verdict.message} If your address is right as it is, sign up again.",
                verdict.suggestion,
            )
        self.keep(field.name, verdict)

    def validate_password(self, field: Any) -> None:
        """As the rules for passwords say."""
        verdict = judge_password(
            field.data or "", email=self.email.data, business_name=self.business_name.data
        )
        self.keep(field.name, verdict)


class ConfirmForm(JudgedForm):
    """The password chosen at sign-up."""

    password = PasswordField("Password", [filled("Type the password that you chose.")])
