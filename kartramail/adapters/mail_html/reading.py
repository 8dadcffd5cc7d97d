"""HTML as strangers write it, read tag by tag (HTML §13.2.5) without building a tree.

Linear for any input. What is read here is written anew, so that every parser behind this one sees
the same tags.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_ATTRIBUTES = 100
"""Of one tag; what has more is told by one more than this."""

_NEXT = re.compile(r"<(?:!--|[!?]|/[^a-zA-Z]|/?[a-zA-Z])")
_COMMENT_END = re.compile(r"--!?>")
_NAME = re.compile(r"[^\s/>]+")
_ATTRIBUTE = re.compile(
    r"""[\s/]*+(?:(?P<end>>)|(?P<name>[^\s/>][^\s/>=]*+)\s*+"""
    r"""(?:=\s*+(?:"(?P<double>[^"]*+)"|'(?P<single>[^']*+)'|(?P<bare>[^\s>"'][^\s>]*+)|(?=>)))?+)""",
    re.ASCII,
)
_RAW_ENDS = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
    for name in ("style", "script", "title", "textarea", "xmp", "iframe", "noembed", "noframes")
}
_PLAIN = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


Attribute = tuple[str, str | None]


class Bare(str):
    """A value that was written without quotes."""

    __slots__ = ()


@dataclass(slots=True)
class Text:
    """Words between tags, entities in them as written."""

    words: str


@dataclass(slots=True)
class Comment:
    """What stands between `<!--` and `-->`."""

    words: str


@dataclass(slots=True)
class Tag:
    """A start tag or an end tag. Names in lower case, values as written, None without one.

    `raw` is what stands in an element whose content is no HTML, such as <style>. `at` is where it
    stands in what was read.
    """

    name: str
    at: int
    is_end: bool = False
    attributes: list[Attribute] = field(default_factory=list)
    raw: str | None = None


Part = Text | Comment | Tag


def read_html(source: str) -> Iterator[Part]:
    """The parts of it, in order. Never fails; a tag that the end cuts off is left out."""
    source = _PLAIN.sub("", source.replace("\r\n", "\n").replace("\r", "\n"))
    position = 0
    while match := _NEXT.search(source, position):
        start = match.start()
        if start > position:
            yield Text(source[position:start])
        if match[0] == "<!--":
            words, position = _comment(source, match.end())
            yield Comment(words)
        elif match[0][-1].isalpha():
            tag, position = _tag(source, start, match[0].startswith("</"))
            if tag is None:
                return
            if not tag.is_end and tag.name in _RAW_ENDS:
                tag.raw, position = _raw(source, position, _RAW_ENDS[tag.name])
            yield tag
        else:  # <!doctype>, <?xml?>, </3>: bogus comments
            end = source.find(">", start)
            if end < 0:
                return
            position = end + 1
    if position < len(source):
        yield Text(source[position:])


def _comment(source: str, position: int) -> tuple[str, int]:
    for short in (">", "->"):
        if source.startswith(short, position):
            return "", position + len(short)
    end = _COMMENT_END.search(source, position)
    if end is None:
        return source[position:], len(source)
    return source[position : end.start()], end.end()


def _tag(source: str, start: int, is_end: bool) -> tuple[Tag | None, int]:
    name = _NAME.match(source, start + 1 + is_end)
    if name is None:
        return None, len(source)
    tag = Tag(name[0].lower(), start, is_end)
    position = name.end()
    while True:
        match = _ATTRIBUTE.match(source, position)
        if match is None:
            return None, len(source)
        position = match.end()
        if match["end"]:
            return tag, position
        value = match["double"] if match["single"] is None else match["single"]
        value = value if match["bare"] is None else Bare(match["bare"])
        if not is_end and len(tag.attributes) <= MAX_ATTRIBUTES:
            tag.attributes.append((match["name"].lower(), value))


def _raw(source: str, position: int, ending: re.Pattern[str]) -> tuple[str, int]:
    """The content of a raw element, and where its end tag is over."""
    end = ending.search(source, position)
    if end is None:
        return source[position:], len(source)
    over = source.find(">", end.end())
    return source[position : end.start()], over + 1 if over >= 0 else len(source)
