"""What a mail server's answer means for one message: it was taken, try again, or never (R-RETRY).

A server's words are input of a stranger that ends up in pages and logs, so they are cleaned and
bounded here, before anyone else sees them.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

WORDS_LIMIT = 1_000
"""Characters of a server's answer that are kept. RFC 5321 §4.5.3.1.5 allows 512 octets a line."""

SERVICE_CLOSING = 421
BAD_SEQUENCE = 503
"""Server and client have lost step (RFC 5321 §4.2.4): it says nothing of the message."""

START_MAIL_INPUT = 354
TRANSACTION_FAILED = 554
ADDRESS_NOT_ALLOWED = 553


class Stage(StrEnum):
    """How far the conversation with the server had come (RFC 5321 §3)."""

    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"
    TLS = "tls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    END_OF_DATA = "end_of_data"

    @property
    def is_about_a_message(self) -> bool:
        """False while the connection is still being made: no message has been named yet."""
        return self in _MESSAGE_STAGES


_MESSAGE_STAGES = frozenset({Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.END_OF_DATA})


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server took the message and answers for it from now on (RFC 5321 §4.2.5)."""

    code: int
    words: str
    server: str

    @property
    def enhanced_code(self) -> str | None:
        """The RFC 3463 code in the words, such as "2.0.0", None where there is none."""
        return find_enhanced_code(self.words)


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now. `code` is None where the server did not answer, or not in SMTP.

    `in_doubt`: the final dot went out and no answer that could be understood came back, so the
    server may have the message. A second try is a possible duplicate (RFC 5321 §4.5.3.2.6).
    """

    stage: Stage
    code: int | None
    words: str
    server: str
    in_doubt: bool = False

    @property
    def costs_attempt(self) -> bool:
        """True once MAIL FROM was begun: a connection that cannot be made is free (R-RETRY)."""
        return self.stage.is_about_a_message

    @property
    def enhanced_code(self) -> str | None:
        """The RFC 3463 code in the words, such as "4.7.1", None where there is none."""
        return find_enhanced_code(self.words)


@dataclass(frozen=True, slots=True)
class Refused:
    """Never: trying again would bring the same answer. `server` is "local" where we said it."""

    stage: Stage
    code: int
    words: str
    server: str

    @property
    def enhanced_code(self) -> str | None:
        """The RFC 3463 code in the words, such as "5.1.1", None where there is none."""
        return find_enhanced_code(self.words)


Reply = Accepted | Deferred | Refused


def judge_reply(stage: Stage, code: int, words: str | bytes, server: str) -> Reply:
    """What the answer `code` and `words` to the command of `stage` means for the message.

    Only 2xx accepts and only a 5xx about the message itself refuses. Everything else, codes that
    SMTP does not know included, is put off: it costs time and never a message.
    """
    text = clean_words(words)
    if 200 <= code <= 299 and stage is not Stage.DATA:  # DATA is answered by 354 or not at all
        return Accepted(code, text, server)
    if 500 <= code <= 599 and code != BAD_SEQUENCE and stage.is_about_a_message:
        return Refused(stage, code, text, server)
    in_doubt = stage is Stage.END_OF_DATA and not 400 <= code <= 599
    return Deferred(stage, code, text, server, in_doubt)


_ENHANCED_CODE = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![0-9.])")


def find_enhanced_code(words: str) -> str | None:
    """The enhanced status code that `words` begin with (RFC 2034 §4, RFC 3463 §2)."""
    match = _ENHANCED_CODE.match(words)
    return match[1] if match else None


# C0, DEL and C1; line separators; what turns the direction of text, so that words in a log
# cannot be made to read as something else (CVE-2021-42574); lone surrogates.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+"
)


def clean_words(words: str | bytes) -> str:
    """`words` of a server in one printable line of at most `WORDS_LIMIT` characters.

    Lines are joined by a space; an enhanced code that each line repeats (RFC 2034 §4) stays once.
    """
    text = words if isinstance(words, str) else words.decode("utf-8", "replace")
    if len(text) <= WORDS_LIMIT and text.isascii() and text.isprintable():  # by far the most
        return " ".join(text.split())
    lines = [_one_line(line) for line in text[: 4 * WORDS_LIMIT].splitlines()]
    code = find_enhanced_code(lines[0]) if lines else None
    if code:
        lines[1:] = [line.removeprefix(code).lstrip() for line in lines[1:]]
    joined = " ".join(line for line in lines if line)
    return joined if len(joined) <= WORDS_LIMIT else joined[: WORDS_LIMIT - 1] + "…"


def _one_line(text: str) -> str:
    return " ".join(_UNPRINTABLE.sub(" ", text).split())
