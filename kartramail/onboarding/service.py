"""Sign-up (R-SIGNUP): keep it, replace it, send its mail again; and accounts made by commands."""

from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session

from kartramail.accounts.links import withdraw_links
from kartramail.accounts.models import Account, Membership, Role, TokenPurpose, User
from kartramail.accounts.passwords import NO_PASSWORD
from kartramail.accounts.service import claim_address, find_user, home_account
from kartramail.errors import InvalidInput
from kartramail.installation import Installation
from kartramail.onboarding.confirmation import confirm_person, send_confirmation
from kartramail.outbox.lanes import PLATFORM, lane_id_for
from kartramail.outbox.platform_mail import enqueue_platform_mail
from kartramail.rules.addresses import Address, judge_signup_address
from kartramail.rules.streams import Stream
from kartramail.senders.service import prefill_gateway


class SignUpOutcome(StrEnum):
    """What a sign-up did. The page never says which: its answer is always the same."""

    CREATED = "created"
    REPLACED = "replaced"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class SignUpReceipt:
    """What a sign-up did, for the log and for tests."""

    outcome: SignUpOutcome
    user_id: int
    account_id: int


@dataclass(frozen=True, slots=True)
class CreatedAccount:
    """A confirmed account and its first owner."""

    account_id: int
    user_id: int


@dataclass(frozen=True, slots=True)
class _Applicant:
    business_name: str
    full_name: str
    address: Address
    is_free: bool
    password_hash: str


def sign_up(
    session: Session,
    installation: Installation,
    *,
    business_name: str,
    full_name: str,
    email: str,
    password_hash: str,
) -> SignUpReceipt:
    """Keep a sign-up and mail its link, or tell the owner of a known address.

    An unconfirmed sign-up of the same address is replaced in place and its links are void. Raises
    InvalidInput for an address that cannot sign up.
    """
    applicant = _applicant(
        installation, business_name, full_name, email, password_hash=password_hash
    )
    base_url = installation.settings.base_url
    user, is_new = claim_address(
        session, applicant.address, applicant.full_name, applicant.password_hash
    )
    account = home_account(session, user.id)
    if user.confirmed_at is not None and account is not None:
        _tell_known_person(session, base_url, user, account)
        return SignUpReceipt(SignUpOutcome.KNOWN, user.id, account.id)
    account = _write_sign_up(session, installation, applicant, user, account)
    withdraw_links(session, TokenPurpose.RESET_PASSWORD, user_id=user.id)
    send_confirmation(session, base_url, user, account)
    outcome = SignUpOutcome.CREATED if is_new else SignUpOutcome.REPLACED
    return SignUpReceipt(outcome, user.id, account.id)


def send_again(session: Session, base_url: str, email_key: str) -> None:
    """Send what the sign-up of this address sent, anew; the link before is void. Says nothing."""
    user = find_user(session, email_key)
    account = home_account(session, user.id) if user else None
    if user is None or account is None:
        return
    if user.confirmed_at is None:
        send_confirmation(session, base_url, user, account)
    else:
        _tell_known_person(session, base_url, user, account)


def create_confirmed_account(
    session: Session,
    installation: Installation,
    *,
    business_name: str,
    full_name: str,
    email: str,
    password_hash: str | None,
    postal_address: str = "",
) -> CreatedAccount:
    """Make an account as sign-up and confirmation would, without any mail.

    Without a password the person chooses one by "forgot password". Raises InvalidInput for an
    address that is known or cannot sign up.
    """
    applicant = _applicant(
        installation, business_name, full_name, email, password_hash=password_hash or NO_PASSWORD
    )
    user, _ = claim_address(
        session, applicant.address, applicant.full_name, applicant.password_hash
    )
    account = home_account(session, user.id)
    if user.confirmed_at is not None and account is not None:
        raise InvalidInput({"email": f"{applicant.address.text} has an account already."}, "known")
    account = _write_sign_up(session, installation, applicant, user, account)
    account.postal_address = postal_address
    confirm_person(session, user)
    return CreatedAccount(account.id, user.id)


def _applicant(
    installation: Installation,
    business_name: str,
    full_name: str,
    email: str,
    *,
    password_hash: str,
) -> _Applicant:
    judged = judge_signup_address(email, installation.address_policy())
    if judged.address is None or judged.verdict.is_error:
        raise InvalidInput({"email": judged.verdict.message}, judged.verdict.code or "syntax")
    return _Applicant(business_name, full_name, judged.address, judged.is_free, password_hash)


def _write_sign_up(
    session: Session,
    installation: Installation,
    applicant: _Applicant,
    user: User,
    account: Account | None,
) -> Account:
    """Write the applicant over the person and account, which is made where there is none."""
    user.email = applicant.address.text
    user.full_name = applicant.full_name
    user.password_hash = applicant.password_hash
    user.confirmed_at = None
    if account is None:
        account = Account(business_name=applicant.business_name)
        session.add(account)
        session.flush()
        session.add(Membership(account_id=account.id, user_id=user.id, role=Role.OWNER))
        # Now, and not with its first mail: what is written for a known address then is counted.
        lane_id_for(session, account.id, Stream.TRANSACTIONAL, PLATFORM)
    account.business_name = applicant.business_name
    session.add_all((user, account))
    session.flush()
    prefill_gateway(
        session,
        account_id=account.id,
        business_name=applicant.business_name,
        address=applicant.address,
        is_free=applicant.is_free,
        platform_domain=installation.settings.platform_domain,
    )
    return account


def _tell_known_person(session: Session, base_url: str, user: User, account: Account) -> None:
    variables = {
        "email": user.email,
        "link": f"{base_url}/login",
        "forgot_link": f"{base_url}/forgot",
    }
    enqueue_platform_mail(
        session, "already_registered", user.email, variables, account_id=account.id
    )
