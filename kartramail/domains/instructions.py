"""Records for the person who runs the DNS: in words, as text, as a zone, by a signed link, by mail.

The link (R-DOMAIN) leads to a page that shows the records of one domain and their states, and
nothing else. It is signed with the application's secret, which is handed in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from itsdangerous import BadData, URLSafeTimedSerializer
from sqlmodel import Session

from kartramail.domains.checklist import Checklist, ChecklistRow
from kartramail.domains.models import DomainState, SendingDomain
from kartramail.domains.rows import find_row
from kartramail.errors import NotFound
from kartramail.ids import read_id, show_id
from kartramail.outbox.platform_mail import enqueue_platform_mail
from kartramail.rules.dns_records import Purpose, RecordState, WantedRecord
from kartramail.rules.domain_names import show_domain
from kartramail.rules.zone_text import zone_file

LIFETIME = timedelta(days=30)
"""How long a link works."""

_SALT = "dns instructions"


@dataclass(frozen=True, slots=True)
class RecordWords:
    """What a record is called on pages and in mails, and what it is for, in one sentence."""

    title: str
    purpose: str


_WORDS = {
    "km1": RecordWords(
        "First signature key",
        "With it, mail services see that a message comes from you and was not changed on the way.",
    ),
    "km2": RecordWords(
        "Second signature key", "It lets the first one be replaced later without a gap."
    ),
    "km": RecordWords(
        "Return address",
        "Messages that could not be delivered come back there, so that they are counted and not "
        "sent again.",
    ),
    "_dmarc": RecordWords(
        "DMARC policy",
        "It tells mail services what to do with mail that only pretends to come from you.",
    ),
}


def words_for(wanted: WantedRecord) -> RecordWords:
    """The words about one of the wanted records."""
    return _WORDS[wanted.key]


@dataclass(frozen=True, slots=True)
class Linked:
    """What a link leads to. A domain that is removed and added again is there since another time,
    so that a link from before does not come back with it.
    """

    account_id: int
    domain_id: int
    since: str


def sign_link(linked: Linked, secret: str) -> str:
    """The token of the page that shows this domain's records to whoever holds it, for LIFETIME."""
    shown = [show_id(linked.account_id), show_id(linked.domain_id), linked.since]
    token = _serializer(secret).dumps(shown)
    return token if isinstance(token, str) else token.decode()


def read_link(token: str, secret: str) -> Linked | None:
    """What a token leads to; None where it is not ours, or too old."""
    try:
        account, domain, since = _serializer(secret).loads(
            token, max_age=int(LIFETIME.total_seconds())
        )
    except (BadData, TypeError, ValueError):
        return None
    account_id, domain_id = read_id(account), read_id(domain)
    if account_id is None or domain_id is None:
        return None
    return Linked(account_id, domain_id, since)


def make_link(session: Session, account_id: int, domain: str, secret: str) -> str:
    """The token for a domain of this account. Raises NotFound."""
    row = find_row(session, account_id, domain)
    if row is None:
        raise NotFound("This account has no such domain.")
    return sign_link(Linked(account_id, row.id, row.created_at.isoformat()), secret)


def find_linked(session: Session, token: str, secret: str) -> tuple[int, str] | None:
    """The account and the domain of a token; None too where the domain was removed since."""
    linked = read_link(token, secret)
    row = session.get(SendingDomain, linked.domain_id) if linked else None
    if linked is None or row is None or row.state is DomainState.REMOVED:
        return None
    is_same = (row.account_id, row.created_at.isoformat()) == (linked.account_id, linked.since)
    return (linked.account_id, row.domain) if is_same else None


def _serializer(secret: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret, salt=_SALT)


def records_to_set(checklist: Checklist) -> list[WantedRecord]:
    """The records to be set: a DMARC record only where none is there, since two would both fail."""
    return [row.wanted for row in checklist.rows if is_to_be_set(checklist, row)]


def is_to_be_set(checklist: Checklist, row: ChecklistRow) -> bool:
    """Whether the record is one to set. DMARC's is once a complete look said that there is none.

    One that stands in a wrong place, or at a domain above, may ask for more than ours: it is to be
    mended instead.
    """
    if row.wanted.purpose is not Purpose.DMARC:
        return True
    report = checklist.dmarc or {}
    is_absent = report.get("state") == RecordState.NOT_FOUND and not report.get("problems")
    return is_absent and row.state is RecordState.NOT_FOUND and row.problem is None


def words_on_what_is_there(checklist: Checklist) -> str:
    """What becomes of the records that are there already, as far as the last look knows."""
    waiting = [row for row in checklist.rows if row.wanted.key == checklist.new_key_for]
    others = [row for row in checklist.rows if not row.is_found and row not in waiting]
    if any(row.state is not RecordState.NOT_FOUND or row.problem for row in others):
        return (
            "Where something else stands at one of these names already, put the record from here "
            "in its place."
        )
    if waiting:
        return (
            f"Replace the value of {waiting[0].wanted.host} by the one from here; every other "
            "record that is there already can stay as it is."
        )
    return "Nothing that is there already needs to change."


def as_text(records: Iterable[WantedRecord]) -> str:
    """The records as they are told to somebody: a few lines each."""
    return "\n\n".join(
        f"{words_for(wanted).title}\n"
        f"Host:  {wanted.relative_host}   (in full: {wanted.host})\n"
        f"Type:  {wanted.type}\n"
        f"Value: {wanted.value}"
        for wanted in records
    )


def as_zone(checklist: Checklist) -> str:
    """The records to be set as a zone file, names in full."""
    comments = [
        f"Records that let mail from {checklist.domain} prove itself",
        words_on_what_is_there(checklist),
    ]
    return zone_file(records_to_set(checklist), comments)


def send_instructions(
    session: Session,
    checklist: Checklist,
    *,
    account_id: int,
    to: str,
    business_name: str,
    full_name: str,
    note: str,
    link: str,
) -> int:
    """Ask the person at `to` to set the records; `link` is the page for them. Returns the mail."""
    variables = {
        "domain": show_domain(checklist.domain),
        "business_name": business_name,
        "full_name": full_name,
        "note": note,
        "link": link,
        "what_is_there": words_on_what_is_there(checklist),
        "records": [
            {
                "type": str(wanted.type),
                "host": wanted.host,
                "relative_host": wanted.relative_host,
                "value": wanted.value,
                "what": words_for(wanted).title,
            }
            for wanted in records_to_set(checklist)
        ],
    }
    return enqueue_platform_mail(
        session, "domain_instructions", to, variables, account_id=account_id
    )
