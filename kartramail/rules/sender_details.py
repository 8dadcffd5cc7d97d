"""The three details of a sender, judged together (R-SAME-DOMAIN, R-PLACEHOLDER, R-LIVE).

One function for the keystroke, the save and the API. What DNS says of the reply-to (R-REPLY) is
asked elsewhere, after this.
"""

import re
from dataclasses import dataclass

from kartramail.rules.address_syntax import refusal, shown_domain
from kartramail.rules.addresses import (
    Address,
    AddressPolicy,
    Judged,
    is_own_placeholder,
    is_same_domain,
    judge_business_address,
)
from kartramail.rules.sender_names import clean_sender_name, judge_sender_name
from kartramail.rules.verdict import OK, Verdict

FIELDS = ("sender_name", "send_from", "reply_to")

# Faults that more typing may still mend; all others stay, so they are said at once.
_MENDED_BY_TYPING = frozenset(
    {"syntax", "not_a_domain", "public_suffix", "name_empty", "did_you_mean"}
)
_RECHECKED_BESIDE = {"send_from": ("reply_to",)}


@dataclass(frozen=True, slots=True)
class JudgedSender:
    """A verdict a field, and what was read: the cleaned name and the addresses, where sound.

    `reply_to_address` is None where none is wanted, which only the own temporary address allows.
    """

    name: str
    send_from_address: Address | None
    reply_to_address: Address | None
    sender_name: Verdict
    send_from: Verdict
    reply_to: Verdict
    typed: tuple[str, str, str] = ("", "", "")

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """All three verdicts by field."""
        return {name: self.verdict_of(name) for name in FIELDS}

    @property
    def is_savable(self) -> bool:
        """True when no field keeps the form from being saved."""
        return not any(verdict.is_error for verdict in self.verdicts.values())

    def verdict_of(self, field: str) -> Verdict:
        """The verdict of `sender_name`, `send_from` or `reply_to`; KeyError for another field."""
        return {
            "sender_name": self.sender_name,
            "send_from": self.send_from,
            "reply_to": self.reply_to,
        }[field]

    def is_unfinished(self, field: str) -> bool:
        """True while the fault of a field that one is typing in may be mended by typing on."""
        sent, back = self.send_from_address, self.reply_to_address
        if field == "reply_to" and self.reply_to.code == "different_domain" and sent and back:
            return sent.domain.startswith(back.domain)
        return is_possibly_unfinished(self.typed[FIELDS.index(field)], self.verdict_of(field))


def judge_sender_details(
    sender_name: str, send_from: str, reply_to: str, policy: AddressPolicy
) -> JudgedSender:
    """Judge the details of a sender as they were typed (R-NAME, R-BUSINESS, R-SAME-DOMAIN)."""
    sent = _judge_send_from(send_from, policy)
    back = _judge_reply_to(reply_to, sent, policy)
    return JudgedSender(
        name=clean_sender_name(sender_name),
        send_from_address=sent.address,
        reply_to_address=back.address,
        sender_name=judge_sender_name(sender_name),
        send_from=sent.verdict,
        reply_to=back.verdict,
        typed=(sender_name, send_from, reply_to),
    )


def fields_to_judge_again(changed: str) -> tuple[str, ...]:
    """Name the other fields whose verdict hangs on the one that changed (R-LIVE)."""
    return _RECHECKED_BESIDE.get(changed, ())


def is_possibly_unfinished(text: str, verdict: Verdict) -> bool:
    """True when a value with this verdict may become right by typing on: say nothing yet.

    A value that has grown past what typing mends (two @ signs, a space inside) is not.
    """
    if verdict.code not in _MENDED_BY_TYPING:
        return False
    typed = text.strip()
    return typed.count("@") <= 1 and not re.search(r"[\s,;<>()\"]|\.\.|^[.@]", typed)


def _judge_send_from(text: str, policy: AddressPolicy) -> Judged:
    if not text.strip():
        return Judged(None, refusal("syntax", "Type the address that your mail should come from."))
    return judge_business_address(text, policy, allow_own_placeholder=True)


def _judge_reply_to(text: str, sent: Judged, policy: AddressPolicy) -> Judged:
    """Judge the reply-to in the light of the send-from."""
    uses_placeholder = sent.address is not None and is_own_placeholder(sent.address, policy)
    if not text.strip():
        return Judged(None, OK if uses_placeholder else _reply_to_missing(sent))
    judged = judge_business_address(text, policy)
    if uses_placeholder or judged.verdict.is_error:
        return judged
    if sent.address is None or sent.verdict.is_error or judged.address is None:
        return judged
    if is_same_domain(sent.address, judged.address):
        return judged
    return Judged(judged.address, _different_domain(judged.address, sent.address))


def _reply_to_missing(sent: Judged) -> Verdict:
    is_sound = sent.address is not None and not sent.verdict.is_error
    suggestion = sent.address.display if sent.address is not None and is_sound else None
    return refusal("syntax", "Type the address that replies should go to.", suggestion)


def _different_domain(reply_to: Address, send_from: Address) -> Verdict:
    domain = shown_domain(send_from.domain)
    return refusal(
        "different_domain",
        f"{reply_to.display} is on another domain than {send_from.display}. "
        f"Replies must come back to {domain}.",
        f"{reply_to.local}@{domain}",
    )
