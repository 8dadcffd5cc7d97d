"""What removing a domain would touch, said before it is done (R-IMPACT)."""

from sqlmodel import Session

from kartramail.domains.checklist import Checklist
from kartramail.rules.domain_names import show_domain
from kartramail.senders.impact import (
    MOST_COUNTED,
    addresses_on_domain,
    count_waiting_messages,
    senders_on_domain,
)

_MOST_NAMED = 3


def removal_words(session: Session, account_id: int, checklist: Checklist) -> str:
    """The senders on the domain, what becomes of their mail, and how much of it waits now."""
    shown = show_domain(checklist.domain)
    addresses = addresses_on_domain(session, account_id, checklist.domain)
    if not addresses:
        return f"No sender of yours is on {shown}, so no mail changes."
    words = f"{_listed(addresses)} {'is' if len(addresses) == 1 else 'are'} on it. "
    if checklist.is_authenticated:
        words += (
            f"From then on such mail is not signed by {shown}, and it leaves from your temporary "
            "address unless the mailbox itself is confirmed. "
        )
    else:
        words += "As it is not authenticated, their mail goes out as before. "
    if checklist.is_authenticated:
        senders = senders_on_domain(session, account_id, checklist.domain)
        words += _waiting(count_waiting_messages(session, account_id, senders))
    return words.strip()


def _listed(addresses: list[str]) -> str:
    named = addresses[:_MOST_NAMED]
    if len(addresses) > _MOST_NAMED:
        return f"{', '.join(named)} and {len(addresses) - _MOST_NAMED} more addresses"
    return " and ".join(filter(None, (", ".join(named[:-1]), named[-1])))


def _waiting(count: int) -> str:
    if count == 0:
        return ""
    if count == 1:
        return "One message that waits to be sent is touched by it."
    much = f"More than {MOST_COUNTED:,}" if count > MOST_COUNTED else f"{count:,}"
    return f"{much} messages that wait to be sent are touched by it."
