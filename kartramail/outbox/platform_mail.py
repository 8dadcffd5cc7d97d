"""Mail of the platform itself: asked for by name, composed at delivery."""

from typing import Any

from sqlmodel import Session

from kartramail.clock import now
from kartramail.ids import new_id
from kartramail.outbox.lanes import MAIL, PLATFORM, lane_id_for
from kartramail.outbox.models import PLATFORM_SOURCES, Message, MessageState, SourceKind
from kartramail.rules.backoff import kept_for
from kartramail.rules.streams import Stream


def enqueue_platform_mail(
    session: Session,
    template: str,
    to: str,
    variables: dict[str, Any],
    *,
    account_id: int,
    source_kind: SourceKind = SourceKind.PLATFORM,
) -> int:
    """Put a mail from `notifications@PLATFORM_DOMAIN` into the outbox; returns its id.

    `template` names a folder of templates/mail/ (subject.txt, body.txt, body.html); `variables` are
    what it needs, as JSON. They may hold links: they are emptied when the message has ended.
    """
    local, _, domain = to.rpartition("@")
    at = now()
    message = Message(
        id=new_id(),
        account_id=account_id,
        lane_id=lane_id_for(
            session,
            account_id,
            Stream.TRANSACTIONAL,
            PLATFORM if source_kind in PLATFORM_SOURCES else MAIL,
        ),
        stream=Stream.TRANSACTIONAL,
        state=MessageState.QUEUED,
        created_at=at,
        due_at=at,
        expires_at=at + kept_for(Stream.TRANSACTIONAL),
        source_kind=source_kind,
        template=template,
        to_addr=to,
        to_key=f"{local}@{domain}".lower(),
        to_domain=domain.lower(),
        variables=variables,
    )
    session.add(message)
    return message.id
