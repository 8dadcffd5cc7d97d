"""The safe way from no DMARC policy to `reject`, one step at a time (R-DMARC).

RFC 9989 §5.1 leaves the pace to the domain's owner: watch the reports, then ask for more. A step
is never stricter before the domain is authenticated, since its own mail would be lost.
"""

from dataclasses import dataclass

from kartramail.rules.dmarc_record import ALLOWED, GONE, PROPOSED, DmarcRecord, Policy, tags_of


@dataclass(frozen=True, slots=True)
class DmarcStep:
    """What to do next. `value` is the whole record to set; None means leave it as it is for now.

    `when` and `why` are sentences for the page.
    """

    value: str | None
    when: str
    why: str


def next_step(record: DmarcRecord | None, is_authenticated: bool) -> DmarcStep | None:
    """The next record to set for the domain whose own record this is; None at the end of the way.

    What stands in the record stays (reports, subdomains, alignment), but for tags that today's
    standard has no use for.
    """
    if record is None:
        return DmarcStep(
            PROPOSED,
            "Now.",
            "Large mail providers expect a DMARC record from whoever sends to many people. This "
            "one changes nothing for any of your mail.",
        )
    if _is_broken(record):
        return DmarcStep(
            _with_policy(record, record.p, is_testing=record.is_testing),
            "Now.",
            "Receivers cannot follow the record as it is written. This one says what they take it "
            "to mean, without the mistake.",
        )
    if not is_authenticated:
        return _wait_for_authentication(record)
    return _stricter(record)


def _is_broken(record: DmarcRecord) -> bool:
    return any(problem.code in ("syntax", "missing_policy") for problem in record.problems)


def _wait_for_authentication(record: DmarcRecord) -> DmarcStep:
    if record.applies_to(is_inherited=False) is Policy.NONE:
        why = (
            "As long as your domain is not authenticated, a stricter record would send your own "
            "mail to the spam folder."
        )
    else:
        why = (
            "The record already asks for more than none, and your domain is not authenticated "
            "here yet. Mail from here under this domain would be lost until it is."
        )
    return DmarcStep(None, "When all records of the checklist are found.", why)


def _stricter(record: DmarcRecord) -> DmarcStep | None:
    match record.p, record.is_testing:
        case Policy.NONE, _:
            return DmarcStep(
                _with_policy(record, Policy.QUARANTINE, is_testing=True),
                "When your mail has gone out signed for two weeks and everything that sends for "
                "you (shop, office mail, bookkeeping) is set up too.",
                "It announces that forged mail should go to the spam folder, but receivers do not "
                "act on it yet; reports show what would be caught.",
            )
        case Policy.QUARANTINE, True:
            return DmarcStep(
                _with_policy(record, Policy.QUARANTINE),
                "After two more weeks in which nobody missed mail from you.",
                "From then on, mail that only pretends to come from you goes to the spam folder.",
            )
        case Policy.QUARANTINE, False:
            return DmarcStep(
                _with_policy(record, Policy.REJECT),
                "After a month in which nobody missed mail from you.",
                "Forged mail is then refused and reaches nobody, not even a spam folder.",
            )
        case Policy.REJECT, True:
            return DmarcStep(
                _with_policy(record, Policy.REJECT),
                "After two more weeks in which nobody missed mail from you.",
                "The record asks to refuse forged mail, but testing mode (t=y) still holds "
                "receivers back.",
            )
    return None


def _with_policy(record: DmarcRecord, policy: Policy, *, is_testing: bool = False) -> str:
    """The record with another p and t; tags that nobody could read are left out."""
    kept = [
        f"{name}={value}"
        for name, value in tags_of(record.text)
        if name not in ("p", "t", *GONE) and _is_sound(name, value)
    ]
    testing = ["t=y"] if is_testing else []
    return "; ".join(("v=DMARC1", f"p={policy}", *testing, *kept))


def _is_sound(name: str, value: str) -> bool:
    allowed = tuple(Policy) if name in ("sp", "np") else ALLOWED.get(name)
    return allowed is None or value.lower() in allowed
