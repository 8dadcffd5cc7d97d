"""Sign-ins: a row for each browser, named by its cookie, so that signing out is real (R-SAFE)."""

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select, update

from kartramail.accounts.models import Account, Membership, SignIn
from kartramail.clock import now


def start_sign_in(session: Session, user_id: int, account_id: int) -> SignIn:
    """A new sign-in of this person, looking at that account."""
    sign_in = SignIn(user_id=user_id, account_id=account_id)
    session.add(sign_in)
    session.flush()
    return sign_in


def end_sign_in(session: Session, sign_in_id: int) -> None:
    """Sign one browser out; its cookie is worth nothing from now on."""
    _end(session, col(SignIn.id) == sign_in_id)


def end_sign_ins_of_user(session: Session, user_id: int) -> None:
    """Sign a person out everywhere, after a change of password."""
    _end(session, col(SignIn.user_id) == user_id)


def end_sign_ins_in_account(session: Session, account_id: int, user_id: int) -> None:
    """Sign a person out of one account, where they have no place any more."""
    _end(session, (col(SignIn.account_id) == account_id) & (col(SignIn.user_id) == user_id))


def _end(session: Session, which: ColumnElement[bool]) -> None:
    session.connection().execute(
        update(SignIn).where(which, col(SignIn.ended_at).is_(None)).values(ended_at=now())
    )


def usual_account(session: Session, user_id: int) -> int | None:
    """The account that the person last looked at, else the first they joined; None without any."""
    accounts = [account.id for account in list_accounts(session, user_id)]
    last = session.exec(
        select(SignIn.account_id)
        .where(SignIn.user_id == user_id, col(SignIn.account_id).in_(accounts))
        .order_by(col(SignIn.id).desc())
    ).first()
    return last or (accounts[0] if accounts else None)


def list_accounts(session: Session, user_id: int) -> list[Account]:
    """The confirmed accounts that a person belongs to, oldest membership first."""
    statement = (
        select(Account)
        .join(Membership, col(Membership.account_id) == col(Account.id))
        .where(
            Membership.user_id == user_id,
            col(Account.deleted_at).is_(None),
            col(Account.confirmed_at).is_not(None),
        )
        .order_by(col(Membership.created_at), col(Account.id))
    )
    return list(session.exec(statement))


def switch_account(session: Session, sign_in_id: int, user_id: int, account_id: int) -> bool:
    """Let this browser look at another account of the same person; False where it is not theirs."""
    if account_id not in [account.id for account in list_accounts(session, user_id)]:
        return False
    session.connection().execute(
        update(SignIn)
        .where(col(SignIn.id) == sign_in_id, col(SignIn.user_id) == user_id)
        .values(account_id=account_id)
    )
    return True
