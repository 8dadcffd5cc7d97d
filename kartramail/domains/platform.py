"""The platform's own domain: it signs what no domain of an account does (R-DKIM)."""

from sqlmodel import Session

from kartramail.config import Settings
from kartramail.db import Database
from kartramail.domains.keys import load_keys, make_key_pairs, store_keys
from kartramail.domains.rows import claim_row, find_row
from kartramail.rules.dns_records import RecordState
from kartramail.rules.sending_addresses import allows_addresses


def ensure_platform_domain(db: Database, settings: Settings) -> None:
    """Make the platform's own keys where there are none. Several that do so at once agree."""
    with db.reading() as session:
        found = find_row(session, None, settings.platform_domain)
        if found is not None and load_keys(session, found.id):
            return
    keys = make_key_pairs()
    with db.transaction() as session:
        domain_id, _ = claim_row(session, None, settings.platform_domain)
        if not load_keys(session, domain_id):
            store_keys(session, domain_id, keys, settings)


def lists_sending_ips(session: Session, settings: Settings) -> bool | None:
    """Whether the SPF record of BOUNCE_HOST lists all of SENDING_IPS; None while not known."""
    row = find_row(session, None, settings.platform_domain)
    report = (row.report.get("spf") or {}) if row else {}
    if not settings.sending_ips or report.get("state") in (None, RecordState.UNREACHABLE):
        return None
    return allows_addresses(report.get("record") or "", settings.sending_ips)
