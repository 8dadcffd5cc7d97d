"""Pages about people, teams, accounts and keys, one module a page or a few that belong together."""

from kartramail.accounts.views import (
    account,
    api_keys,
    joining,
    passwords,
    profile,
    signing_in,
    team,
)
from kartramail.accounts.views.routes import blueprint

__all__ = [
    "account",
    "api_keys",
    "blueprint",
    "joining",
    "passwords",
    "profile",
    "signing_in",
    "team",
]
