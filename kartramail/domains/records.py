"""The records that a domain needs, as its DNS provider wants them (R-RECORDS)."""

from collections.abc import Sequence

from kartramail.config import DkimRecords, Settings
from kartramail.domains.keys import SELECTORS, newest_of
from kartramail.domains.models import DomainKey, SendingDomain
from kartramail.ids import show_id
from kartramail.rules.dkim import build_key_record
from kartramail.rules.dmarc import PROPOSED
from kartramail.rules.dns_answers import RecordType
from kartramail.rules.dns_records import Purpose, WantedRecord

RETURN_PATH_LABEL = "km"
DMARC_LABEL = "_dmarc"


def wanted_records(
    domain: SendingDomain, keys: Sequence[DomainKey], settings: Settings
) -> tuple[WantedRecord, ...]:
    """The records in the order of the page; a selector without a key yet is left out.

    The platform's own domain has no return path of its own: that is BOUNCE_HOST.
    """
    records = [
        record
        for selector in SELECTORS
        if (record := _selector_record(domain, keys, selector, settings))
    ]
    if domain.account_id is not None:
        records.append(_return_path(domain, settings))
    return (*records, _dmarc(domain))


def return_path_host(domain: str) -> str:
    """Where the return paths of a domain's mail are."""
    return f"{RETURN_PATH_LABEL}.{domain}"


def selector_host(domain: str, selector: str) -> str:
    """Where verifiers look for the key of a selector (RFC 6376 §3.6.2.1)."""
    return f"{selector}._domainkey.{domain}"


def key_host(domain_id: int, selector: str, settings: Settings) -> str:
    """Where the operator's zone holds the key, for DKIM_RECORDS=cname."""
    return f"{selector}.{show_id(domain_id)}.{settings.dkim_zone}"


def is_cname_selector(domain: SendingDomain, settings: Settings) -> bool:
    """Whether the selectors of this domain are CNAMEs into the operator's zone."""
    return domain.account_id is not None and settings.dkim_records is DkimRecords.CNAME


def _selector_record(
    domain: SendingDomain, keys: Sequence[DomainKey], selector: str, settings: Settings
) -> WantedRecord | None:
    newest = newest_of(keys, selector)
    if newest is None:
        return None
    is_cname = is_cname_selector(domain, settings)
    older = [key for key in keys if key.selector == selector and key is not newest]
    return WantedRecord(
        key=selector,
        purpose=Purpose.DKIM,
        type=RecordType.CNAME if is_cname else RecordType.TXT,
        host=selector_host(domain.domain, selector),
        zone=domain.zone,
        value=key_host(domain.id, selector, settings)
        if is_cname
        else build_key_record(newest.public),
        also=() if is_cname else tuple(build_key_record(key.public) for key in older),
    )


def _return_path(domain: SendingDomain, settings: Settings) -> WantedRecord:
    return WantedRecord(
        key=RETURN_PATH_LABEL,
        purpose=Purpose.RETURN_PATH,
        type=RecordType.CNAME,
        host=return_path_host(domain.domain),
        zone=domain.zone,
        value=settings.bounce_host,
    )


def _dmarc(domain: SendingDomain) -> WantedRecord:
    return WantedRecord(
        key=DMARC_LABEL,
        purpose=Purpose.DMARC,
        type=RecordType.TXT,
        host=f"{DMARC_LABEL}.{domain.domain}",
        zone=domain.zone,
        value=PROPOSED,
    )
