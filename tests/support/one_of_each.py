"""One row of everything that an account may have beside its mail, to be multiplied."""

from datetime import timedelta

from sqlmodel import Session

from kartramail.accounts.history import record_change
from kartramail.accounts.models import (
    FailedSignIn,
    Invitation,
    OneTimeToken,
    Role,
    SignIn,
    TokenPurpose,
)
from kartramail.assets.models import Asset, NotificationSetting
from kartramail.clock import now
from kartramail.domains.models import (
    DomainClaim,
    DomainKey,
    DomainRecord,
    DomainState,
    SendingDomain,
)
from kartramail.ids import new_id
from kartramail.outbox.limits import set_limit
from kartramail.outbox.models import ResolvedSender
from kartramail.rules.dns_records import RecordState
from kartramail.senders.models import ChoiceScope, Sender, SenderChoice
from tests.support.cast import Actor


def add_one_of_each(session: Session, who: Actor) -> tuple[int, int]:
    """Give it to this account; returns the numbers of its calendar and of a resolved sender."""
    calendar = Asset(account_id=who.account_id, kind="calendar", name="First consultation")
    brand = _sender(who.account_id)
    domain = _domain(who.account_id)
    answer = ResolvedSender(
        account_id=who.account_id, hash="of-each", name="Doe Inc.", send_from=who.email,
        why=["default", "It is the default."],
    )  # fmt: skip
    session.add_all([calendar, brand, domain, answer, *_ways_in(who)])
    session.flush()
    session.add_all(
        [
            *_of_domain(domain),
            NotificationSetting(
                account_id=who.account_id, asset_id=calendar.id, type="calendar.booked"
            ),
            SenderChoice(
                account_id=who.account_id, scope=ChoiceScope.ASSET, scope_id=calendar.id, type="",
                sender_id=brand.id,
            ),
        ]
    )  # fmt: skip
    record_change(session, who.account_id, "account.changed", user_id=who.user_id, after={"a": 1})
    set_limit(session, who.account_id, 5_000_000)
    return calendar.id, answer.id


def _sender(account_id: int) -> Sender:
    return Sender(
        account_id=account_id,
        name="Doe Events",
        send_from="hello@doe-events.com",
        from_key="hello@doe-events.com",
        from_domain="doe-events.com",
    )


def _ways_in(who: Actor) -> list[Invitation | OneTimeToken | SignIn | FailedSignIn]:
    soon = now() + timedelta(days=2)
    return [
        Invitation(
            account_id=who.account_id, email="new@doeinc.com", email_key="new@doeinc.com",
            role=Role.MEMBER, invited_by=who.user_id,
        ),
        OneTimeToken(
            hash="0" * 50, purpose=TokenPurpose.PROVE_MAILBOX, account_id=who.account_id,
            user_id=who.user_id, address="hello@doe-events.com", expires_at=soon,
        ),
        SignIn(user_id=who.user_id, account_id=who.account_id),
        FailedSignIn(email_key="somebody@doeinc.com", count=1),
    ]  # fmt: skip


def _domain(account_id: int) -> SendingDomain:
    return SendingDomain(
        account_id=account_id,
        domain="doe-events.com",
        zone="doe-events.com",
        state=DomainState.AUTHENTICATED,
        authenticated_at=now(),
        added_at=now(),
    )


def _of_domain(domain: SendingDomain) -> list[DomainKey | DomainRecord | DomainClaim]:
    return [
        DomainKey(
            id=new_id(), domain_id=domain.id, selector="km1", public="p", private_sealed="s",
            seen_at=now(),
        ),
        DomainRecord(domain_id=domain.id, key="dkim:km1", state=RecordState.FOUND),
        DomainClaim(domain=domain.domain, account_id=domain.account_id or 0, told_at=now()),
    ]  # fmt: skip
