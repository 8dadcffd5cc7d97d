"""What receivers will find in a message of an account: SPF, DKIM and DMARC (R-SAMPLE)."""

from sqlmodel import Session

from kartramail.config import Settings
from kartramail.domains.platform import lists_sending_ips
from kartramail.domains.rows import find_row
from kartramail.domains.standing import domain_standing
from kartramail.rules.alignment import Verdicts, judge_verdicts


def judge_message(
    session: Session,
    account_id: int,
    settings: Settings,
    *,
    from_domain: str,
    signing_domain: str,
    return_path_domain: str,
) -> Verdicts:
    """The verdicts on a message that we signed and sent, from what the last checks found."""
    standing = domain_standing(session, account_id, from_domain)
    return judge_verdicts(
        from_domain=from_domain,
        signing_domain=signing_domain,
        return_path_domain=return_path_domain,
        organizational=_organization(session, account_id, standing.domain),
        is_dkim_strict=standing.is_dkim_strict,
        is_spf_strict=standing.is_spf_strict,
        spf_includes_us=lists_sending_ips(session, settings),
    )


def _organization(session: Session, account_id: int, domain: str | None) -> str | None:
    """The organizational domain by the tree walk of the last check, None while unknown."""
    row = find_row(session, account_id, domain) if domain else None
    found = (row.report.get("dmarc") or {}).get("organizational_domain") if row else None
    return str(found) if found else None
