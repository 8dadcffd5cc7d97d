"""From loaded rows to envelopes: which words, which bytes, signed."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import structlog

from kartramail.adapters.transport import Envelope
from kartramail.clock import now
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.delivery.build import Builder
from kartramail.delivery.loading import Loaded
from kartramail.delivery.outages import is_outage
from kartramail.ids import show_id
from kartramail.messages.compose import Composer
from kartramail.outbox.claims import Claimed
from kartramail.outbox.contents import Words, load_contents
from kartramail.outbox.results import Failed, Result
from kartramail.rules.letterheads import Letterhead
from kartramail.rules.mime import Composed, whole
from kartramail.rules.signing import Unsigned, to_be_signed

log = structlog.get_logger()

_END_OF_HEADER = b"\r\n\r\n"


class Ready(NamedTuple):
    """A message that can go on the wire, and the sender it goes out under."""

    envelope: Envelope
    resolved_id: int


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
    """Builds messages for one process, and signs them."""

    def __init__(self, settings: Settings, composer: Composer) -> None:
        self._builder = Builder(settings, composer)

    def build(self, db: Database, batch: Sequence[Loaded]) -> list[Ready | Result | None]:
        """Each message, signed; or what failed; None where the database did not let us build it.

        One step for all messages before the next step: code that ran a moment ago runs three times
        as quickly. May be called by another thread than `Loader.load`, by one only.
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
