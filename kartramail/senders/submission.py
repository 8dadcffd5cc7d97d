"""A sender that somebody wants to save, judged whole: the same for form, picker and program."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kartramail.installation import Installation
from kartramail.rules.sender_details import JudgedSender
from kartramail.rules.verdict import Verdict
from kartramail.senders.judging import judge_mail_server, judge_typed
from kartramail.senders.low_delivery import LowDelivery, low_delivery_of
from kartramail.senders.saving import SenderDetails

Ask = Callable[[Mapping[str, Verdict]], dict[str, Verdict]]
"""Makes questions of doubts: verdicts in, verdicts out."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What the rules say, and the details where nothing speaks against saving them.

    `missing_tick` is what R-LOWDELIV asks for, where that alone is missing.
    """

    verdicts: dict[str, Verdict]
    details: SenderDetails | None = None
    missing_tick: LowDelivery | None = None


def judge_submission(
    installation: Installation,
    account_id: int,
    typed: Mapping[str, str],
    *,
    accepts_low_delivery: bool,
    sender_id: int | None,
    ask: Ask = dict,
) -> Submission:
    """Judge all of it, the reply-to's mail server included; takes at most DNS_TIMEOUT.

    Outside of any transaction. `sender_id` is the sender that is edited, None for a new one; `ask`
    turns what looks mistyped into a question, where there is somebody to ask.
    """
    judged = judge_typed(installation, account_id, typed)
    verdicts = ask(judged.verdicts)
    if not any(verdict.is_error for verdict in verdicts.values()):
        verdicts["reply_to"] = judge_mail_server(installation, judged)
    send_from = judged.send_from_address
    if send_from is None or any(verdict.is_error for verdict in verdicts.values()):
        return Submission(verdicts)
    if not accepts_low_delivery:
        with installation.db.reading() as session:
            platform_domain = installation.settings.platform_domain
            asked = low_delivery_of(
                session, account_id, send_from, platform_domain, sender_id=sender_id
            )
        if asked is not None:
            return Submission(verdicts, missing_tick=asked)
    return Submission(verdicts, _details(judged, accepts_low_delivery))


def _details(judged: JudgedSender, accepts_low_delivery: bool) -> SenderDetails | None:
    if judged.send_from_address is None:
        return None
    return SenderDetails(
        judged.name, judged.send_from_address, judged.reply_to_address, accepts_low_delivery
    )
