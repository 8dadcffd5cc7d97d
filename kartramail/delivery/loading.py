"""What is needed to build the messages of claimed rows, read for many at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlmodel import Session

from kartramail.config import Settings
from kartramail.db import Database
from kartramail.domains.signers import Signers
from kartramail.domains.verdicts import judge_message
from kartramail.messages.answers import store_resolution
from kartramail.messages.candidates import Wanted, resolve_all
from kartramail.messages.compose import Composer
from kartramail.messages.resolution import Resolution, as_platform
from kartramail.outbox.claims import Claimed
from kartramail.outbox.contents import Words, load_contents
from kartramail.outbox.models import PLATFORM_SOURCES, SourceKind
from kartramail.rules.letterheads import Letterhead
from kartramail.rules.signing import SigningKey

_MOST_SENDERS = 20_000  # whose numbers are remembered


@dataclass(frozen=True, slots=True)
class Sender:
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
    sender: Sender
    words: Words | None
    more: dict[str, Any]


class Loader:
    """Loads batches for one process. What is common to many messages is done once."""

    def __init__(self, settings: Settings, composer: Composer) -> None:
        self._settings = settings
        self._composer = composer
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

    def _load_words(self, session: Session, batch: Sequence[Claimed]) -> dict[int, Words]:
        wanted = {message.content_id for message in batch if message.content_id is not None}
        missing = self._composer.missing(wanted)
        return load_contents(session, missing) if missing else {}

    def _resolve(self, session: Session, batch: Sequence[Claimed]) -> list[Resolution]:
        """Who each message comes from; messages of one sender get the very same answer."""
        domain = self._settings.platform_domain
        platform = as_platform(domain)
        wanted: dict[tuple[object, ...], Wanted | None] = {}
        kinds: list[tuple[object, ...]] = []
        for message in batch:  # asked once for all messages of one kind: most are
            kind: tuple[object, ...] = (
                *(message.source_kind, message.account_id, message.sender_id),
                *(message.asset_id, message.type),
            )
            if kind not in wanted:
                wanted[kind] = _wanted(message)
            kinds.append(kind)
        found = resolve_all(session, {one for one in wanted.values() if one is not None}, domain)
        answers = {kind: platform if one is None else found[one] for kind, one in wanted.items()}
        return [answers[kind] for kind in kinds]

    def _ready_senders(
        self, db: Database, batch: Sequence[Claimed], resolutions: Sequence[Resolution]
    ) -> dict[tuple[int, int], Sender]:
        """What is needed of each answer, worked out once however many messages share it."""
        distinct = {
            (message.account_id, id(resolution)): resolution
            for message, resolution in zip(batch, resolutions, strict=True)
        }
        digests = {key: (key[0], resolution.digest) for key, resolution in distinct.items()}
        self._number(db, {digests[key]: resolution for key, resolution in distinct.items()})
        return {
            key: Sender(
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

    def _about_sample(self, db: Database, message: Claimed, sender: Sender) -> dict[str, Any]:
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


def _wanted(message: Claimed) -> Wanted | None:
    if message.source_kind in PLATFORM_SOURCES:
        return None
    return Wanted(message.account_id, message.sender_id, message.asset_id, message.type)
