"""Keys ready to sign with, for delivery: opened once and kept for a minute."""

import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlmodel import Session, select

from kartramail.clock import now
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.domains.keys import SELECTORS, key_safe, load_keys, newest_of, signing_key_of
from kartramail.domains.models import DomainKey, DomainRecord
from kartramail.domains.platform import ensure_platform_domain
from kartramail.domains.rotation import USE_NOTED_EVERY, note_key_use
from kartramail.domains.rows import find_row
from kartramail.errors import SealBroken
from kartramail.rules.dns_records import RecordState
from kartramail.rules.signing import SigningKey

log = structlog.get_logger()

KEPT_FOR = 60.0
"""Seconds. A key that was replaced goes on signing for so long, and is in DNS for days more."""

_MOST_KEPT = 2_000  # an opened key takes some 8 kB


@dataclass(slots=True)
class _Kept:
    key_id: int
    key: SigningKey
    until: float
    noted_at: datetime | None


class Signers:
    """The signing keys of one process, by account and domain. None: the platform's own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kept: OrderedDict[tuple[int | None, str], _Kept] = OrderedDict()

    def get(self, db: Database, account_id: int | None, domain: str) -> SigningKey | None:
        """The key that signs for this domain of the account now; None where it has none."""
        name = (account_id, domain)
        kept = self._kept.get(name)
        if kept is None or kept.until < time.monotonic():
            kept = self._load(db, account_id, domain)
            if kept is None:
                self._kept.pop(name, None)
                return None
            self._kept[name] = kept
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        self._note_use(db, kept)
        return kept.key

    def platform(self, db: Database) -> SigningKey:
        """The platform's own key, made where there is none yet."""
        domain = self._settings.platform_domain
        key = self.get(db, None, domain)
        if key is None:
            ensure_platform_domain(db, self._settings)
            key = self.get(db, None, domain)
        assert key is not None, "the platform's key was just made"  # noqa: S101
        return key

    def _load(self, db: Database, account_id: int | None, domain: str) -> _Kept | None:
        with db.reading() as session:
            found = _find_signing_key(session, account_id, domain)
        if found is None:
            return None
        try:
            sign = key_safe(self._settings).open(found.private_sealed)
        except SealBroken as error:
            if account_id is None:
                raise
            log.error("signing_key_not_opened", domain=domain, error=str(error))
            return None  # the platform's key signs instead: mail goes on
        key = SigningKey(domain, found.selector, sign)
        return _Kept(found.id, key, time.monotonic() + KEPT_FOR, found.last_used_at)

    def _note_use(self, db: Database, kept: _Kept) -> None:
        at = now()
        if kept.noted_at is None or kept.noted_at < at - USE_NOTED_EVERY:
            with db.transaction() as session:
                note_key_use(session, kept.key_id)
            kept.noted_at = at


def _find_signing_key(session: Session, account_id: int | None, domain: str) -> DomainKey | None:
    """The key of the selector that signs; of the other one while that is not in DNS (R-DKIM)."""
    row = find_row(session, account_id, domain)
    if row is None:
        return None
    keys = load_keys(session, row.id)
    if account_id is None:  # signs from its first day, whatever DNS says: unsigned is no better
        return signing_key_of(keys, row.signing_selector) or newest_of(keys, row.signing_selector)
    found = set(
        session.exec(
            select(DomainRecord.key).where(
                DomainRecord.domain_id == row.id, DomainRecord.state == RecordState.FOUND
            )
        )
    )
    selectors = sorted(SELECTORS, key=lambda name: name != row.signing_selector)
    for selector in selectors:
        key = signing_key_of(keys, selector)
        if key is not None and selector in found:
            return key
    return None
