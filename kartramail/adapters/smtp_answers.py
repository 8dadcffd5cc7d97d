"""Octets of a server, cut into answers of bounded size (RFC 5321 §4.2)."""

from collections.abc import Sequence

from kartramail.adapters.smtp_client import MAX_REPLY_LINE, MAX_REPLY_LINES


class AnswerTooLong(Exception):
    """The answer has no end, or a line of it has none. `before`: what came whole in front of it."""

    before: Sequence[tuple[int, bytes]] = ()


class Answers:
    """Takes what arrives, in pieces of any size; gives whole answers."""

    def __init__(self) -> None:
        self._rest = b""
        self._words: list[bytes] = []

    def feed(self, octets: bytes) -> list[tuple[int, bytes]]:
        """The code and the words of each answer that is whole now; -1 and the line for no SMTP.

        Raises AnswerTooLong; which answers came before it does not depend on the pieces.
        """
        if self._rest:
            octets = self._rest + octets
        *lines, self._rest = octets.split(b"\n")
        found: list[tuple[int, bytes]] = []
        try:
            for whole in lines:
                _check_length(whole)
                line = whole.rstrip(b"\r")
                if line[3:4] == b" " and line[:3].isdigit() and not self._words:  # by far the most
                    found.append((int(line[:3]), line[4:].strip()))
                elif (answer := self._take(line)) is not None:
                    found.append(answer)
            _check_length(self._rest)
        except AnswerTooLong as error:
            error.before = found
            raise
        return found

    def _take(self, line: bytes) -> tuple[int, bytes] | None:
        mark = line[3:4]
        if not (line[:3].isdigit() and mark in (b"", b" ", b"-") and len(line) > 2):
            self._words = []
            return -1, line
        self._words.append(line[4:].strip())
        if mark == b"-":
            if len(self._words) >= MAX_REPLY_LINES:
                raise AnswerTooLong("The server's answer had no end.")
            return None
        words, self._words = b"\n".join(self._words), []
        return int(line[:3]), words


def _check_length(line: bytes) -> None:
    if len(line) > MAX_REPLY_LINE:
        raise AnswerTooLong("The server's answer was too long for a line.")
