"""Answers of resolution on their way into the outbox, where each is said once."""

from sqlmodel import Session

from kartramail.messages.resolution import Resolution
from kartramail.outbox.resolved_senders import SenderAnswer, store_resolved_sender


def store_resolution(session: Session, account_id: int, sender: Resolution) -> int:
    """The number of this answer in this account."""
    return store_resolved_sender(
        session,
        account_id,
        SenderAnswer(
            digest=sender.digest,
            name=sender.name,
            send_from=sender.send_from,
            reply_to=sender.reply_to,
            signing_domain=sender.signing_domain,
            why=[sender.code, sender.why],
            chain=[step.as_json() for step in sender.chain],
        ),
    )
