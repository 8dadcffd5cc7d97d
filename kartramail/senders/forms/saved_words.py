"""What is true after a save, in words: the sender that mail leaves from now (R-SAVE, R-PROOF)."""

from sqlmodel import Session

from kartramail.messages.resolution import Resolution, resolve_sender
from kartramail.senders.proof_requests import Asked
from kartramail.senders.saving import Saved
from kartramail.senders.standing import sender_standing
from kartramail.web.reading import as_read

_NO_LINK = {
    Asked.TOO_OFTEN: "No new link was sent to {}: several were sent today already. "
    "Use the latest one, or ask for another tomorrow.",
    Asked.DECLINED: "No link was sent to {}: whoever reads that mailbox said that this was not "
    "them. Use another address.",
}


def words_on_saved(session: Session, saved: Saved, platform_domain: str) -> list[tuple[str, str]]:
    """What is true now, as sentences with their kind."""
    sender = saved.sender
    standing = sender_standing(session, sender.account_id, sender.sender_id, platform_domain)
    if standing is None:
        return []  # somebody else has removed it already
    wanted = as_read(sender.send_from)
    used = resolve_sender(standing)
    is_sent = saved.asked is Asked.SENT
    if used.is_as_wanted:
        words = _used_as_wanted(used, is_default=sender.is_default)
    else:
        words = _not_used_yet(used, wanted, is_sent)
    told = [(f"{_start(saved)} {words}", "success" if used.is_as_wanted else "info")]
    if saved.asked in _NO_LINK:
        told.append((_NO_LINK[saved.asked].format(wanted), "warning"))
    return told


def _start(saved: Saved) -> str:
    if saved.is_new:
        return "Added."
    return "Saved." if saved.is_changed else "Nothing was left to save: it is saved like this."


def _used_as_wanted(used: Resolution, *, is_default: bool) -> str:
    shown = f"{used.name} <{as_read(used.send_from)}>"
    return f"Your sender is {shown}." if is_default else f"{shown} can be used."


def _not_used_yet(used: Resolution, wanted: str, is_sent: bool) -> str:
    if used.code != "unproven":
        return used.why
    link = f"A link was sent to {wanted}: u" if is_sent else f"{wanted} is not proven: u"
    replies = f", and replies go to {as_read(used.reply_to)}" if used.reply_to else ""
    return (
        f"{link}ntil somebody who reads that mailbox follows the link, mail leaves from "
        f"{used.name} <{used.send_from}>{replies}."
    )
