"""Messages as the list shows them: who got it, what it said, who it came from, what made it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session

from kartramail.activity.queries import load_senders
from kartramail.activity.subjects import load_subjects
from kartramail.assets.kinds import KINDS, TYPES
from kartramail.assets.service import asset_names
from kartramail.ids import show_id
from kartramail.messages.resolution import Resolution, as_platform
from kartramail.outbox.models import (
    PLATFORM_SOURCES,
    MessageState,
    ResolvedSender,
    SourceKind,
)


@dataclass(frozen=True, slots=True)
class ShownSender:
    """Who a message comes from, as it is kept with it. `code` and `why` as in `Resolution`."""

    name: str
    send_from: str
    reply_to: str | None
    code: str
    why: str
    chain: Sequence[Any]
    is_temporary: bool
    signing_domain: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """What made a message. `path` leads to it, where it has a page."""

    title: str
    detail: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One message of the list. `sender` is None while it is decided only when it leaves."""

    path: str
    to: str
    subject: str
    sender: ShownSender | None
    source: Source
    state: MessageState
    at: datetime


def show_lines(
    session: Session, account_id: int, rows: Sequence[Row[Any]], platform_domain: str
) -> list[Line]:
    """These rows of `find_messages` with their words. Few queries, however many rows."""
    senders = load_senders(session, account_id, {row.resolved_id for row in rows} - {None})
    names = asset_names(session, account_id, {row.asset_id for row in rows} - {None})
    subjects = load_subjects(session, account_id, rows)
    return [
        Line(
            path=f"/activity/{show_id(row.id)}",
            to=row.to_addr,
            subject=subjects[row.id],
            sender=show_sender(senders.get(row.resolved_id), row.source_kind, platform_domain),
            source=show_source(row.source_kind, row.type, row.asset_id, names),
            state=row.state,
            at=row.created_at,
        )
        for row in rows
    ]


def show_sender(
    kept: ResolvedSender | None, source_kind: SourceKind, platform_domain: str
) -> ShownSender | None:
    """What is kept of who it comes from; a test comes from the mail system in any case."""
    if kept is not None:
        code, why = (str(part) for part in (kept.why[0], kept.why[-1]))
        return ShownSender(
            name=kept.name,
            send_from=kept.send_from,
            reply_to=kept.reply_to,
            code=code,
            why=why,
            chain=kept.chain,
            is_temporary=_is_temporary(code, kept.send_from, platform_domain),
            signing_domain=kept.signing_domain,
        )
    if source_kind in PLATFORM_SOURCES:
        return show_resolution(as_platform(platform_domain), platform_domain)
    return None


def show_resolution(resolution: Resolution, platform_domain: str) -> ShownSender:
    """What it would come from now."""
    return ShownSender(
        name=resolution.name,
        send_from=resolution.send_from,
        reply_to=resolution.reply_to,
        code=resolution.code,
        why=resolution.why,
        chain=resolution.chain,
        is_temporary=_is_temporary(resolution.code, resolution.send_from, platform_domain),
        signing_domain=resolution.signing_domain,
    )


def _is_temporary(code: str, send_from: str, platform_domain: str) -> bool:
    return code != "platform" and send_from.endswith(f"@{platform_domain}")


def show_source(
    source_kind: SourceKind,
    type_name: str | None,
    asset_id: int | None,
    names: Mapping[int, tuple[str, str]],
) -> Source:
    """What made it, in words: "Calendar · Intro call", "API", "Test", "Sample"."""
    asset = _asset_source(asset_id, names)
    title = _type_title(type_name)
    match source_kind:
        case SourceKind.TEST:
            return Source("Test")
        case SourceKind.SAMPLE:
            return Source("Sample", title, asset.path if asset else "")
        case SourceKind.NOTIFICATION:
            return Source(asset.title, title, asset.path) if asset else Source(title)
        case _:
            return Source("API", asset.title, asset.path) if asset else Source("API")


def _asset_source(asset_id: int | None, names: Mapping[int, tuple[str, str]]) -> Source | None:
    if asset_id is None or asset_id not in names:
        return None
    kind, name = names[asset_id]
    title = KINDS[kind].title if kind in KINDS else kind
    path = f"/assets/{kind}/{show_id(asset_id)}/notifications"
    return Source(f"{title} · {name}", path=path)


def _type_title(name: str | None) -> str:
    if name is None:
        return ""
    return TYPES[name].title if name in TYPES else name
