"""A message on its way: what leaves, and how far the conversation about it has come."""

from typing import Self

import flask_mail

from kartramail.adapters.envelopes import Envelope
from kartramail.rules.replies import Reply, Stage


class OutgoingMessage(flask_mail.Message):
    """A message that is already bytes: what was signed is what leaves.

    `id` is the caller's. What the conversation knows of it stands here, too: `stage` is the first
    command that has no good answer yet, `failure` the answer that ended it, `seconds` how long the
    server took for its answers in all. `mail_at` and `dot_at` are places in the stream of what was
    written to the connection: where its MAIL FROM begins, and where its final dot ends.
    `plain_from` and `is_alone` are those of its envelope.
    """

    def __init__(
        self,
        mail_from: str,
        rcpt_to: str,
        data: bytes,
        number: int = 0,
        plain_from: int | None = None,
        is_alone: bool = False,
    ) -> None:
        # Not Flask-Mail's own: it would ask for an application, and for this machine's name in
        # DNS (make_msgid) once a message.
        self.sender = mail_from
        self.recipients = [rcpt_to]
        self.cc, self.bcc = [], []
        self.data = data
        self.plain_from = plain_from
        self.is_alone = is_alone
        self.id = number
        self.is_second_try = False  # a used connection was found gone, at its MAIL FROM
        self.begin()

    @classmethod
    def of(cls, envelope: Envelope) -> Self:
        """The message of an envelope."""
        return cls(
            envelope.mail_from,
            envelope.rcpt_to,
            envelope.data,
            number=envelope.id,
            plain_from=envelope.plain_from,
            is_alone=envelope.is_alone,
        )

    def begin(self) -> None:
        """Nothing of it was said on the connection it goes to."""
        self.stage = Stage.MAIL
        self.failure: Reply | None = None
        self.is_invited = False  # the server said 354
        self.seconds = 0.0
        self.mail_at = self.dot_at = 0

    def as_bytes(self) -> bytes:
        """The message as it was handed in."""
        return self.data

    def has_bad_headers(self) -> bool:
        """Never: the bytes were checked when they were built (rules/headers.py)."""
        return False
