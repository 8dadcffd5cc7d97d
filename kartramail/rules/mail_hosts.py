"""R-REPLY: can a domain receive mail? The same judgement for a reply-to and at sign-up."""

from typing import NamedTuple

from kartramail.rules.dns_answers import (
    Absent,
    AbsentReason,
    Answer,
    Found,
    MailExchanger,
    Unreachable,
    UnreachableReason,
)
from kartramail.rules.verdict import OK, Status, Verdict


class MailHosts(NamedTuple):
    """What DNS said of where mail for a domain goes.

    `address` (A or AAAA) is None where it was not asked for, because the MX answer settles it.
    """

    mx: Answer[MailExchanger]
    address: Answer[str] | None


def judge_mail_host(
    domain: str, mx_answer: Answer[MailExchanger], address_answer: Answer[str] | None
) -> Verdict:
    """Whether mail to `domain` can arrive, by its MX or, without one, its address record.

    RFC 5321 §5.1 (the implicit MX), RFC 7505 (null MX). Without an answer the verdict is UNKNOWN,
    which lets one save. Raises ValueError when the MX answer leaves it open and no address was
    asked for.
    """
    match mx_answer:
        case Found(records=exchangers) if all(each.is_null for each in exchangers):
            return _null_mx(domain)
        case Found():
            return OK
        case Unreachable():
            return _unknown(domain, mx_answer.why)
        case Absent(reason=AbsentReason.NODATA):
            return _judge_address(domain, address_answer)
        case Absent():
            return _no_such_domain(domain)


def _judge_address(domain: str, answer: Answer[str] | None) -> Verdict:
    match answer:
        case Found():
            return OK
        case Unreachable():
            return _unknown(domain, answer.why)
        case Absent():
            return _no_mail_server(domain)
        case None:
            raise ValueError("without an MX record the addresses have to be asked for")


def _no_such_domain(domain: str) -> Verdict:
    return Verdict(
        Status.ERROR,
        "no_mail_server",
        f"Mail to {domain} cannot arrive, because no such domain exists. "
        "Check the spelling, or use another address.",
    )


def _no_mail_server(domain: str) -> Verdict:
    return Verdict(
        Status.ERROR,
        "no_mail_server",
        f"Mail to {domain} cannot arrive, because the domain has no mail server. "
        "Check the spelling, or use an address where you already receive mail.",
    )


def _null_mx(domain: str) -> Verdict:
    return Verdict(
        Status.ERROR,
        "null_mx",
        f"Mail to {domain} cannot arrive, because the domain says that it accepts none. "
        "Use an address where you already receive mail.",
    )


_NO_GOOD_ANSWER = (
    "the look-up brought no usable answer",
    "check the spelling, and look again in a few minutes",
)
_WHY_AND_WHAT: dict[UnreachableReason, tuple[str, str]] = {
    UnreachableReason.TIMEOUT: (
        "no answer came in time",
        "check the spelling, and look again in a few minutes",
    ),
    UnreachableReason.SERVFAIL: (
        "the servers that know the domain are in trouble",
        "if this stays so, ask the company that you have the domain from",
    ),
    UnreachableReason.LOOP: (
        "the domain's records point at each other in a circle",
        "show this sentence to the company that you have the domain from",
    ),
    UnreachableReason.NO_NETWORK: (
        "KartraMail has no connection for it",
        "check the spelling, and look again when the connection is back",
    ),
    UnreachableReason.SPECIAL_USE: (
        "the name is reserved for trials",
        "use a real domain when you write to real people",
    ),
}


def _unknown(domain: str, why: UnreachableReason) -> Verdict:
    reason, what_to_do = _WHY_AND_WHAT.get(why, _NO_GOOD_ANSWER)
    return Verdict(
        Status.UNKNOWN,
        "dns_unreachable",
        f"Whether {domain} can receive mail could not be checked now: {reason}. "
        f"You can save it all the same; {what_to_do}.",
    )
