"""A sample of a notification, to the person who edits it (R-GLOBAL, R-SAMPLE)."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from kartramail.assets.drafts import Draft
from kartramail.assets.notification_types import NotificationType
from kartramail.assets.previews import finished_words
from kartramail.messages.enqueue import Letter, enqueue_letters
from kartramail.outbox.models import SourceKind
from kartramail.rules.address_syntax import Address


def send_notification_sample(
    session: Session,
    account_id: int,
    asset_id: int | None,
    one: NotificationType,
    draft: Draft,
    *,
    to: Address,
    examples: Mapping[str, Any],
    platform_domain: str,
) -> int:
    """Queue the draft, filled in with the examples; returns the message's id.

    It leaves as the notification itself would (R-RESOLVE). Raises TemplateError for a draft that
    could not be sent.
    """
    letter = Letter(
        to=to,
        words=finished_words(draft),
        variables=examples,
        source_kind=SourceKind.SAMPLE,
        asset_id=asset_id,
        type=one.name,
    )
    (enqueued,) = enqueue_letters(session, account_id, [letter], platform_domain)
    return enqueued.id
