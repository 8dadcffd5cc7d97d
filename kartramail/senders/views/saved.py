"""Whoever saved a sender is told what is true now (R-SAVE, R-PROOF)."""

from flask import flash

from kartramail.rules.verdict import Status, Verdict
from kartramail.senders.forms.saved_words import words_on_saved
from kartramail.senders.saving import Saved
from kartramail.web.access import database, installation


def say_what_is_true_now(saved: Saved, reply_to: Verdict) -> None:
    """Tell whoever saved what mail leaves from now, and what is still to be done."""
    with database().reading() as session:
        flashes = words_on_saved(session, saved, installation().settings.platform_domain)
    for words, kind in flashes:
        flash(words, kind)
    if reply_to.status is Status.UNKNOWN:
        flash(reply_to.message, "warning")
