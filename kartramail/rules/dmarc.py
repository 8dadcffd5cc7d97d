"""DMARC: what a record says, where it is looked for, and what to set next (R-DMARC, RFC 9989).

The doors to the rules of DMARC. Pure: DNS is asked in `domains/dmarc_discovery.py`.
"""

from kartramail.rules.dmarc_record import (
    PROPOSED,
    DmarcRecord,
    Policy,
    is_almost_dmarc_record,
    is_dmarc_record,
    read_dmarc_record,
)
from kartramail.rules.dmarc_steps import DmarcStep, next_step
from kartramail.rules.dmarc_walk import (
    MOST_QUERIES,
    ends_walk,
    governing_domain,
    organization_of,
    walk_names,
)
from kartramail.rules.dmarc_words import explain

__all__ = [
    "MOST_QUERIES",
    "PROPOSED",
    "DmarcRecord",
    "DmarcStep",
    "Policy",
    "ends_walk",
    "explain",
    "governing_domain",
    "is_almost_dmarc_record",
    "is_dmarc_record",
    "next_step",
    "organization_of",
    "read_dmarc_record",
    "walk_names",
]
