"""From claimed rows to envelopes: who it comes from, which words, which bytes, signed by whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlmodel import Session

from kartramail.adapters.transport import Envelope
from kartramail.clock import now
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.domains.signers import Signers
from kartramail.domains.verdicts import judge_message
from kartramail.ids import show_id
from kartramail.messages.answers import store_resolution
from kartramail.messages.compose import Composer
from kartramail.messages.resolution import Resolution, resolve_sender
from kartramail.outbox.claims import Claimed
from kartramail.outbox.contents import Words, load_contents
from kartramail.outbox.models import SourceKind
from kartramail.outbox.results import Failed, Result
from kartramail.rules.headers import Mailbox
from kartramail.rules.mime import MessageHeaders
from kartramail.rules.signing import SigningKey, sign_message
from kartramail.rules.tokens import return_path
from kartramail.senders.standing import gateway_standing, sender_standing

log = structlog.get_logger()

_PLATFORM_SOURCES = frozenset({SourceKind.PLATFORM, SourceKind.TEST})

SenderKey = tuple[int, int | None, bool]
"""Account, sender asked for (None: the default one), whether the platform itself is the sender."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A message that can go on the wire, and the sender it goes out under."""

    envelope: Envelope
    resolved_id: int


class Preparer:
    """Prepares batches for one process. What is common to many messages is done once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._secret = settings.secret_key.get_secret_value().encode()
        self._composer = Composer()
        self._signers = Signers(settings)
        self._resolved_ids: dict[tuple[int, str], int] = {}

    def prepare(self, db: Database, batch: Sequence[Claimed]) -> tuple[list[Ready], list[Result]]:
        """What can be sent, and what failed already (a template that breaks on its variables)."""
        with db.reading() as session:
            words = self._load_words(session, batch)
            senders = {key: self._resolve(session, key) for key in {_key(m) for m in batch}}
        numbers = self._numbers(db, senders)
        signing_keys = {key: self._signing_key(db, key, senders[key]) for key in senders}
        ready: list[Ready] = []
        failed: list[Result] = []
        for message in batch:
            sender, number = senders[_key(message)], numbers[_key(message)]
            try:
                more = self._about_sample(db, message, sender, signing_keys[_key(message)])
                data = self._compose(message, sender, words, more)
                data = sign_message(data, signing_keys[_key(message)], now())
            except Exception as error:  # whatever a template does, the others still leave
                log.warning("message_not_built", message=show_id(message.id), error=str(error))
                failed.append(Result(message.id, Failed(f"It could not be built: {error}"), number))
            else:
                mail_from = self._return_path(message, sender)
                envelope = Envelope(message.id, mail_from, message.to_addr, data)
                ready.append(Ready(envelope, number))
        return ready, failed

    def _load_words(self, session: Session, batch: Sequence[Claimed]) -> dict[int, Words]:
        wanted = {message.content_id for message in batch if message.content_id is not None}
        missing = self._composer.missing(wanted)
        return load_contents(session, missing) if missing else {}

    def _resolve(self, session: Session, key: SenderKey) -> Resolution:
        account_id, sender_id, is_platform = key
        if is_platform:
            return self._platform_sender()
        domain = self._settings.platform_domain
        standing = sender_id and sender_standing(session, account_id, sender_id, domain)
        return resolve_sender(standing or gateway_standing(session, account_id, domain))

    def _platform_sender(self) -> Resolution:
        return Resolution(
            name="KartraMail",
            send_from=f"notifications@{self._settings.platform_domain}",
            reply_to=None,
            signing_domain=None,
            code="platform",
            why="This message is from the mail system itself.",
            is_as_wanted=True,
        )

    def _signing_key(self, db: Database, key: SenderKey, sender: Resolution) -> SigningKey:
        """The aligned domain's key if it is authenticated, else the platform's (R-DKIM)."""
        own = sender.signing_domain and self._signers.get(db, key[0], sender.signing_domain)
        return own or self._signers.platform(db)

    def _numbers(self, db: Database, senders: dict[SenderKey, Resolution]) -> dict[SenderKey, int]:
        unknown = {
            (key[0], sender.digest): sender
            for key, sender in senders.items()
            if (key[0], sender.digest) not in self._resolved_ids
        }
        if unknown:
            with db.transaction() as session:
                # In one order everywhere, so that no two wait for each other.
                numbers = {
                    key: store_resolution(session, key[0], unknown[key]) for key in sorted(unknown)
                }
            self._resolved_ids |= numbers  # only now are they there to stay
        return {key: self._resolved_ids[key[0], s.digest] for key, s in senders.items()}

    def _about_sample(
        self, db: Database, message: Claimed, sender: Resolution, key: SigningKey
    ) -> dict[str, Any]:
        """What a sample says of itself: who signed it, and what receivers will find (R-SAMPLE)."""
        if message.source_kind is not SourceKind.SAMPLE:
            return {}
        with db.reading() as session:
            verdicts = judge_message(
                session,
                message.account_id,
                self._settings,
                from_domain=sender.send_from.rpartition("@")[2],
                signing_domain=key.domain,
                return_path_domain=sender.return_path_domain or self._settings.bounce_host,
            )
        return {"signed_by": key.domain, "verdicts": verdicts}

    def _compose(
        self,
        message: Claimed,
        sender: Resolution,
        words: dict[int, Words],
        more: dict[str, Any],
    ) -> bytes:
        variables: dict[str, Any] = dict(message.variables or {}) | more
        if message.content_id is not None:
            compiled = self._composer.content(message.content_id, words.get(message.content_id))
        else:
            compiled = self._composer.platform_mail(message.template or "")
            variables |= {
                "sender": sender,
                "return_path": self._return_path(message, sender),
                "platform_domain": self._settings.platform_domain,
                "base_url": self._settings.base_url,
            }
        return compiled.fill(self._headers(message, sender), variables)

    def _headers(self, message: Claimed, sender: Resolution) -> MessageHeaders:
        shown, account = show_id(message.id), show_id(message.account_id)
        return MessageHeaders(
            sender=Mailbox(sender.send_from, sender.name),
            to=Mailbox(message.to_addr),
            message_id=f"<{shown}@{self._settings.platform_domain}>",
            date=now(),
            reply_to=Mailbox(sender.reply_to) if sender.reply_to else None,
            extra=(
                ("X-KartraMail-Message", shown),
                # Source, account, stream, and who sends, for the feedback of large receivers.
                ("Feedback-ID", f"{message.source_kind}:{account}:{message.stream}:kartramail"),
                ("Auto-Submitted", "auto-generated"),
            ),
        )

    def _return_path(self, message: Claimed, sender: Resolution) -> str:
        domain = sender.return_path_domain or self._settings.bounce_host
        return return_path(message.id, self._secret, domain)


def _key(message: Claimed) -> SenderKey:
    is_platform = message.source_kind in _PLATFORM_SOURCES
    return message.account_id, message.sender_id, is_platform
