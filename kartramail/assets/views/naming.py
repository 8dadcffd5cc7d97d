"""The fields in which a form, a calendar or a product gets its kind and its name."""

from typing import Any

from flask import request
from wtforms import HiddenField, RadioField, SelectChoice, StringField
from wtforms.validators import ValidationError

from kartramail.assets.kinds import KINDS
from kartramail.assets.names import judge_asset_name
from kartramail.web.opened_in import AccountBoundForm

NAME_HELP = "As people know it: it stands in the messages that they get."


class NameForm(AccountBoundForm):
    """A name. `was` is the one that was read: without it there is no check for another tab."""

    name = StringField("Name", description=NAME_HELP)
    was = HiddenField()

    def validate_name(self, field: Any) -> None:
        """As the rules say; the API asks the same."""
        verdict = judge_asset_name(field.data or "")
        if verdict.is_error:
            raise ValidationError(verdict.message)

    @property
    def read_name(self) -> str | None:
        """The name that the form was filled in from, where it says one."""
        return self.was.data or None


class AssetForm(NameForm):
    """A new one: what it is, and its name."""

    kind = RadioField(
        "Kind", choices=[SelectChoice(kind.name, kind.title) for kind in KINDS.values()]
    )

    name = StringField("Name", description=NAME_HELP)  # once more, to stand after the kind

    def validate_kind(self, field: Any) -> None:
        """WTForms itself would only say that this is not a valid choice."""
        if field.data not in KINDS:
            field.errors = []
            raise ValidationError("Choose what it is: that says which messages it sends.")

    @property
    def typed(self) -> dict[str, str]:
        """What has to come through the sign-in page."""
        return {name: request.form.get(name, "") for name in ("kind", "name")}
