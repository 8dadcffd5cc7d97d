"""What is true after a save, in words: the sender that mail leaves from now (R-SAVE, R-PROOF)."""

from flask import flash

from kartramail.messages.resolution import Resolution, resolve_sender
from kartramail.rules.verdict import Status, Verdict
from kartramail.senders.proof_requests import Asked
from kartramail.senders.saving import Saved
from kartramail.senders.standing import gateway_standing
from kartramail.web.access import database, installation
from kartramail.web.reading import as_read

_NO_LINK = {
    Asked.TOO_OFTEN: "No new link was sent to {}: several were sent today already. "
    "Use the latest one, or ask for another tomorrow.",
    Asked.DECLINED: "No link was sent to {}: whoever reads that mailbox said that this was not "
    "them. Use another address.",
}


def say_what_is_true_now(saved: Saved, reply_to: Verdict) -> None:
    """Tell whoever saved what mail leaves from now, and what is still to be done."""
    platform_domain = installation().settings.platform_domain
    with database().reading() as session:
        standing = gateway_standing(session, saved.gateway.account_id, platform_domain)
    wanted = as_read(saved.gateway.send_from)
    used = resolve_sender(standing)
    is_sent = saved.asked is Asked.SENT
    words = _used_as_wanted(used) if used.is_as_wanted else _not_used_yet(used, wanted, is_sent)
    start = "Saved." if saved.is_changed else "Nothing was left to save: it is saved like this."
    flash(f"{start} {words}", "success" if used.is_as_wanted else "info")
    if saved.asked in _NO_LINK:
        flash(_NO_LINK[saved.asked].format(wanted), "warning")
    if reply_to.status is Status.UNKNOWN:
        flash(reply_to.message, "warning")


def _used_as_wanted(used: Resolution) -> str:
    return f"Your sender is {used.name} <{as_read(used.send_from)}>."


def _not_used_yet(used: Resolution, wanted: str, is_sent: bool) -> str:
    if used.code != "unproven":
        return used.why
    link = f"A link was sent to {wanted}: u" if is_sent else f"{wanted} is not proven: u"
    replies = f", and replies go to {as_read(used.reply_to)}" if used.reply_to else ""
    return (
        f"{link}ntil somebody who reads that mailbox follows the link, mail leaves from "
        f"{used.name} <{used.send_from}>{replies}."
    )
