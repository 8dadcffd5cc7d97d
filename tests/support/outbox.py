"""Accounts and messages put straight into the database, for tests of what comes after."""

from datetime import timedelta
from typing import Any

from sqlmodel import Session, col, insert, select

from kartramail.accounts.models import Account
from kartramail.clock import now
from kartramail.db import Database
from kartramail.ids import new_id
from kartramail.outbox.contents import store_content
from kartramail.outbox.lanes import lane_id_for
from kartramail.outbox.models import Message, MessageState, SourceKind
from kartramail.rules.addresses import Address
from kartramail.rules.streams import Stream
from kartramail.senders.service import prefill_gateway, prove_mailbox


def add_account(
    session: Session, business_name: str = "Doe Inc", email: str = "jane@doeinc.com"
) -> int:
    """A confirmed account with its default sender on a proven business address."""
    account = Account(id=new_id(), business_name=business_name, confirmed_at=now())
    session.add(account)
    session.flush()
    local, domain = email.split("@")
    address = Address(local, domain)
    prefill_gateway(
        session,
        account_id=account.id,
        business_name=business_name,
        address=address,
        is_free=False,
        platform_domain="kartra.com",
    )
    prove_mailbox(session, account.id, address.key)
    return account.id


def add_messages(
    session: Session,
    account_id: int,
    count: int,
    *,
    stream: Stream = Stream.TRANSACTIONAL,
    domain: str = "example.net",
    words: tuple[str, str | None, str | None] = ("Hello {{ n }}", "Text {{ n }}\n", None),
    **values: Any,
) -> list[int]:
    """Queued messages to `n@domain`, due now; returns their ids in order."""
    at = now()
    content_id = store_content(session, account_id, words)
    lane_id = lane_id_for(session, account_id, stream)
    rows = [
        {
            "id": new_id(),
            "account_id": account_id,
            "lane_id": lane_id,
            "stream": stream,
            "state": MessageState.QUEUED,
            "created_at": at,
            "due_at": at,
            "expires_at": at + timedelta(days=5),
            "tries": 0,
            "attempts": 0,
            "source_kind": SourceKind.API,
            "content_id": content_id,
            "to_addr": f"r{n}@{domain}",
            "to_key": f"r{n}@{domain}",
            "to_domain": domain,
            "variables": {"n": n},
        }
        | values
        for n in range(count)
    ]
    session.connection().execute(insert(Message), rows)
    return [row["id"] for row in rows]


def messages(db: Database) -> list[Message]:
    """All messages, the oldest first."""
    with db.reading() as session:
        return list(session.exec(select(Message).order_by(col(Message.id))))
