"""The keys of a domain: two selectors, so that one can be replaced while the other signs (R-DKIM).

Private keys are sealed with MASTER_KEYS here and opened nowhere but in the signer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlmodel import Session, col, select, update

from kartramail.adapters.keys import KeyPair, KeySafe, generate_key_pair
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.domains.models import DomainKey

SELECTORS = ("km1", "km2")
_AT_A_TIME = 200


@dataclass(frozen=True, slots=True)
class KeyPairs:
    """A fresh key pair for each selector. Making them takes a while: do it in no transaction."""

    by_selector: dict[str, KeyPair]


def make_key_pairs(selectors: Sequence[str] = SELECTORS) -> KeyPairs:
    """Fresh RSA-2048 key pairs, a fifth of a second each."""
    return KeyPairs({selector: generate_key_pair() for selector in selectors})


@lru_cache(maxsize=4)
def _safe(master_keys: str) -> KeySafe:
    return KeySafe(master_keys)


def key_safe(settings: Settings) -> KeySafe:
    """What seals and opens private keys here."""
    return _safe(settings.master_keys.get_secret_value())


def store_keys(session: Session, domain_id: int, keys: KeyPairs, settings: Settings) -> None:
    """Keep these key pairs as the newest of their selectors, sealed."""
    safe = key_safe(settings)
    for selector, pair in keys.by_selector.items():
        session.add(
            DomainKey(
                domain_id=domain_id,
                selector=selector,
                public=pair.public,
                private_sealed=safe.seal(pair.private),
            )
        )
    session.flush()


def load_keys(session: Session, domain_id: int) -> list[DomainKey]:
    """All keys of a domain, the newest of each selector first."""
    statement = select(DomainKey).where(DomainKey.domain_id == domain_id)
    return list(session.exec(statement.order_by(col(DomainKey.id).desc())))


def newest_of(keys: Sequence[DomainKey], selector: str) -> DomainKey | None:
    """The key that DNS should hold for this selector."""
    return next((key for key in keys if key.selector == selector), None)


def signing_key_of(keys: Sequence[DomainKey], selector: str) -> DomainKey | None:
    """The newest key of this selector that was seen in DNS: a signature with it can be verified."""
    return next((key for key in keys if key.selector == selector and key.seen_at), None)


def reseal_keys(db: Database, settings: Settings) -> int:
    """Seal every private key with the newest of MASTER_KEYS; returns how many were changed.

    In short transactions, so that mail goes on. Raises SealBroken for a key that no master key
    opens; what was sealed anew before stays so, and can be opened.
    """
    changed, after = 0, 0
    while True:
        with db.transaction() as session:
            rows = session.exec(
                select(DomainKey.id, DomainKey.private_sealed)
                .where(DomainKey.id > after)
                .order_by(col(DomainKey.id))
                .limit(_AT_A_TIME)
            ).all()
            changed += sum(_reseal(session, *row, key_safe(settings)) for row in rows)
        if len(rows) < _AT_A_TIME:
            return changed
        after = rows[-1][0]


def _reseal(session: Session, key_id: int, sealed: str, safe: KeySafe) -> bool:
    fresh = safe.reseal(sealed)
    if fresh == sealed:
        return False
    session.connection().execute(
        update(DomainKey).where(col(DomainKey.id) == key_id).values(private_sealed=fresh)
    )
    return True
