"""An address that looks mistyped is asked about once, then taken as it is (R-BUSINESS)."""

from collections.abc import Mapping
from dataclasses import replace

from kartramail.rules.verdict import Status, Verdict
from kartramail.senders.forms import SenderForm

_CAN_BE_ASKED = ("send_from", "reply_to")


def ask_about_doubts(
    form: SenderForm, verdicts: Mapping[str, Verdict], button: str
) -> dict[str, Verdict]:
    """The verdicts, with a question in the place of a doubt that was not answered yet.

    The form remembers which value was asked about: sent again by `button`, unchanged, it means what
    it says.
    """
    asked = dict(verdicts)
    for name in _CAN_BE_ASKED:
        verdict, kept = verdicts[name], form[f"kept_{name}"]
        if _is_doubt(verdict) and (kept.data or "") != form[name].data:
            kept.data = form[name].data
            asked[name] = replace(
                verdict,
                status=Status.ERROR,
                message=f"{verdict.message} If it is right as it is, press {button} once more.",
            )
    return asked


def _is_doubt(verdict: Verdict) -> bool:
    return verdict.status is Status.WARNING and verdict.suggestion is not None
