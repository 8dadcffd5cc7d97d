"""Where the code of a Liquid template stands, found as python-liquid's lexer finds it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kartramail.errors import TemplateError

BLOCKS = frozenset(
    {"if", "unless", "case", "for", "tablerow", "capture", "ifchanged", "raw", "comment", "doc"}
)
"""Tags that need an end."""

MAX_OPEN = 20
"""Blocks within each other: the parser takes no more."""

_OPENING = re.compile(r"\{\{|\{%")
_TAG_NAME = re.compile(r"\{%-?\s{0,80}(#|\w+)")
_VERBATIM_ENDS = {
    name: re.compile(rf"\{{%-?\s{{0,80}}end{name}\s{{0,80}}-?%\}}") for name in ("raw", "doc")
}


@dataclass(frozen=True, slots=True)
class Code:
    """One piece of code: `source[start:end]`. `name` of a tag, "" for `{{ … }}`.

    A comment and a doc are one piece with all that is in them.
    """

    start: int
    end: int
    name: str

    @property
    def opens(self) -> bool:
        """Whether it begins a block that a later piece ends."""
        return self.name in BLOCKS and self.name not in ("comment", "doc")

    @property
    def step(self) -> int:
        """How many blocks more are open after it."""
        return int(self.opens) - int(self.closes is not None)

    @property
    def closes(self) -> str | None:
        """The name of the block that it ends."""
        return self.name[3:] if self.name.startswith("end") else None


def line_at(source: str, index: int) -> int:
    """The line of a place, from 1."""
    return source.count("\n", 0, index) + 1


@dataclass(frozen=True, slots=True)
class CodeFault:
    """What is wrong with a piece of code that begins at `index`; `words` without a full stop."""

    index: int
    words: str

    def error(self, source: str) -> TemplateError:
        """The fault as an error that says in which line it is."""
        line = line_at(source, self.index)
        return TemplateError(
            f"The template cannot be understood (line {line}): {self.words}.", line
        )


def find_code(source: str) -> list[Code]:
    """All code, in order; what stands between `raw` and `endraw` is none.

    Raises TemplateError for what has no end. Linear: nothing is scanned twice.
    """
    return list(_pieces(source))


def _pieces(source: str) -> Iterator[Code]:
    position = 0
    while match := _OPENING.search(source, position):
        start = match.start()
        if match[0] == "{{":
            position = _end(source, start, "}}")
            yield Code(start, position, "")
            continue
        position, name = _end(source, start, "%}"), _name(source, start)
        if name in _VERBATIM_ENDS:
            closing = _VERBATIM_ENDS[name].search(source, position)
            if closing is None:
                raise _unclosed(start, name).error(source)
            if name == "raw":
                yield Code(start, position, "raw")
                yield Code(closing.start(), closing.end(), "endraw")
            else:
                yield Code(start, closing.end(), "doc")
            position = closing.end()
        elif name == "comment":
            position = _comment_end(source, start, position)
            yield Code(start, position, "comment")
        else:
            yield Code(start, position, name)


def _end(source: str, start: int, closing: str) -> int:
    found = source.find(closing, start + 2)
    if found < 0:
        raise CodeFault(start, f"'{source[start : start + 2]}' is not closed").error(source)
    return found + 2


def _name(source: str, start: int) -> str:
    match = _TAG_NAME.match(source, start)
    if match is None:
        raise CodeFault(start, "a tag has no name").error(source)
    return match[1]


def _comment_end(source: str, start: int, position: int) -> int:
    """Comments nest, and code in them may be anything. What has no end is looked for once."""
    depth, endless = 1, set()
    while match := _OPENING.search(source, position):
        opening, position = match.start(), match.end()
        closing = "}}" if match[0] == "{{" else "%}"
        found = -1 if closing in endless else source.find(closing, position)
        if found < 0:
            endless.add(closing)
            continue
        position = found + 2
        named = _TAG_NAME.match(source, opening)
        name = named[1] if named else ""
        if name in _VERBATIM_ENDS and name not in endless:
            verbatim = _VERBATIM_ENDS[name].search(source, position)
            position = verbatim.end() if verbatim else position
            endless |= set() if verbatim else {name}
        depth += {"comment": 1, "endcomment": -1}.get(name, 0)
        if depth == 0:
            return position
    raise _unclosed(start, "comment").error(source)


def _unclosed(start: int, name: str) -> CodeFault:
    return CodeFault(start, f"'{name}' is not closed: write {{% end{name} %}} where it ends")


def block_faults(codes: list[Code]) -> list[CodeFault]:
    """Every tag that is not closed, or that closes what is not open, in their order."""
    faults: list[CodeFault] = []
    opened: list[Code] = []
    for code in codes:
        if code.opens:
            opened.append(code)
        elif code.closes in BLOCKS:
            if code.closes not in [block.name for block in opened[-MAX_OPEN:]]:
                words = f"'{code.name}' closes nothing: no '{code.closes}' is open here"
                faults.append(CodeFault(code.start, words))
                continue
            while (block := opened.pop()).name != code.closes:
                faults.append(_unclosed(block.start, block.name))
    faults += [_unclosed(block.start, block.name) for block in opened]
    return sorted(faults, key=lambda fault: fault.index)
