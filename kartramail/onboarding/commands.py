"""`flask kartramail create-account`: an account as sign-up would make it, already confirmed."""

import json
import sys
from dataclasses import dataclass

import click

from kartramail.accounts.api_keys import make_api_key
from kartramail.accounts.names import judge_name, judge_postal_address
from kartramail.accounts.passwords import hash_password, judge_password
from kartramail.cli import commands, fail, ready_installation
from kartramail.errors import InvalidInput
from kartramail.ids import show_id
from kartramail.installation import Installation
from kartramail.onboarding.service import create_confirmed_account
from kartramail.rules.addresses import judge_signup_address
from kartramail.rules.mail_hosts import judge_mail_host
from kartramail.rules.verdict import Verdict
from kartramail.senders.service import load_gateway


@dataclass(frozen=True, slots=True)
class _Wish:
    business: str
    email: str
    full_name: str
    postal_address: str
    password: str | None


@commands.command("create-account")
@click.option("--business", required=True, help="The name of the business.")
@click.option("--email", required=True, help="The address of its owner.")
@click.option("--full-name", default="", help="The owner's name; the business name if left out.")
@click.option("--postal-address", default="", help="Where the business is reached by post.")
@click.option("--password-stdin", is_flag=True, help="Read the owner's password from stdin.")
@click.option("--api-key", is_flag=True, help="Make an API key as well, and print it.")
def create_account(
    business: str,
    email: str,
    full_name: str,
    postal_address: str,
    *,
    password_stdin: bool,
    api_key: bool,
) -> None:
    """Make a confirmed account and print it as one JSON object."""
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    wish = _Wish(
        business.strip(" "),
        email.strip(" "),
        full_name.strip(" ") or business.strip(" "),
        postal_address.replace("\\n", "\n").strip(),
        password,
    )
    parts = ready_installation()
    _refuse_errors(_verdicts(parts, wish))
    try:
        click.echo(json.dumps(_create(parts, wish, with_key=api_key), ensure_ascii=False))
    except InvalidInput as error:
        fail(error)


def _verdicts(parts: Installation, wish: _Wish) -> list[Verdict]:
    """What sign-up would say of it, look-ups included."""
    verdicts = [
        judge_name(wish.business, "the business name"),
        judge_name(wish.full_name, "the owner's name"),
        judge_postal_address(wish.postal_address),
    ]
    if wish.password is not None:
        verdicts.append(
            judge_password(wish.password, email=wish.email, business_name=wish.business)
        )
    judged = judge_signup_address(wish.email, parts.address_policy())
    verdicts.append(judged.verdict)
    if judged.address is not None and not judged.verdict.is_error:
        domain = judged.address.domain
        verdicts.append(judge_mail_host(domain, *parts.resolver.mail_hosts(domain)))
    return verdicts


def _refuse_errors(verdicts: list[Verdict]) -> None:
    errors = [verdict.message for verdict in verdicts if verdict.is_error]
    if errors:
        fail(" ".join(errors))


def _create(parts: Installation, wish: _Wish, *, with_key: bool) -> dict[str, str | None]:
    password_hash = hash_password(wish.password) if wish.password is not None else None
    with parts.db.transaction() as session:
        made = create_confirmed_account(
            session,
            parts,
            business_name=wish.business,
            full_name=wish.full_name,
            email=wish.email,
            password_hash=password_hash,
            postal_address=wish.postal_address,
        )
        gateway = load_gateway(session, made.account_id)
        raw = None
        if with_key:
            _, raw = make_api_key(session, made.account_id, "create-account", made.user_id)
    return {
        "account_id": show_id(made.account_id),
        "send_from": gateway.send_from,
        "reply_to": gateway.reply_to,
        "api_key": raw,
    }
