"""From claimed rows to envelopes: who it comes from, which words, which bytes, signed by whom."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import structlog
from sqlmodel import Session

from kartramail.adapters.transport import Envelope
from kartramail.clock import now
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.delivery.build import Builder
from kartramail.delivery.outages import is_outage
from kartramail.domains.signers import Signers
from kartramail.domains.verdicts import judge_message
from kartramail.ids import show_id
from kartramail.messages.answers import store_resolution
from kartramail.messages.candidates import Wanted, resolve_all
from kartramail.messages.compose import Composer
from kartramail.messages.resolution import Resolution, as_platform
from kartramail.outbox.claims import Claimed
from kartramail.outbox.contents import Words, load_contents
from kartramail.outbox.models import PLATFORM_SOURCES, SourceKind
from kartramail.outbox.results import Failed, Result
from kartramail.rules.letterheads import Letterhead
from kartramail.rules.mime import Composed, whole
from kartramail.rules.signing import SigningKey, Unsigned, to_be_signed

log = structlog.get_logger()

_END_OF_HEADER = b"\r\n\r\n"
_MOST_SENDERS = 20_000  # whose numbers are remembered


class Ready(NamedTuple):
    """A message that can go on the wire, and the sender it goes out under."""

    envelope: Envelope
    resolved_id: int


@dataclass(frozen=True, slots=True)
class _Sender:
    """An answer of resolution, its number in the outbox, and the key that signs for it."""

    resolution: Resolution
    number: int
    key: SigningKey
    letterheads: dict[object, Letterhead | None] = field(default_factory=dict)


class Loaded(NamedTuple):
    """A row, the number it was claimed under, and all that is needed to build its message.

    `words` are there where they were not compiled yet.
    """

    message: Claimed
    worker_id: int
    sender: _Sender
    words: Words | None
    more: dict[str, Any]


class _Draft(NamedTuple):
    """A message that is built, and what its signature will be over."""

    loaded: Loaded
    shown: str  # its id
    unsigned: Unsigned
    plain_from: int | None


class _Signed(NamedTuple):
    draft: _Draft
    signature: bytes


class Preparer:
    """Prepares batches for one process. What is common to many messages is done once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._builder = Builder(settings, Composer())
        self._signers = Signers(settings)
        self._resolved_ids: dict[tuple[int, str], int] = {}

    def load(self, db: Database, batch: Sequence[Claimed], worker_id: int) -> list[Loaded]:
        """Read all that is needed to build these, which were claimed under this number.

        Raises what the database raises.
        """
        with db.reading() as session:
            words = self._load_words(session, batch)
            resolutions = self._resolve(session, batch)
        senders = self._ready_senders(db, batch, resolutions)
        loaded = []
        for message, resolution in zip(batch, resolutions, strict=True):
            sender = senders[message.account_id, id(resolution)]
            said = words.get(message.content_id or 0)
            loaded.append(
                Loaded(message, worker_id, sender, said, self._about_sample(db, message, sender))
            )
        return loaded

    def build(self, db: Database, batch: Sequence[Loaded]) -> list[Ready | Result | None]:
        """Each message, signed; or what failed; None where the database did not let us build it.

        One step for all messages before the next step: code that ran a moment ago runs three times
        as quickly. May be called by another thread than `load`, but by one only.
        """
        at = now().replace(microsecond=0)  # as no date of a message is more exact
        drafts = [self._draft(db, loaded, at) for loaded in batch]
        signed = [_signed(draft) for draft in drafts]
        return [self._ready(one) for one in signed]

    def _draft(self, db: Database, loaded: Loaded, at: datetime) -> _Draft | Result | None:
        """Without its signature."""
        try:
            words = loaded.words or self._words_again(db, loaded.message)
            resolution = loaded.sender.resolution
            composed = self._builder.compose(loaded.message, resolution, words, loaded.more)
            return self._headed(loaded, composed, at)
        except Exception as error:  # whatever a template does, the others still leave
            if is_outage(error):
                log.error("message_not_built", error=str(error))
                return None
            return _failed(loaded, error)

    def _headed(self, loaded: Loaded, composed: Composed, at: datetime) -> _Draft:
        message, sender, body = loaded.message, loaded.sender, composed.body
        shown = show_id(message.id)
        if body.plain_from == 0:
            mime_header, _, content = body.data.partition(_END_OF_HEADER)
            letterhead = self._letterhead(loaded, shown, mime_header, at)
            unsigned = letterhead and letterhead.unsigned(
                message.to_addr, shown, composed.subject, content
            )
            if unsigned:
                return _Draft(loaded, shown, unsigned, len(unsigned.data) - len(body.data))
        built = whole(self._builder.headers(message, sender.resolution, at), composed)
        is_relaxed = built.plain_from is not None
        unsigned = to_be_signed(built.data, sender.key, at, is_relaxed=is_relaxed)
        return _Draft(loaded, shown, unsigned, built.plain_from)

    def _letterhead(
        self, loaded: Loaded, shown: str, mime_header: bytes, at: datetime
    ) -> Letterhead | None:
        """The one for messages like this one, in this second."""
        message, sender = loaded.message, loaded.sender
        key = (message.source_kind, message.stream, mime_header, at)
        if key not in sender.letterheads:
            headers = self._builder.headers(message, sender.resolution, at)
            sender.letterheads[key] = Letterhead.make(headers, shown, mime_header, sender.key, at)
        return sender.letterheads[key]

    def _ready(self, signed: _Signed | Result | None) -> Ready | Result | None:
        if not isinstance(signed, _Signed):
            return signed
        loaded, shown, unsigned, plain_from = signed.draft
        message, sender = loaded.message, loaded.sender
        data = unsigned.signed(signed.signature)
        if plain_from is not None:
            plain_from += len(data) - len(unsigned.data)  # the signature stands before it
        mail_from = self._builder.return_path(shown, sender.resolution)
        return Ready(
            Envelope(message.id, mail_from, message.to_addr, data, plain_from), sender.number
        )

    def _words_again(self, db: Database, message: Claimed) -> Words | None:
        """What was compiled when the row was loaded may have been pushed out since."""
        number = message.content_id
        if number is None or not self._builder.composer.missing({number}):
            return None
        with db.reading() as session:
            return load_contents(session, {number}).get(number)

    def _load_words(self, session: Session, batch: Sequence[Claimed]) -> dict[int, Words]:
        wanted = {message.content_id for message in batch if message.content_id is not None}
        missing = self._builder.composer.missing(wanted)
        return load_contents(session, missing) if missing else {}

    def _resolve(self, session: Session, batch: Sequence[Claimed]) -> list[Resolution]:
        """Who each message comes from; messages of one sender get the very same answer."""
        domain = self._settings.platform_domain
        platform = as_platform(domain)
        same: dict[tuple[object, ...], Wanted | None] = {}
        wanted: list[Wanted | None] = []
        for message in batch:  # made once for all messages of one kind: most are
            key: tuple[object, ...] = (
                *(message.source_kind, message.account_id, message.sender_id),
                *(message.asset_id, message.type),
            )
            if key not in same:
                same[key] = _wanted(message)
            wanted.append(same[key])
        found = resolve_all(session, {one for one in wanted if one is not None}, domain)
        return [platform if one is None else found[one] for one in wanted]

    def _ready_senders(
        self, db: Database, batch: Sequence[Claimed], resolutions: Sequence[Resolution]
    ) -> dict[tuple[int, int], _Sender]:
        """What is needed of each answer, worked out once however many messages share it."""
        distinct = {
            (message.account_id, id(resolution)): resolution
            for message, resolution in zip(batch, resolutions, strict=True)
        }
        digests = {key: (key[0], resolution.digest) for key, resolution in distinct.items()}
        self._number(db, {digests[key]: resolution for key, resolution in distinct.items()})
        return {
            key: _Sender(
                resolution,
                self._resolved_ids[digests[key]],
                self._signing_key(db, key[0], resolution),
            )
            for key, resolution in distinct.items()
        }

    def _signing_key(self, db: Database, account_id: int, sender: Resolution) -> SigningKey:
        """The aligned domain's key if it is authenticated, else the platform's (R-DKIM)."""
        own = sender.signing_domain and self._signers.get(db, account_id, sender.signing_domain)
        return own or self._signers.platform(db)

    def _number(self, db: Database, senders: dict[tuple[int, str], Resolution]) -> None:
        """See that each answer, by account and digest, has its number."""
        if len(self._resolved_ids) > _MOST_SENDERS:
            self._resolved_ids.clear()  # they are found again: to ask costs one statement each
        unknown = sorted(senders.keys() - self._resolved_ids.keys())
        if unknown:
            with db.transaction() as session:
                # In one order everywhere, so that no two wait for each other.
                numbers = {key: store_resolution(session, key[0], senders[key]) for key in unknown}
            self._resolved_ids |= numbers  # only now are they there to stay

    def _about_sample(self, db: Database, message: Claimed, sender: _Sender) -> dict[str, Any]:
        """What a sample says of itself: who signed it, and what receivers will find (R-SAMPLE)."""
        if message.source_kind is not SourceKind.SAMPLE or message.template is None:
            return {}
        with db.reading() as session:
            verdicts = judge_message(
                session,
                message.account_id,
                self._settings,
                from_domain=sender.resolution.send_from.rpartition("@")[2],
                signing_domain=sender.key.domain,
                return_path_domain=sender.resolution.return_path_domain
                or self._settings.bounce_host,
            )
        return {"signed_by": sender.key.domain, "verdicts": verdicts}


def _signed(draft: _Draft | Result | None) -> _Signed | Result | None:
    if not isinstance(draft, _Draft):
        return draft
    try:
        return _Signed(draft, draft.loaded.sender.key.sign(draft.unsigned.octets))
    except Exception as error:
        return _failed(draft.loaded, error)


def _failed(loaded: Loaded, error: Exception) -> Result:
    message = loaded.message
    log.warning("message_not_built", message=show_id(message.id), error=str(error))
    return Result(message.id, Failed(f"It could not be built: {error}"), loaded.sender.number)


def _wanted(message: Claimed) -> Wanted | None:
    if message.source_kind in PLATFORM_SOURCES:
        return None
    return Wanted(message.account_id, message.sender_id, message.asset_id, message.type)
