"""`flask kartramail limit-account`: what the operator lets an account send instead of its plan."""

import json
import re
from typing import Any

import click
from sqlmodel import Session

from kartramail.accounts.models import Account
from kartramail.cli import commands, fail, ready_installation
from kartramail.ids import read_id, show_id
from kartramail.outbox.limits import load_limits, set_limit
from kartramail.rules.streams import Stream

_MOST = 1_000_000_000
"""More than this nobody sends, and it fits into the column."""


class _PerDay(click.ParamType[int | None]):
    """A number of messages, or "none" for the warm-up plan."""

    name = "number|none"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "none":
            return None
        if re.fullmatch("[0-9]{1,10}", value) and int(value) <= _MOST:
            return int(value)
        return self.fail(f'say a number from 0 to {_MOST:,}, or "none" for the plan.', param, ctx)


@commands.command("limit-account")
@click.option("--account", "shown_id", required=True, metavar="ID", help="As create-account says.")
@click.option(
    "--per-day",
    type=_PerDay(),
    required=True,
    help="Messages of each stream that may leave in a day (UTC); none: its warm-up plan again.",
)
def limit_account(shown_id: str, per_day: int | None) -> None:
    """Set how much an account may send in a day, and print what it may today as one JSON object."""
    found = ready_installation()
    account_id = read_id(shown_id)
    with found.db.transaction() as session:
        account = None if account_id is None else session.get(Account, account_id)
        if account is None:
            fail(f'There is no account "{shown_id}".')
        set_limit(session, account.id, per_day)
        session.flush()
        answer = {
            "account_id": show_id(account.id),
            "per_day": per_day,
            "today": _today(session, account.id),
            "limits_apply": found.settings.has_sending_limits,
        }
    click.echo(json.dumps(answer))


def _today(session: Session, account_id: int) -> dict[str, dict[str, int]]:
    """Of each stream, what may leave today and what has begun to."""
    limits = load_limits(session, [account_id])
    return {
        stream: {"limit": limits[account_id, stream][0], "begun": limits[account_id, stream][1]}
        for stream in Stream
    }
