"""What is said on one connection, and which answer belongs to what; no input or output in here.

With PIPELINING (RFC 2920) the end of one message and the MAIL, RCPT and DATA of the next leave
together, so that a message costs one write and one read. The body waits for the 354, and the final
dot for whoever keeps the gate: `finish` is called when the result of the last message is durable.
"""

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kartramail.adapters.envelopes import LOCAL
from kartramail.adapters.smtp_answers import Answers, AnswerTooLong
from kartramail.adapters.smtp_message import OutgoingMessage
from kartramail.rules.replies import (
    SERVICE_CLOSING,
    START_MAIL_INPUT,
    Accepted,
    Deferred,
    Refused,
    Reply,
    Stage,
    clean_words,
    judge_reply,
)

_STORAGE = 552
_NOT_POSSIBLE = 553
_DOT_AT_START = re.compile(rb"\n\.")  # a pattern finds it in half the time that `in` needs
_NEXT = {Stage.MAIL: Stage.RCPT, Stage.RCPT: Stage.DATA}


@dataclass(frozen=True, slots=True)
class Offers:
    """What the server said it can do, in its answer to EHLO. `size` 0 is without limit."""

    pipelining: bool = False
    eight_bit: bool = False
    utf8: bool = False
    has_size: bool = False
    size: int = 0

    @classmethod
    def read(cls, features: Mapping[str, str]) -> "Offers":
        """From smtplib's `esmtp_features`."""
        size = features.get("size", "").strip()
        return cls(
            pipelining="pipelining" in features,
            eight_bit="8bitmime" in features,
            utf8="smtputf8" in features,
            has_size="size" in features,
            size=int(size) if size.isascii() and size.isdigit() and len(size) < 16 else 0,
        )


