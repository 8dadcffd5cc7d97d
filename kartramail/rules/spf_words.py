"""What is wrong with a domain's SPF, in words: what, why, and what to do (R-SPF, R-WORDS)."""

from collections.abc import Sequence

from kartramail.rules.dns_records import Problem
from kartramail.rules.record_text import shown
from kartramail.rules.spf import LONGEST_RECORD, MOST_LOOKUPS, MOST_VOID_LOOKUPS, SpfTerm

BREAKING = frozenset(
    {
        "several_records",
        "plus_all",
        "too_many_lookups",
        "too_many_void_lookups",
        "loop",
        "syntax",
        "missing_include",
        "too_many_mail_hosts",
    }
)
"""The codes of what makes SPF fail, or worthless; the others are advice."""


def several_records(domain: str, records: Sequence[str]) -> Problem:
    """RFC 7208 §4.5: more than one record is a permanent error."""
    return Problem(
        "several_records",
        f"{domain} has {len(records)} SPF records. Receivers then take none of them, so SPF fails "
        "for all mail.",
        "Delete all but one, and put everything that is needed into that one.",
    )


def several_records_of_another(asked: str, records: Sequence[str], term: SpfTerm) -> Problem:
    """The same at a name that is included: it is somebody else's to mend."""
    name = term.value.lower().rstrip(".")
    return Problem(
        "several_records",
        f"{name} has {len(records)} SPF records. It is included by {term.text} in the SPF record "
        f"of {asked}, so SPF fails for all mail.",
        f"{name} is not your domain: ask the service whose name it is to keep only one, or take "
        f"{term.text} out of the record of {asked}.",
    )


def plus_all(domain: str, *, is_root: bool) -> Problem:
    """RFC 7208 §5.1."""
    return Problem(
        "plus_all",
        f"The SPF record of {domain} ends in +all, which allows every server in the world to send "
        "in the name of the domain.",
        "Replace +all by ~all." if is_root else f"Take {domain} out of your record.",
    )


def neutral_all(domain: str) -> Problem:
    """RFC 7208 §8.2."""
    return Problem(
        "neutral_all",
        f"The SPF record of {domain} ends in ?all, which says nothing about servers that are not "
        "listed.",
        "When everything that sends for you is listed, replace ?all by ~all.",
    )


def no_all(domain: str) -> Problem:
    """RFC 7208 §4.7: without `all` or `redirect` the result is neutral."""
    return Problem(
        "no_all",
        f"The SPF record of {domain} has neither all nor redirect at its end, so it says nothing "
        "about servers that are not listed.",
        "Put ~all at its end.",
    )


def after_all(domain: str, terms: Sequence[SpfTerm]) -> Problem:
    """RFC 7208 §5.1: mechanisms after `all` are never tested."""
    return Problem(
        "after_all",
        f"In the SPF record of {domain}, receivers stop reading at all, so what comes after it "
        f"has no effect: {_listed(terms)}.",
        "Move all to the end of the record.",
    )


def too_many_lookups(domain: str, lookups: int, *, is_complete: bool) -> Problem:
    """RFC 7208 §4.6.4."""
    number = str(lookups) if is_complete else f"at least {lookups}"
    return Problem(
        "too_many_lookups",
        f"The SPF record of {domain} takes {number} DNS look-ups, includes counted. Receivers stop "
        f"at {MOST_LOOKUPS} and then SPF fails.",
        "Take out the includes of services that you no longer use, and a, mx and ptr that are not "
        "needed.",
    )


def too_many_void_lookups(domain: str, voids: int, names: Sequence[str]) -> Problem:
    """RFC 7208 §4.6.4."""
    return Problem(
        "too_many_void_lookups",
        f"{voids} of the names in the SPF record of {domain}, includes counted, do not exist: "
        f"{shown(', '.join(names), 200)}. Receivers accept {MOST_VOID_LOOKUPS}, then SPF fails.",
        "Take out the names that no longer exist.",
    )


def too_many_mail_hosts(domain: str, asked: str, hosts: int) -> Problem:
    """RFC 7208 §4.6.4: at most ten exchangers for one `mx`."""
    return Problem(
        "too_many_mail_hosts",
        f"mx in the SPF record of {domain} stands for the {hosts} mail servers of {asked}. "
        "Receivers accept 10, then SPF fails.",
        "Replace mx by the addresses that mail really leaves from, such as ip4:192.0.2.1.",
    )


def loop(domain: str, term: SpfTerm) -> Problem:
    """An `include` or `redirect` that leads back to a record on the way to it."""
    return Problem(
        "loop",
        f"{term.text} in the SPF record of {domain} leads back to a record that it came from. "
        "Receivers go round until they give up, and SPF fails.",
        f"Take {term.text} out of the record of {domain}.",
    )


def syntax(domain: str, term: SpfTerm) -> Problem:
    """RFC 7208 §4.6: a mistake anywhere is a permanent error."""
    return Problem(
        "syntax",
        f"The SPF record of {domain} has a mistake at character {term.position + 1}, "
        f"“{shown(term.text)}”: {shown(term.fault, 160)}. Receivers may then take nothing of "
        "the record.",
        "Correct that part of the record, or take it out.",
    )


def almost_record(domain: str, text: str) -> Problem:
    """A TXT record that was meant for SPF, but does not begin with `v=spf1` and a blank."""
    return Problem(
        "syntax",
        f"The record of {domain} that begins with “{shown(text, 24)}” was meant for SPF, but "
        "receivers pass it over: an SPF record begins with v=spf1 and a blank, without quotes or "
        "anything else before it.",
        "Set the record again without quotes, beginning with v=spf1 and a blank.",
    )


def too_long(domain: str, octets: int) -> Problem:
    """RFC 7208 §3.4."""
    return Problem(
        "too_long",
        f"The SPF record of {domain} has {octets} characters. Above {LONGEST_RECORD} some "
        "receivers do not get it whole.",
        "Take out what is no longer needed, or move a part into a record of its own and include "
        "that.",
    )


def costs(domain: str, term: SpfTerm) -> Problem:
    """RFC 7208 §5.5 (`ptr` is not to be used), §5.7."""
    if term.name == "ptr":
        return Problem(
            "ptr",
            f"{term.text} in the SPF record of {domain} is slow, uses up look-ups, and some "
            "receivers pass it over.",
            f"Take {term.text} out, and list the addresses that mail leaves from instead.",
        )
    return Problem(
        "exists",
        f"{shown(term.text)} in the SPF record of {domain} costs a DNS look-up for every message "
        "and cannot be checked from here.",
        "Keep it if the service that asked for it is still in use; otherwise take it out.",
    )


def missing_include(domain: str, term: SpfTerm) -> Problem:
    """RFC 7208 §5.2, §6.1: a target without an SPF record is a permanent error."""
    return Problem(
        "missing_include",
        f"{term.text} in the SPF record of {domain} leads to a name without an SPF record. "
        "Receivers take that for an error, and SPF fails.",
        f"Correct the name in {term.text}, or take it out if you no longer use that service.",
    )


def unreachable_include(domain: str, term: SpfTerm) -> Problem:
    """Neither found nor absent: no complete answer came."""
    return Problem(
        "unreachable_include",
        f"{shown(term.text)} in the SPF record of {domain} could not be checked now, because no "
        "usable answer came from DNS.",
        "Look again in a few minutes. If this stays so, ask the service whose name it is.",
    )


def _listed(terms: Sequence[SpfTerm]) -> str:
    return shown(" ".join(term.text for term in terms))
