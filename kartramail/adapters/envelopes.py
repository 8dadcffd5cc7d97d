"""A message as it is handed to a server, and whether it may be."""

import re
from typing import NamedTuple

from kartramail.rules.replies import ADDRESS_NOT_ALLOWED, TRANSACTION_FAILED, Refused, Stage

LOCAL = "local"
"""What stands as the server where we refuse a message ourselves."""


class Envelope(NamedTuple):
    """One message for one recipient. `mail_from` may be empty (a bounce); `data` ends in CRLF.

    `plain_from`: from there on `data` is known to be whole lines none of which begins with a dot.
    `is_alone`: its answer may take long, so nothing else is announced behind it.
    """

    id: int
    mail_from: str
    rcpt_to: str
    data: bytes
    plain_from: int | None = None
    is_alone: bool = False


# Printable ASCII but for angle brackets, and what is not ASCII (RFC 6531 §3.3).
_PATH = re.compile(r"[!-;=?-~\x80-\U0010ffff]+@[!-;=?-~\x80-\U0010ffff]+")
MAX_PATH = 254
"""RFC 5321 §4.5.3.1.3: 256 octets with the angle brackets."""


def refuse_locally(envelope: Envelope) -> Refused | None:
    """The refusal of what must never reach the wire; None when the envelope may go.

    An address with a space, a control character or a bracket could carry a second command. A
    bare CR, a bare LF or a NUL lets some servers see the end of the message where it is not, and
    take the rest for new mail ("SMTP smuggling", RFC 5321 §2.3.8).
    """
    if envelope.mail_from and not _is_path(envelope.mail_from):
        words = "5.1.7 The return path is not an address."
        return Refused(Stage.MAIL, ADDRESS_NOT_ALLOWED, words, LOCAL)
    if not _is_path(envelope.rcpt_to):
        words = "5.1.3 The recipient is not an address."
        return Refused(Stage.RCPT, ADDRESS_NOT_ALLOWED, words, LOCAL)
    if not _has_only_whole_lines(envelope.data[: envelope.plain_from]):
        words = "5.6.0 The message has a line end that is not CRLF, a NUL, or no last line end."
        return Refused(Stage.DATA, TRANSACTION_FAILED, words, LOCAL)
    return None


def _is_path(address: str) -> bool:
    if _PATH.fullmatch(address) is None or len(address) > MAX_PATH:
        return False
    if address.isascii():
        return True
    # Not printable: what is a space, a line end or a control anywhere in Unicode, and surrogates.
    return address.isprintable() and len(address.encode()) <= MAX_PATH


_TROUBLE_OR_END = (0x00, 0x0A, 0x0D)
_ALL_ELSE = bytes(octet for octet in range(256) if octet not in _TROUBLE_OR_END)


def _has_only_whole_lines(data: bytes) -> bool:
    """Every CR is followed by LF, every LF follows CR, there is no NUL, and a line end ends it.

    What is left where all other octets are dropped shows all but what stands between a CR and its
    LF, which the count shows. Done for each message; searching for each of them costs twice that.
    """
    ends = data.translate(None, _ALL_ELSE)
    count = len(ends) // 2
    return ends == b"\r\n" * count and data.endswith(b"\r\n") and data.count(b"\r\n") == count
