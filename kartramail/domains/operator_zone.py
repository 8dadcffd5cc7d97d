"""The records of the operator's own zone, as text that a name server loads (R-RECORDS).

The platform's own keys and DMARC, BOUNCE_HOST with its MX and SPF, and, for DKIM_RECORDS=cname, the
key of every domain. Crosses accounts: keys in DNS are public.
"""

from collections.abc import Iterator

from sqlmodel import Session, col, select

from kartramail.config import DkimRecords, Settings
from kartramail.domains.keys import SELECTORS
from kartramail.domains.models import DomainKey, SendingDomain
from kartramail.domains.records import DMARC_LABEL, key_host, selector_host
from kartramail.rules.dkim import build_key_record
from kartramail.rules.dns_answers import RecordType
from kartramail.rules.spf import build_spf_record
from kartramail.rules.zone_text import zone_line

PLATFORM_DMARC = "v=DMARC1; p=reject"
"""Everything that leaves from PLATFORM_DOMAIN is signed by it: nothing else may come from there."""

_AT_A_TIME = 1_000


def operator_zone(session: Session, settings: Settings) -> Iterator[str]:
    """The lines, with comments; names are absolute, so that they fit into any zone file."""
    yield f"; {settings.platform_domain}: who signs notifications and temporary addresses."
    yield from _keys_of_platform(session, settings)
    yield zone_line(f"{DMARC_LABEL}.{settings.platform_domain}", RecordType.TXT, PLATFORM_DMARC)
    yield from _bounce_host(settings)
    if settings.dkim_records is DkimRecords.CNAME:
        yield f"; {settings.dkim_zone}: the keys that the CNAMEs of accounts point to."
        yield from _keys_of_accounts(session, settings)


def _keys_of_platform(session: Session, settings: Settings) -> Iterator[str]:
    statement = (
        select(DomainKey)
        .join(SendingDomain, col(SendingDomain.id) == DomainKey.domain_id)
        .where(
            col(SendingDomain.account_id).is_(None),
            SendingDomain.domain == settings.platform_domain,
        )
        .order_by(col(DomainKey.id).desc())
    )
    newest: dict[str, DomainKey] = {}
    for key in session.exec(statement):
        newest.setdefault(key.selector, key)
    for selector in SELECTORS:
        if selector in newest:
            host = selector_host(settings.platform_domain, selector)
            yield zone_line(host, RecordType.TXT, build_key_record(newest[selector].public))


def _bounce_host(settings: Settings) -> Iterator[str]:
    yield f"; {settings.bounce_host}: where return paths end."
    yield zone_line(settings.bounce_host, RecordType.MX, f"10 {settings.ehlo_name}")
    if settings.sending_ips:
        yield zone_line(
            settings.bounce_host, RecordType.TXT, build_spf_record(settings.sending_ips)
        )
    else:
        yield "; Set SENDING_IPS to the addresses that mail leaves from: its SPF record goes here."


def _keys_of_accounts(session: Session, settings: Settings) -> Iterator[str]:
    """The newest key of each selector, page by page: there may be many domains."""
    after = 0
    while True:
        statement = (
            select(SendingDomain.id)
            .where(col(SendingDomain.account_id).is_not(None), col(SendingDomain.id) > after)
            .order_by(col(SendingDomain.id))
            .limit(_AT_A_TIME)
        )
        domain_ids = list(session.exec(statement))
        if not domain_ids:
            return
        after = domain_ids[-1]
        keys = select(DomainKey.domain_id, DomainKey.selector, DomainKey.public).where(
            col(DomainKey.domain_id).in_(domain_ids)
        )
        newest: dict[tuple[int, str], str] = {}
        for domain_id, selector, public in session.exec(keys.order_by(col(DomainKey.id))):
            newest[domain_id, selector] = public
        for (domain_id, selector), public in sorted(newest.items()):
            host = key_host(domain_id, selector, settings)
            yield zone_line(host, RecordType.TXT, build_key_record(public))
