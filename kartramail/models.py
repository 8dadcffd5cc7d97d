"""All tables in one place: whoever needs the whole schema (migrations) imports this."""

from sqlmodel import SQLModel

from kartramail.accounts import models as accounts
from kartramail.assets import models as assets
from kartramail.domains import models as domains
from kartramail.outbox import destinations, old_messages
from kartramail.outbox import models as outbox
from kartramail.senders import models as senders

metadata = SQLModel.metadata

__all__ = [
    "accounts",
    "assets",
    "destinations",
    "domains",
    "metadata",
    "old_messages",
    "outbox",
    "senders",
]
