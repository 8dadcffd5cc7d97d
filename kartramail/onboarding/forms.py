"""Fields of sign-up and confirmation."""

from typing import Any

from wtforms import PasswordField, StringField

from kartramail.accounts.forms import (
    PASSWORD_HELP,
    JudgedForm,
    MailedForm,
    filled,
    name_of,
    trimmed,
)
from kartramail.accounts.passwords import judge_password


class SignUpForm(MailedForm):
    """Who signs up. The address is judged by the rules; look-ups are the view's."""

    anyway = "If your address is right as it is, sign up again."

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

    def validate_password(self, field: Any) -> None:
        """As the rules for passwords say."""
        verdict = judge_password(
            field.data or "", email=self.email.data, business_name=self.business_name.data
        )
        self.keep(field.name, verdict)


class ConfirmForm(JudgedForm):
    """The password chosen at sign-up."""

    password = PasswordField("Password", [filled("Type the password that you chose.")])
