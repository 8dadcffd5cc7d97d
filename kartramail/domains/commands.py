"""The operator's commands about domains: checks, the zone to publish, the master key."""

import click

from kartramail.cli import commands, fail, ready_installation
from kartramail.domains.keys import reseal_keys
from kartramail.domains.operator_zone import operator_zone
from kartramail.domains.platform import ensure_platform_domain
from kartramail.domains.rounds import check_due_domains
from kartramail.errors import SealBroken

_LONGEST = 3600.0  # seconds: a command may take its time


@commands.command("check-domains")
def check_domains() -> None:
    """One round of the domain checks that are due."""
    count = check_due_domains(ready_installation(), _LONGEST)
    click.echo(f"{count} domain{'' if count == 1 else 's'} checked.")


@commands.command("dns-zone")
def dns_zone() -> None:
    """Print the records that the operator's own zone must hold, as zone-file text."""
    found = ready_installation()
    ensure_platform_domain(found.db, found.settings)
    with found.db.reading() as session:
        for line in operator_zone(session, found.settings):
            click.echo(line)


@commands.command("reseal-keys")
def reseal() -> None:
    """Seal all private keys with the first of MASTER_KEYS, so that older ones can be left out.

    Put the new master key before the old ones, restart web and worker, run this, then take the old
    ones away.
    """
    found = ready_installation()
    try:
        count = reseal_keys(found.db, found.settings)
    except SealBroken as error:
        fail(error)
    click.echo(f"{count} private key{'' if count == 1 else 's'} sealed with the first master key.")
