"""Answers of resolution, each said once and referred to by the messages that it was given for."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, select

from kartramail.ids import new_id
from kartramail.outbox.models import ResolvedSender


@dataclass(frozen=True, slots=True)
class SenderAnswer:
    """What is kept of an answer. `digest` is the same for the same answer."""

    digest: str
    name: str
    send_from: str
    reply_to: str | None
    signing_domain: str | None
    why: list[Any]
    chain: list[Any]


def store_resolved_sender(session: Session, account_id: int, answer: SenderAnswer) -> int:
    """The number of this answer in this account; two that come at once agree on one."""
    connection = session.connection()
    place = {"account": account_id, "digest": answer.digest}
    known = connection.scalar(_FIND, place)  # nearly always: most messages share their answer
    if known is not None:
        return int(known)
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(
        dialect.insert(ResolvedSender)
        .values(
            id=new_id(),
            account_id=account_id,
            hash=answer.digest,
            name=answer.name,
            send_from=answer.send_from,
            reply_to=answer.reply_to,
            signing_domain=answer.signing_domain,
            why=answer.why,
            chain=answer.chain,
        )
        .on_conflict_do_nothing()
    )
    return int(connection.execute(_FIND, place).scalar_one())


# Built once: building a statement costs more than running it.
_FIND = select(ResolvedSender.id).where(
    ResolvedSender.account_id == bindparam("account"), ResolvedSender.hash == bindparam("digest")
)
