"""R-PREFILL: the configuration is filled in at sign-up, so that a confirmed account can send."""

from kartramail.accounts.models import Account
from kartramail.db import Database
from kartramail.rules.addresses import Address
from kartramail.senders.service import GatewayView, load_gateway, prefill_gateway
from kartramail.senders.standing import Proof, SenderStanding, gateway_standing

DOMAIN = "kartra.com"


def add_bare_account(db: Database) -> int:
    with db.transaction() as session:
        account = Account(business_name="Doe Inc")
        session.add(account)
    return account.id


def prefill(
    db: Database, account_id: int, address: str, *, is_free: bool, business_name: str = "Doe Inc"
) -> tuple[GatewayView, SenderStanding]:
    local, domain = address.split("@")
    with db.transaction() as session:
        prefill_gateway(
            session,
            account_id=account_id,
            business_name=business_name,
            address=Address(local, domain),
            is_free=is_free,
            platform_domain=DOMAIN,
        )
        return load_gateway(session, account_id), gateway_standing(session, account_id, DOMAIN)


def test_a_business_address_becomes_send_from_and_reply_to(db: Database) -> None:
    gateway, standing = prefill(db, add_bare_account(db), "Jane@doeinc.com", is_free=False)
    assert (gateway.name, gateway.send_from, gateway.reply_to) == (
        "Doe Inc",
        "Jane@doeinc.com",
        "Jane@doeinc.com",
    )
    assert gateway.from_key == "jane@doeinc.com"
    assert gateway.is_active
    assert standing.proof is Proof.NONE
    assert standing.placeholder == "doe-inc@kartra.com"


def test_a_free_address_gets_a_placeholder_without_reply_to(db: Database) -> None:
    gateway, standing = prefill(db, add_bare_account(db), "jane@gmail.com", is_free=True)
    assert gateway.send_from == "doe-inc@kartra.com"
    assert gateway.reply_to is None
    assert standing.proof is Proof.PLACEHOLDER


def test_a_later_sign_up_replaces_it_in_place(db: Database) -> None:
    """R-SIGNUP: one gateway, one sender, and nothing of the earlier one left in them."""
    account_id = add_bare_account(db)
    before, _ = prefill(db, account_id, "jane@gmail.com", is_free=True, business_name="Evil")
    after, standing = prefill(db, account_id, "jane@doeinc.com", is_free=False)
    assert after.sender_id == before.sender_id
    assert (after.name, after.send_from) == ("Doe Inc", "jane@doeinc.com")
    assert after.version > before.version
    assert standing.placeholder == "doe-inc@kartra.com"


def test_a_business_name_that_cannot_be_a_sender_name_is_fitted(db: Database) -> None:
    """R-NAME holds for what is filled in as well."""
    long = "Doe & Daughters " * 12
    gateway, _ = prefill(db, add_bare_account(db), "a@doe.com", is_free=False, business_name=long)
    assert 1 <= len(gateway.name) <= 64
