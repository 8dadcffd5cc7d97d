"""What is wrong around DMARC records: what, why, and what to do (R-DMARC, R-WORDS).

Mistakes within one record are named where it is read, in `dmarc_record`.
"""

from kartramail.rules.dns_records import Problem
from kartramail.rules.record_text import shown


def several_records(name: str, records: list[str]) -> Problem:
    """RFC 9989 §4.10: several records for one name are all discarded."""
    return Problem(
        "several_records",
        f"_dmarc.{name} has {len(records)} DMARC records. Receivers then act as if there were "
        "none.",
        "Delete all but one.",
    )


def almost_record(name: str, text: str) -> Problem:
    """A TXT record that was meant for DMARC, but does not begin as one (RFC 9989 §4.8)."""
    return Problem(
        "syntax",
        f"The record at _dmarc.{name} that begins with “{shown(text, 24)}” was meant for DMARC, "
        "but receivers pass it over: it must begin with v=DMARC1, in capitals, with a semicolon "
        "after it and no quotes or blanks before it.",
        "Set the record again so that it begins with v=DMARC1; and nothing else before it.",
    )


def misplaced(domain: str) -> Problem:
    """A DMARC record at the domain itself, where no receiver looks."""
    return Problem(
        "misplaced",
        f"A DMARC record stands at {domain} itself, where no receiver looks for it.",
        f"Move it to the name _dmarc.{domain}; in the form of most providers that is the host "
        "_dmarc.",
    )


def unreachable(name: str) -> Problem:
    """Neither found nor absent: no complete answer came."""
    return Problem(
        "unreachable",
        f"Whether {name} has a DMARC record could not be checked now, because no usable answer "
        "came from DNS.",
        "Look again in a few minutes; nothing that was known before changes by this.",
    )


def not_by_the_book(domain: str, why: str) -> Problem:
    """What only a strict reader minds; `why` are its words."""
    return Problem(
        "ignored_value",
        f"A part of the DMARC record of {domain} is not as the standard wants it, and receivers "
        f"pass that part over: {shown(why, 160)}",
        "Correct that part of the record, or take it out.",
    )
