"""The fields in which a notification gets its words and its sender, and the help below each."""

from wtforms import BooleanField, HiddenField, StringField, TextAreaField

from kartramail.assets.drafts import WORDS, Draft
from kartramail.ids import read_id
from kartramail.web.opened_in import AccountBoundForm

HELP = {
    "subject": "Inboxes show about the first 60 characters.",
    "html": "HTML. Change the words between the tags; what stands in {{ }} is filled in for each "
    "message.",
    "text": "For mail programs without HTML. Left empty, it is made from the message.",
}


class NotificationForm(AccountBoundForm):
    """Words and sender of one notification. The rules judge the words, not WTForms.

    `sender_id` empty: as inherited. `version` is the one that was read; without it there is no
    check for another tab (R-SAVE).
    """

    subject = StringField("Subject")
    html = TextAreaField("Message")
    text = TextAreaField("Text version")
    sender_id = StringField("Sender")
    accept_low_delivery = BooleanField("I understand that fewer of my messages will arrive")
    version = HiddenField()

    @property
    def draft(self) -> Draft:
        """The words as they were typed."""
        return Draft.typed({name: self[name].data or "" for name in WORDS})

    @property
    def chosen_sender(self) -> int | None:
        """The sender that was picked; None for the inherited one."""
        return read_id(self.sender_id.data or "")

    @property
    def read_version(self) -> int | None:
        """The version that the form was filled in from, where it says one."""
        text = (self.version.data or "").strip()
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None

    @property
    def kept(self) -> dict[str, str]:
        """What has to come through the sign-in page."""
        return self.draft.words | {
            "sender_id": self.sender_id.data or "",
            "version": self.version.data or "",
        }
