"""Messages of all kinds for the tour: booked and sent, put off, refused, from a program."""

from datetime import timedelta
from typing import Any

from sqlmodel import Session

from kartramail.assets.service import create_asset
from kartramail.clock import now
from kartramail.config import Settings
from kartramail.messages.answers import store_resolution
from kartramail.messages.candidates import Wanted, resolve_wanted
from kartramail.messages.resolution import Resolution
from kartramail.outbox.lanes import hold_lane, lane_id_for
from kartramail.outbox.models import Attempt, MessageState, SourceKind
from kartramail.rules.streams import Stream
from tests.support.cast import Actor
from tests.support.outbox import add_messages

BOOKED = (
    "{{ contact.first_name }}, your time with us is booked",
    "Hello {{ contact.first_name }},\n\nyour first consultation is on {{ starts_at }}.\n",
    '<div style="max-width:560px;margin:0 auto;padding:24px;font:15px/24px sans-serif">'
    "<h1 style='font-size:22px'>You are booked</h1><p>Hello {{ contact.first_name }},</p>"
    "<p>your first consultation is on <strong>{{ starts_at }}</strong>.</p></div>",
)
RECEIPT = ("Your receipt for order {{ n }}", "Thank you for your order {{ n }}.\n", None)
NEWS = ("What is new in spring", "The garden is open again.\n", None)
PEOPLE = ("Pat", "Kim", "Robin", "Sasha", "Alex", "Jo")


def furnish_activity(session: Session, actor: Actor, settings: Settings) -> dict[str, int]:
    """A day of messages; returns the ids of those that the tour opens."""
    account_id, domain = actor.account_id, settings.platform_domain
    asset = create_asset(session, account_id, "calendar", "First consultation")
    kind = "calendar.booked"

    def sender_of(**named: Any) -> int:
        resolution = resolve_wanted(session, Wanted(account_id, **named), domain)
        return store_resolution(session, account_id, resolution)

    by_program, by_calendar = sender_of(), sender_of(asset_id=asset.id, type=kind)
    at = now()
    gone: dict[str, Any] = {"due_at": None, "tries": 1, "attempts": 1}
    sent = gone | {
        "state": MessageState.SENT,
        "sent_at": at,
        "reply": "250 2.0.0 Ok: queued as 4XqT2k1hJz",
        "server": "mx1.example.net",
    }
    booked = {
        "words": BOOKED,
        "source_kind": SourceKind.NOTIFICATION,
        "asset_id": asset.id,
        "type": kind,
        "resolved_id": by_calendar,
    }
    add_messages(session, account_id, 6, words=RECEIPT, resolved_id=by_program, **sent)
    opened = []
    for person in PEOPLE:
        named = {"contact": {"first_name": person}, "starts_at": "Tuesday, 14 March, 10:00"}
        address = f"{person.lower()}@example.net"
        to = {"variables": named, "to_addr": address, "to_key": address}
        opened += add_messages(session, account_id, 1, **(booked | sent | to))
    temporary = Resolution(
        "Doe Inc.",
        f"doe-inc@{domain}",
        "hello@doeinc.com",
        None,
        "unproven",
        "Nobody has followed the link sent to hello@doeinc.com yet, so mail leaves from your "
        f"temporary address doe-inc@{domain} and replies go to you.",
        is_as_wanted=False,
    )
    number = store_resolution(session, account_id, temporary)
    add_messages(session, account_id, 1, words=RECEIPT, resolved_id=number, **sent)
    bounced = gone | {"state": MessageState.BOUNCED, "server": "mx1.example.net"}
    words = "550 5.1.1 <r0@example.net>: Recipient address rejected: User unknown"
    (refused,) = add_messages(
        session, account_id, 1, words=RECEIPT, resolved_id=by_program, reply=words, **bounced
    )
    _log(session, refused, 1, "rcpt", 550, words)
    later = {"state": MessageState.DEFERRED, "due_at": at + timedelta(hours=1), "tries": 2}
    to = {"to_addr": "jo.marsh@example.net", "to_key": "jo.marsh@example.net"}
    words = (
        "450 4.2.0 <jo.marsh@example.net>: Recipient address rejected: Greylisted, come back later"
    )
    (deferred,) = add_messages(
        session,
        account_id,
        1,
        reply=words,
        server="mx1.example.net",
        attempts=2,
        **(booked | later | to | {"variables": named}),
    )
    _log(session, deferred, 1, "connect", None, "Connection refused")
    _log(session, deferred, 2, "rcpt", 450, words)
    paused = _pause_news(session, account_id, by_program)
    return {"sent": opened[-1], "deferred": deferred, "bounced": refused, "paused": paused}


def _pause_news(session: Session, account_id: int, resolved_id: int) -> int:
    """Commercial mail that stays, since its lane is paused; returns the id of one."""
    first, *_ = add_messages(
        session, account_id, 3, words=NEWS, stream=Stream.COMMERCIAL, resolved_id=resolved_id
    )
    hold_lane(session, account_id, lane_id_for(session, account_id, Stream.COMMERCIAL))
    return first


def _log(
    session: Session, message_id: int, n: int, stage: str, code: int | None, reply: str
) -> None:
    session.add(
        Attempt(
            message_id=message_id,
            n=n,
            stage=stage,
            code=code,
            reply=reply,
            server="mx1.example.net",
            at=now() + timedelta(seconds=n),
        )
    )
