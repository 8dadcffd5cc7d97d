"""The fields of the sender form, and the line of help below each."""

from collections.abc import Mapping

from wtforms import BooleanField, HiddenField, StringField

from kartramail.rules.sender_details import FIELDS
from kartramail.rules.verdict import Verdict
from kartramail.web.opened_in import AccountBoundForm

HELP = {
    "sender_name": "What people see beside your mail. 64 characters at most.",
    "send_from": "The address your mail comes from, on a domain of your own.",
    "reply_to": "Where replies go, on the same domain as the address above.",
}


class SenderForm(AccountBoundForm):
    """Name, send-from and reply-to of a sender (R-EDIT). The rules judge it, not WTForms.

    `sender` says which one the live checks are about: empty the default one, `new`, or an id.
    `version` is the one that was read; without it there is no check for another tab (R-SAVE).
    `kept_…` is the address that was asked about already, because it looks mistyped.
    """

    sender_name = StringField("Sender name")
    send_from = StringField("Send-from address")
    reply_to = StringField("Reply-to address")
    accept_low_delivery = BooleanField("I understand that fewer of my messages will arrive")
    sender = HiddenField()
    version = HiddenField()
    kept_send_from = HiddenField()
    kept_reply_to = HiddenField()

    @property
    def read_version(self) -> int | None:
        """The version that the form was filled in from, where it says one."""
        text = (self.version.data or "").strip()
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None

    @property
    def accepts_low_delivery(self) -> bool:
        """Whether the box of R-LOWDELIV is ticked."""
        return bool(self.accept_low_delivery.data)

    def show_faults(self, verdicts: Mapping[str, Verdict], tick: Verdict | None) -> None:
        """Let the fields that keep it from being saved say so; `tick` is the box's, if missing."""
        for name, verdict in verdicts.items():
            self[name].errors = [verdict.message] if verdict.is_error else ()
        self.accept_low_delivery.errors = [tick.message] if tick else ()

    @property
    def typed(self) -> dict[str, str]:
        """The judged fields as they were typed."""
        return {name: self[name].data or "" for name in FIELDS}

    @property
    def kept(self) -> dict[str, str]:
        """What has to come through the sign-in page."""
        return self.typed | {"version": self.version.data or ""}
