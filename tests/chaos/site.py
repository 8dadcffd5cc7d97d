"""The web and the program that asks it, with an account of their own in the outbox."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kartramail.accounts.api_keys import make_api_key
from kartramail.db import Database
from tests.chaos.client import Client, asking
from tests.chaos.web import Web, serving
from tests.support.domains import forget_domains
from tests.support.outbox import add_account
from tests.support.ports import free_port


@dataclass(frozen=True, slots=True)
class Site:
    """Both of them."""

    web: Web
    client: Client


@contextmanager
def open_site(
    db: Database,
    environment: Mapping[str, str],
    folder: Path,
    count: int,
    may_send: Callable[[int], bool],
) -> Iterator[Site]:
    """Both at work until the block ends: `count` messages, each when `may_send` says so.

    They are another account's than the rest: its turn comes while the others' mail leaves.
    """
    with db.transaction() as session:
        account_id = add_account(session, "Roe Inc", "rick@roeinc.com")
        _, key = make_api_key(session, account_id, "chaos", None)
    forget_domains(db)  # or a worker would make keys for it and look it up meanwhile
    port = free_port()
    with (
        serving(environment, port, folder) as web,
        asking(port, key, count, may_send) as client,
    ):
        yield Site(web, client)
