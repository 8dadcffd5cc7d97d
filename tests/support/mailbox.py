"""What the platform mailed to somebody, read from the outbox before it is delivered."""

from urllib.parse import urlsplit

from sqlmodel import col, select

from kartramail.installation import Installation
from kartramail.outbox.models import Message


def mails_to(installation: Installation, address: str) -> list[Message]:
    """The mails that wait for this address, oldest first."""
    with installation.db.reading() as session:
        statement = select(Message).where(Message.to_addr == address).order_by(col(Message.id))
        return list(session.exec(statement))


def templates_to(installation: Installation, address: str) -> list[str | None]:
    """Which mails they are."""
    return [mail.template for mail in mails_to(installation, address)]


def newest_link(installation: Installation, address: str) -> str:
    """The path of the link in the newest mail."""
    variables = mails_to(installation, address)[-1].variables or {}
    return urlsplit(str(variables["link"])).path
