"""Lines of history in words for people. What has no words yet is shown by its name."""

from typing import Any

from kartramail.accounts.history import Change
from kartramail.rules.address_syntax import shown_address

_WORDS = {
    "account.confirmed": "Confirmed the address of the sign-up",
    "account.saved": "Changed the account",
    "person.renamed": "Changed their name",
    "api_key.made": "Made the API key {after[name]}",
    "api_key.revoked": "Revoked the API key {before[name]}",
    "member.invited": "Invited {after[email]} as {after[role]}",
    "member.joined": "Joined the team as {after[role]}",
    "member.role_changed": "Made {after[email]} {after[role]} instead of {before[role]}",
    "member.removed": "Removed {before[email]} from the team",
    "invitation.withdrawn": "Withdrew the invitation of {before[email]}",
    "gateway.saved": "Changed the default sender",
    "sender.added": "Added the sender {after[name]} ({after[send_from]})",
    "sender.saved": "Changed the sender {before[name]} ({before[send_from]})",
    "sender.removed": "Removed the sender {before[name]} ({before[send_from]})",
    "sender.low_delivery_accepted": (
        "Accepted that fewer messages from {after[send_from]} arrive until its domain is "
        "authenticated"
    ),
    "domain.added": "Added the domain {after[domain]}",
    "domain.removed": "Removed the domain {before[domain]}",
    "domain.authenticated": "The domain {after[domain]} was authenticated",
    "domain.lost": "The records of the domain {after[domain]} went away",
    "domain.claimed": "Another account proved that the domain {after[domain]} is theirs",
    "domain.key_made": "Made a new key for {after[selector]} of {after[domain]}",
    "domain.shared": "Sent the records of {after[domain]} to {after[email]}",
    "mailbox.asked": "Asked for proof of {after[address]}",
    "mailbox.claimed": "The proof of {before[address]} ended: the domain is another account's",
    "mailbox.proven": "Proved {after[address]}",
    "mailbox.declined": "The reader of {after[address]} said that this was not them",
    "mailbox.unproven": "Mail no longer comes from {after[address]}: its proof ended",
    "asset.made": "Made the {after[kind]} {after[name]}",
    "notification.changed": "Changed the notification “{after[notification]}” {after[place]}",
    "message.tried_now": "Asked for the next try of the message {after[message]} at once",
    "message.cancelled": "Cancelled the message {after[message]}",
    "message.called_back": "Called back the message {after[message]}, which may be on its way",
    "lane.paused": "Paused {after[mail]}",
    "lane.resumed": "Let {after[mail]} leave again",
    "asset.renamed": "Renamed {before[name]} to {after[name]}",
}
_FIELDS = {
    "business_name": "Business name",
    "postal_address": "Postal address",
    "time_zone": "Time zone",
    "full_name": "Name",
    "name": "Sender name",
    "send_from": "Send-from address",
    "reply_to": "Reply-to address",
    "enabled": "Sent",
    "subject": "Subject",
    "html": "HTML",
    "text": "Text",
    "sender": "Sender",
}
_COMPARED = {
    "account.saved",
    "person.renamed",
    "gateway.saved",
    "sender.saved",
    "notification.changed",
}


def describe_change(change: Change) -> str:
    """One sentence without its full stop, with what was before and what is now."""
    words = _WORDS.get(change.what)
    if words is None:
        return change.what.replace(".", " ").replace("_", " ").capitalize()
    try:
        sentence = words.format(before=_as_read(change.before), after=_as_read(change.after))
    except KeyError:
        sentence = change.what.replace(".", " ").replace("_", " ").capitalize()
    differences = _differences(change) if change.what in _COMPARED else []
    return f"{sentence}: {'; '.join(differences)}" if differences else sentence


def _differences(change: Change) -> list[str]:
    return [
        f"{_FIELDS[name]} from {_quoted(change.before.get(name))} to {_quoted(value)}"
        for name, value in change.after.items()
        if name in _FIELDS and value != change.before.get(name)
    ]


def _as_read(values: dict[str, Any]) -> dict[str, Any]:
    """Addresses among them with their domain in its own script."""
    return {
        name: shown_address(value) if isinstance(value, str) else value
        for name, value in values.items()
    }


def _quoted(value: Any) -> str:
    return f"“{' '.join(shown_address(str(value)).split())}”" if value else "nothing"
