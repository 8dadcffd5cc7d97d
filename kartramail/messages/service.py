"""Messages that a person asks for from a page: the test, and the sample of the real sender."""

from sqlmodel import Session

from kartramail.installation import Installation
from kartramail.outbox.models import SourceKind
from kartramail.outbox.platform_mail import enqueue_platform_mail
from kartramail.senders.service import record_test


def send_test(
    session: Session,
    installation: Installation,
    account_id: int,
    *,
    to: str,
    full_name: str,
    business_name: str,
) -> int:
    """Queue the message that checks the mail service end to end; returns its id (R-TEST).

    It comes from `notifications@PLATFORM_DOMAIN`, never from the account's own sender.
    """
    message_id = enqueue_platform_mail(
        session,
        "test",
        to,
        {
            "full_name": full_name,
            "business_name": business_name,
            "link": f"{installation.settings.base_url}/settings/integrations",
        },
        account_id=account_id,
        source_kind=SourceKind.TEST,
    )
    record_test(session, account_id, message_id)
    return message_id


def send_sample(
    session: Session, installation: Installation, account_id: int, *, to: str, full_name: str
) -> int:
    """Queue a message from the sender that would really be used; returns its id (R-SAMPLE).

    What it says of itself (From, Reply-To, return path) is filled in when it is composed.
    """
    return enqueue_platform_mail(
        session,
        "sample",
        to,
        {
            "full_name": full_name,
            "link": f"{installation.settings.base_url}/settings/integrations",
        },
        account_id=account_id,
        source_kind=SourceKind.SAMPLE,
    )
