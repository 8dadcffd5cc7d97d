"""The text part made from HTML, by inscriptis."""

import html
import re
from collections.abc import Iterator

from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig

from kartramail.adapters.mail_html.allowed import VOID
from kartramail.adapters.mail_html.masking import Mask
from kartramail.adapters.mail_html.reading import Comment, Part, Tag, read_html

_GAP, _AMPERSAND = "\ue000", "\ue001"  # private: neither blanks nor entities to inscriptis
_PRIVATE = re.compile(f"[{_GAP}{_AMPERSAND}]")
_ENTITY = re.compile(r"&#?\w+;")
_HIDDEN = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|"
    r"(?:max-height|font-size|opacity)\s*:\s*0(?:px|pt|em|%)?\s*(?:;|!|$))",
    re.IGNORECASE,
)
_AS_DIV = frozenset({"caption", "center", "dd", "dl", "dt", "section", "table", "tr"})
_NEUTRAL = frozenset({"col", "colgroup", "tbody", "tfoot", "thead"})
_SCHEME = re.compile(r"^(?:https?://|mailto:|tel:|sms:)(?:www\.)?", re.IGNORECASE)
_RULE = "-" * 20


def text_of(clean: str, mask: Mask) -> str:
    """Sanitised, masked HTML as text, a template."""
    simple = "".join(_Plain(mask).write(list(read_html(_PRIVATE.sub("", clean)))))
    config = ParserConfig(css=CSS_PROFILES["strict"].copy())
    text = get_text(f"<html><body>{simple}</body></html>", config) if simple.strip() else ""
    return mask.unmask_with(_tidied(text, mask), '{{ "{" }}', lambda n: _code(n, mask))


def _code(number: int, mask: Mask) -> str:
    """Braces in text are made still one by one, so `raw` has nothing left to do."""
    return "" if mask.codes[number].name in ("raw", "endraw") else mask.code(number)


class _Plain:
    """HTML of few tags and no attributes, which inscriptis lays out in linear time."""

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self.hidden: list[str] = []  # the elements open in one that is not shown
        self.cells = 0
        self.link: str | None = None
        self.linked: list[str] = []

    def write(self, parts: list[Part]) -> Iterator[str]:
        _without_numbers(parts)
        for part in parts:
            written = self._part(part)
            if self.link is not None:
                self.linked.append(written)
            else:
                yield written

    def _part(self, part: Part) -> str:
        if isinstance(part, Comment):
            number = self.mask.commented(part.words)
            if number is None or (self.hidden and not self.mask.codes[number].name):
                return ""
            return f"{self.mask.prefix}n{number}z"
        if isinstance(part, Tag):
            return self._hide(part) if self.hidden or _is_hidden(part) else self._tag(part)
        return "" if self.hidden else _ENTITY.sub(_decoded, part.words)

    def _hide(self, tag: Tag) -> str:
        if tag.is_end:
            self.hidden.pop()
        elif tag.name not in VOID and tag.raw is None:
            self.hidden.append(tag.name)
        return ""

    def _tag(self, tag: Tag) -> str:
        values = {name: value or "" for name, value in tag.attributes}
        if tag.name == "a":
            return self._end_link() if tag.is_end else self._begin_link(values.get("href", ""))
        if tag.name == "img":
            return _as_text(values.get("alt", ""))
        if tag.name == "hr":
            return f"<div>{_RULE}</div>"
        if tag.raw is not None or tag.name in _NEUTRAL:
            return ""
        if tag.name in ("td", "th"):
            self.cells += not tag.is_end
            return _GAP if not tag.is_end and self.cells > 1 else ""
        if tag.name == "tr":
            self.cells = 0
        name = "div" if tag.name in _AS_DIV else tag.name
        return f"</{name}>" if tag.is_end else f"<{name}>"

    def _begin_link(self, address: str) -> str:
        self.link, self.linked = _as_text(address.strip()), []
        return ""

    def _end_link(self) -> str:
        address, words = self.link or "", "".join(self.linked)
        self.link = None
        shown = re.sub(r"<[^>]*>", "", words).strip()
        is_same = _bare(self.mask.unmask(shown)) == _bare(self.mask.unmask(address))
        if not address or address.startswith("#") or is_same:
            return words
        return f"{words} ({address})" if shown else f"{words}{address}"


def _without_numbers(parts: list[Part]) -> None:
    """A list that code repeats or leaves out of has bullets: nobody can count it here."""
    lists: list[Tag] = []
    for part in parts:
        if isinstance(part, Comment) and lists:
            lists[-1].name = "ul"
        elif isinstance(part, Tag) and part.name in ("ol", "ul"):
            if not part.is_end:
                lists.append(part)
            elif lists:
                part.name = lists.pop().name


def _is_hidden(tag: Tag) -> bool:
    values = dict(tag.attributes)
    return "hidden" in values or bool(_HIDDEN.search(values.get("style") or ""))


def _decoded(match: re.Match[str]) -> str:
    return _escaped(html.unescape(match[0]))


def _escaped(text: str) -> str:
    """For inscriptis, which decodes what its parser decoded once more."""
    return text.replace("&", _AMPERSAND).replace("<", "&lt;")


def _as_text(value: str) -> str:
    return _escaped(_ENTITY.sub(lambda match: html.unescape(match[0]), value))


def _bare(address: str) -> str:
    return _SCHEME.sub("", address).rstrip("/").lower()


def _tidied(text: str, mask: Mask) -> str:
    """Without blanks at line ends, and tags that stand alone in a line without their line."""
    text = re.sub(f"^{_GAP}+|{_GAP}+$", "", text, flags=re.MULTILINE)
    text = text.replace(_GAP, "  ").replace(_AMPERSAND, "&")
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    text = re.sub(r"\n{3,}", "\n\n", text).strip("\n")
    alone = re.compile(rf"(?:^|(?<=\n))[ \t]*((?:{mask.prefix}n\d+z[ \t]*)+)(\n+|$)")
    parts, position = [], 0
    for match in alone.finditer(text):
        codes = mask.codes_in(match[1])
        if not all(code.name for code in codes):
            continue
        parts += [text[position : match.start()], match[1].rstrip()]
        before = len(text[: match.start()]) - len(text[: match.start()].rstrip("\n"))
        after = len(match[2])
        parts.append("\n" * (max(after - before, 0) if codes[-1].closes else 0))
        position = match.end()
    return "".join([*parts, text[position:]])
