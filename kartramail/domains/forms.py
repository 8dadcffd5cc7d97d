"""Fields of the pages about domains."""

from typing import Any

from wtforms import StringField, TextAreaField
from wtforms.validators import ValidationError

from kartramail.accounts.forms import JudgedForm, lines, trimmed
from kartramail.rules.addresses import Address, AddressPolicy, judge_recipient_address
from kartramail.rules.domain_names import JudgedDomain, judge_domain

DOMAIN_HELP = "What stands after the @ in your business address, such as yourbusiness.com."
MAX_NOTE = 500


class DomainForm(JudgedForm):
    """A domain to add. `judged` is set once the form was validated."""

    domain = StringField("Domain", filters=[trimmed], description=DOMAIN_HELP)

    def __init__(self, policy: AddressPolicy, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._policy = policy
        self.judged: JudgedDomain | None = None

    def validate_domain(self, field: Any) -> None:
        """As the rules for domains say."""
        self.judged = judge_domain(field.data or "", self._policy)
        self.keep(field.name, self.judged.verdict)


class ShareForm(JudgedForm):
    """Who is to get the records, and a word to them. `address` is set once it was validated."""

    email = StringField(
        "Their email address",
        filters=[trimmed],
        description="Whoever runs your website or your DNS.",
    )
    note = TextAreaField(
        "Your note",
        filters=[lines],
        description=f"It stands in the mail. {MAX_NOTE} characters at most.",
    )

    def __init__(self, policy: AddressPolicy, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._policy = policy
        self.address: Address | None = None

    def validate_email(self, field: Any) -> None:
        """Any address that can take mail."""
        judged = judge_recipient_address(field.data or "", self._policy)
        self.address = judged.address
        self.keep(field.name, judged.verdict)

    def validate_note(self, field: Any) -> None:
        """Short, since it goes to somebody who does not know us."""
        if len(field.data or "") > MAX_NOTE:
            raise ValidationError(f"{MAX_NOTE} characters at most, so that it is read.")