class Conversation:
    """At most two messages are spoken of: `closing` was sent whole, `opening` is being announced.

    `out` is what to write; `settled` what became of messages; `unsent` those that this connection
    did nothing for and that may go over another one. `over` says, once set, why to hang up.
    `given_up` failed before its body, by answers that the one to RSET may still contradict.
    """

    def __init__(self, server: str, offers: Offers) -> None:
        self.offers = offers
        self.opening: OutgoingMessage | None = None
        self.closing: OutgoingMessage | None = None
        self.given_up: OutgoingMessage | None = None
        self.out: list[bytes] = []
        self.queued = 0  # octets that were ever put into `out`
        self.written = 0  # octets of them that left
        self.settled: list[tuple[OutgoingMessage, Reply]] = []
        self.unsent: list[OutgoingMessage] = []
        self.over: str | None = None
        self.count = 0
        self.waits_since = 0.0  # for the answer that is due next
        self._server = server
        self._answers = Answers()
        # What is waited for: the stage, None for that of RSET, and the message it is about.
        self._expected: deque[tuple[Stage | None, OutgoingMessage | None]] = deque()

    @property
    def awaited(self) -> Stage | None:
        """The stage whose answer is due next; None where there is none, or that of RSET."""
        return self._expected[0][0] if self._expected else None

    @property
    def has_news(self) -> bool:
        """Whether something was settled or not begun, or it is over."""
        return bool(self.settled or self.unsent) or self.over is not None

    @property
    def is_waiting(self) -> bool:
        """Whether the server owes an answer."""
        return bool(self._expected)

    @property
    def can_open(self) -> bool:
        """Whether the next message may be announced now."""
        if self.opening is not None or self.over is not None:
            return False
        if not self._expected:
            return True
        closing = self.closing
        if closing is None or closing.is_alone:
            return False
        return self.offers.pipelining and len(self._expected) == 1

    def refuse(self, message: OutgoingMessage) -> Refused | None:
        """The refusal of what this server has said it cannot take; None when it may go."""
        data, offers = message.data, self.offers
        if offers.size and len(data) > offers.size:  # RFC 1870 §6.1
            words = f"5.3.4 The message is larger than the {offers.size} octets the server takes."
            return Refused(Stage.MAIL, _STORAGE, words, LOCAL)
        if not offers.utf8 and needs_utf8(message):  # RFC 6531 §3.2, RFC 6533
            words = "5.6.7 An address or a header is not ASCII, and the server has no SMTPUTF8."
            return Refused(Stage.MAIL, _NOT_POSSIBLE, words, LOCAL)
        return None

    def open(self, message: OutgoingMessage, at: float) -> None:
        """Announce a message: MAIL, and with PIPELINING also RCPT and DATA (RFC 5321 §3.3)."""
        message.begin()
        message.mail_at = self.queued
        self.opening = message
        self.count += 1
        if not self._expected:
            self.waits_since = at
        command = f"MAIL FROM:<{message.sender}>{self._parameters(message)}\r\n"
        self._expected.append((Stage.MAIL, message))
        if self.offers.pipelining:
            command += f"RCPT TO:<{message.recipients[0]}>\r\nDATA\r\n"
            self._expected.append((Stage.RCPT, message))
            self._expected.append((Stage.DATA, message))
        self._say(command.encode())

    def finish(self, at: float) -> None:
        """Send the message that the server waits for, with its final dot (RFC 5321 §4.5.2)."""
        message = self.opening
        if message is None:
            return
        data, looked_at = message.data, message.plain_from
        end = len(data) if looked_at is None else looked_at
        has_dot = _DOT_AT_START.search(data, 0, end)
        stuffed = data.replace(b"\r\n.", b"\r\n..") if has_dot else data
        if data.startswith(b"."):
            stuffed = b"." + stuffed
        self._say(stuffed)
        self._say(b".\r\n")
        message.dot_at = self.queued
        message.stage = Stage.END_OF_DATA
        self.opening, self.closing = None, message
        self.waits_since = at
        self._expected.append((Stage.END_OF_DATA, message))

    def leave(self, message: OutgoingMessage) -> None:
        """Not over this connection, which was over before it was told of the message."""
        if self.count:
            self.count += 1  # it is not the first, with which a connection has yet to prove itself
            self.unsent.append(message)
        else:  # as it is with one that speaks while it is greeted: each new one would do the same
            self.settled.append((message, self._silence(Stage.EHLO, self.over or _UNASKED)))

    def drop_opening(self) -> None:
        """Forget what is being announced: the connection must be ended after `closing`."""
        self.opening = None
        while len(self._expected) > (self.closing is not None):
            self._expected.pop()

    def feed(self, octets: bytes, at: float) -> None:
        """Take what the server said."""
        try:
            self._hear_all(self._answers.feed(octets), at)
        except AnswerTooLong as error:
            self._hear_all(error.before, at)
            self.over = self.over or str(error)

    def _hear_all(self, answers: Sequence[tuple[int, bytes]], at: float) -> None:
        asked = len(self._expected)
        if self.out:  # the last command was not even written
            asked -= 1
        for code, words in answers if len(answers) <= asked else answers[:asked]:
            if self.over is not None:
                return
            stage, message = self._expected.popleft()
            if message is None or stage is None:
                self._hear_reset(code)
            else:
                message.seconds += at - self.waits_since
                self._hear(stage, message, code, words)
            self.waits_since = at
        if len(answers) > asked and self.over is None:
            self._hear_unasked(*answers[asked])

    def end(self, words: str) -> None:
        """The connection is gone: settle what was under way."""
        closing, opening = self.closing, self.opening
        self.closing = self.opening = None
        self._expected.clear()
        self._settle_given_up()
        if closing is not None:
            in_doubt = self.written >= closing.dot_at
            stage = Stage.END_OF_DATA if in_doubt else Stage.DATA
            self.settled.append((closing, self._silence(stage, words, in_doubt)))
        if opening is not None:
            if self.written <= opening.mail_at:
                self.unsent.append(opening)
            else:
                self._settle(opening, opening.failure or self._silence(opening.stage, words))

    # -- answers ------------------------------------------------------------------------------

    def _hear_unasked(self, code: int, words: bytes) -> None:
        """Only one who has invited a message may change his mind before it comes."""
        message = self.opening
        if message is None or not message.is_invited or not 400 <= code <= 599:
            self.over = _UNASKED
            if code != SERVICE_CLOSING:  # which may be said at any time (RFC 5321 §3.8)
                self._doubt_refusals()
            return
        message.failure = self._judged(Stage.DATA, code, words)
        self._break_off(message)

    def _doubt_refusals(self) -> None:
        """There are more answers than commands: no message ends by those that came just now."""
        for message in (self.opening, self.given_up):
            if message is not None and message.failure is not None:
                message.failure = self._doubted(message.failure)
        settled, self.settled = self.settled, []
        for message, reply in settled:
            self._settle(message, self._doubted(reply))

    def _doubted(self, reply: Reply) -> Reply:
        if not isinstance(reply, Refused) or reply.server == LOCAL:
            return reply
        in_doubt = reply.stage is Stage.END_OF_DATA
        return self._silence(reply.stage, f"{_TOO_MANY} {reply.code} {reply.words}", in_doubt)

    def _hear_reset(self, code: int) -> None:
        if code != 250:
            self.over = "The server did not take a new message."
            if not 400 <= code <= 599:  # the answer to another command: to DATA, for instance
                self._doubt_refusals()
        self._settle_given_up()

    def _hear(self, stage: Stage, message: OutgoingMessage, code: int, words: bytes) -> None:
        if stage is Stage.END_OF_DATA:
            self._hear_end(message, code, words)
        elif message.failure is not None:
            self._hear_after_failure(stage, message, code)
        elif code == START_MAIL_INPUT if stage is Stage.DATA else 200 <= code <= 299:
            if stage is Stage.DATA:
                message.is_invited = True
                return
            message.stage = _NEXT[stage]
            if not self.offers.pipelining:
                self._say_next(message)
        else:
            message.failure = self._judged(stage, code, words)
            if not _is_in_step(message.failure):
                self._break_off(message)
            elif stage is Stage.DATA or not self.offers.pipelining:
                self._give_up(message)

    def _hear_after_failure(self, stage: Stage, message: OutgoingMessage, code: int) -> None:
        """What was sent ahead is answered, too: MAIL or RCPT had failed (RFC 2920 §3.1)."""
        if code == START_MAIL_INPUT and stage is Stage.DATA:
            self._say(b".\r\n")  # no recipient: the message ends before it began
            self._expected.append((Stage.END_OF_DATA, message))
        elif not 200 <= code <= 599 or code == SERVICE_CLOSING:
            self._break_off(message)
        elif 200 <= code <= 299:
            # A recipient without a sender, or a body without an invitation: the answers are about
            # other commands than we think, and what was said of the message may have been, too.
            said = message.failure.words if message.failure else ""
            message.failure = self._silence(message.stage, _CONTRADICTED + said)
            self._break_off(message)
        elif stage is Stage.DATA:
            self._give_up(message)

    def _hear_end(self, message: OutgoingMessage, code: int, words: bytes) -> None:
        reply = self._judged(Stage.END_OF_DATA, code, words)
        if self.written < message.dot_at:  # it may answer once more, when it has the rest
            self.over = _TOO_EARLY
            if isinstance(reply, Accepted):
                reply = self._silence(Stage.DATA, f"{_TOO_EARLY} {code} {reply.words}")
        elif not _is_in_step(reply):
            self.over = _HUNG_UP
        if message.failure is not None:  # an empty message, to no recipient: whatever it said
            self.opening = None
            self._settle(message, message.failure)
        else:
            self.closing = None
            self.settled.append((message, reply))

    def _give_up(self, message: OutgoingMessage) -> None:
        """The message failed, the connection did not: it must forget what it was told."""
        self.opening, self.given_up = None, message
        self._say(b"RSET\r\n")
        self._expected.append((None, None))

    def _settle_given_up(self) -> None:
        message, self.given_up = self.given_up, None
        if message is not None and message.failure is not None:
            self._settle(message, message.failure)

    def _break_off(self, message: OutgoingMessage) -> None:
        self.over = _HUNG_UP
        self.opening = None
        if message.failure is not None:
            self._settle(message, message.failure)

    def _settle(self, message: OutgoingMessage, reply: Reply) -> None:
        """What was not accepted; a used connection found gone at MAIL says nothing of a message.

        But only once: it might be the message that breaks the connection.
        """
        is_gone = (
            isinstance(reply, Deferred)
            and reply.stage is Stage.MAIL
            and reply.code in (None, SERVICE_CLOSING)
        )
        if is_gone and self.count > 1 and not message.is_second_try:
            message.is_second_try = True
            self.unsent.append(message)
        else:
            self.settled.append((message, reply))

    # -- words --------------------------------------------------------------------------------

    def _say(self, octets: bytes) -> None:
        self.out.append(octets)
        self.queued += len(octets)

    def _say_next(self, message: OutgoingMessage) -> None:
        is_rcpt = message.stage is Stage.RCPT
        self._say(f"RCPT TO:<{message.recipients[0]}>\r\n".encode() if is_rcpt else b"DATA\r\n")
        self._expected.append((message.stage, message))

    def _parameters(self, message: OutgoingMessage) -> str:
        data, offers = message.data, self.offers
        said = f" SIZE={len(data)}" if offers.has_size else ""  # RFC 1870
        if not data.isascii() and offers.eight_bit:  # RFC 6152
            said += " BODY=8BITMIME"
        if offers.utf8 and needs_utf8(message):
            said += " SMTPUTF8"
        return said

    def _judged(self, stage: Stage, code: int, words: bytes) -> Reply:
        reply = judge_reply(stage, code, words, self._server)
        if isinstance(reply, Deferred) and code < 0:
            return Deferred(stage, None, reply.words, reply.server, reply.in_doubt)
        return reply

    def _silence(self, stage: Stage, words: str, in_doubt: bool = False) -> Deferred:
        return Deferred(stage, None, clean_words(words), self._server, in_doubt)


_HUNG_UP = "The server's answer ended the connection."
_TOO_EARLY = "The server answered before it had the whole message."
_UNASKED = "The server spoke without being asked."
_TOO_MANY = "The server gave more answers than it was asked for, and this may be about another:"
_CONTRADICTED = "The server took what followed, though it had said: "


def needs_utf8(message: OutgoingMessage) -> bool:
    """Whether an address or the header is not ASCII (RFC 6531 §3.4)."""
    if not (str(message.sender).isascii() and str(message.recipients[0]).isascii()):
        return True
    data = message.data
    return not data.isascii() and not data.partition(b"\r\n\r\n")[0].isascii()


def _is_in_step(reply: Reply) -> bool:
    """False when what the server says next can no longer be told to belong to what."""
    if isinstance(reply, Accepted | Refused):
        return True
    return reply.code in range(400, 500) and reply.code != SERVICE_CLOSING
