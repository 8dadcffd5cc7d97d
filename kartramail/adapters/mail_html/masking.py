"""Liquid code is hidden from the HTML parsers behind marks, and put back afterwards.

A mark is made of letters, so it stays itself in text, in an attribute's value and in CSS. Where
code stands in text the mark is inside a comment: between `<table>` and `<tr>` text would be moved
out of the table by every HTML parser (HTML §13.2.6.1, foster parenting), and a comment stays.
"""

import re
import secrets
from collections.abc import Callable

from kartramail.adapters.template_code import Code, find_code, line_at
from kartramail.errors import TemplateError

_OPENS_CODE = re.compile(r"\{(?=[{%])")


class Mask:
    """The code of one source. `text` is the source with a mark for each piece of it.

    Raises TemplateError where code has no end.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.codes = find_code(source)
        self._key = _unused(source)
        self.mark = re.compile(rf"{self._key}n(\d+)z")
        self._shown = re.compile(rf"<!--{self._key}c(\d+)z-->|{self._key}n(\d+)z")
        self.text = self._hide()

    def _hide(self) -> str:
        parts, position = [], 0
        for number, code in enumerate(self.codes):
            parts += [self.source[position : code.start], f"{self._key}n{number}z"]
            position = code.end
        return "".join([*parts, self.source[position:]])

    @property
    def prefix(self) -> str:
        """What every mark begins with: no valid scheme of an address begins so."""
        return self._key

    def comment(self, number: int) -> str:
        """The mark of a piece of code that stands in text."""
        return f"<!--{self._key}c{number}z-->"

    def commented(self, words: str) -> int | None:
        """Which piece of code a comment with these words is the mark of."""
        if words.startswith(f"{self._key}c") and words.endswith("z"):
            number = words[len(self._key) + 1 : -1]
            return int(number) if number.isdecimal() else None
        return None

    def codes_in(self, text: str) -> list[Code]:
        """The code whose marks stand in an attribute's value or in CSS."""
        return [self.codes[int(number)] for number in self.mark.findall(text)]

    def statements_in(self, text: str) -> str:
        """Only the tags that stand in something that goes: what they do must still be done."""
        numbers = (int(number) for number in self.mark.findall(text))
        return "".join(self.comment(number) for number in numbers if self.codes[number].name)

    def code(self, number: int) -> str:
        """A piece of code as it was written."""
        piece = self.codes[number]
        return self.source[piece.start : piece.end]

    def fault(self, what: str, code: Code) -> TemplateError:
        """An error about a piece of code, with its line."""
        line = line_at(self.source, code.start)
        return TemplateError(f"{what} (line {line}).", line)

    def line_in(self, index: int) -> int:
        """The line in the source of a place in `text`."""
        return self._put_back(self.text[:index], str, self.code).count("\n") + 1

    def unmask(self, masked: str, brace: str = "&#123;") -> str:
        """Put the code back, byte for byte.

        A brace that is no code but would begin some, such as one that was written `&#123;`, stands
        as `brace`.
        """
        return self.unmask_with(masked, brace, self.code)

    def unmask_with(self, masked: str, brace: str, code: Callable[[int], str]) -> str:
        """As `unmask`, with other words for a piece of code."""

        def still(text: str) -> str:
            return _OPENS_CODE.sub(lambda _: brace, text)

        return self._put_back(masked, still, code, brace)

    def _put_back(
        self,
        masked: str,
        still: Callable[[str], str],
        code: Callable[[int], str],
        brace: str = "{",
    ) -> str:
        parts, position = [], 0
        for match in self._shown.finditer(masked):
            text = still(masked[position : match.start()])
            if text.endswith("{"):
                text = text[:-1] + brace
            parts += [text, code(int(match[1] or match[2]))]
            position = match.end()
        return "".join([*parts, still(masked[position:])])


def _unused(source: str) -> str:
    while True:
        key = f"_km{secrets.token_hex(4)}"
        if key not in source.lower():
            return key
