"""Sanitised HTML: rewritten, judged by nh3, and written so that code in it cannot break it open."""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

import nh3

from kartramail.adapters.mail_html.allowed import ATTRIBUTES, DROPPED, TAGS
from kartramail.adapters.mail_html.masking import Mask
from kartramail.adapters.mail_html.reading import Comment, Part, Tag, read_html
from kartramail.adapters.mail_html.rewriting import IN_TAG, rewrite
from kartramail.adapters.mail_html.styles import clean_declarations
from kartramail.adapters.template_code import Code, block_faults, line_at
from kartramail.adapters.template_limits import MAX_SOURCE
from kartramail.adapters.template_links import SAFE_SCHEMES, URL_ATTRIBUTES
from kartramail.errors import TemplateError

MAX_ROUNDS = 8
"""How often badly nested HTML may change before it stays as it is."""

IN_VALUE = IN_TAG | {"case", "when", "endcase", "for", "endfor", "break", "continue", "cycle"}
IN_VALUE |= {"", "comment", "echo", "increment", "decrement", "assign", "raw", "endraw", "#"}
"""Code that may stand in an attribute's value or in a <style>."""


def cleaned(mask: Mask) -> str:
    """The masked source, sanitised; cleaning it again changes nothing. Raises TemplateError."""
    before = mask.text
    for _ in range(MAX_ROUNDS):
        after = clean_once(before, mask)
        if after == before:
            return after
        before = after
    raise TemplateError("The HTML cannot be understood: its tags are not nested in each other.")


def clean_once(masked: str, mask: Mask) -> str:
    """One round: enough where the source was sanitised already."""
    rewritten = rewrite(masked, mask)
    if len(rewritten) + masked.count("&") * len("amp;") > 2 * MAX_SOURCE:
        raise TemplateError("The HTML becomes too long when it is written properly.")
    hidden = _Hidden(mask)
    tree = _clean(mask, "".join(hidden.hide(rewritten)))
    return "".join(Writer(mask).write(hidden.shown(read_html(tree))))


def _clean(mask: Mask, html: str) -> str:
    # Comments stay: only the marks of code are left of them.
    return make_cleaner(mask.prefix, is_whole=False).clean(html)


def make_cleaner(*marks: str, is_whole: bool) -> nh3.Cleaner:
    """nh3 with the lists of what mail may have; attributes that begin with `marks` stay as well.

    `is_whole`: what it makes is not rewritten before or after, so it sees to everything itself.
    """
    return nh3.Cleaner(
        tags=set(TAGS),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        clean_content_tags=set(DROPPED) if is_whole else set(),
        strip_comments=is_whole,
        link_rel=None,
        generic_attribute_prefixes={"aria-", *marks},
        url_schemes=set(SAFE_SCHEMES),
        attribute_filter=_clean_style if is_whole else None,
    )


def _clean_style(_tag: str, name: str, value: str) -> str:
    return clean_declarations(value) if name == "style" else value


class _Hidden:
    """Addresses with code in them, which no parser of addresses understands: judged already."""

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self.values: list[str] = []
        self.place = re.compile(rf"{mask.prefix}v(\d+)z")

    def hide(self, masked: str) -> Iterator[str]:
        position = 0
        names = "|".join(sorted(URL_ATTRIBUTES))
        for match in re.finditer(rf'(?<= )(?:{names})="([^"]*{self.mask.prefix}[^"]*)"', masked):
            yield masked[position : match.start(1)]
            yield f"{self.mask.prefix}v{len(self.values)}z"
            self.values.append(match[1])
            position = match.end(1)
        yield masked[position:]

    def shown(self, parts: Iterable[Part]) -> Iterator[Part]:
        for part in parts:
            if isinstance(part, Tag):
                part.attributes = [(name, self._value(value)) for name, value in part.attributes]
            yield part

    def _value(self, value: str | None) -> str | None:
        found = self.place.fullmatch(value or "")
        return self.values[int(found[1])] if found else value


class Writer:
    """Writes what a parser made, and judges code by where it stands.

    A block begins and ends in the same place: in text, in the same value, or in the same tag. So
    whatever is left out or repeated, tags and values stay whole. What `capture` holds may be put
    into a value: no double quote stands in it.
    """

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self.captures = 0
        self.is_after_pre = False
        self.in_text: list[Code] = []
        self.everywhere: list[Code] = []

    def write(self, parts: Iterable[Part]) -> Iterator[str]:
        """The parts as HTML. Raises TemplateError for code that stands where it cannot."""
        for part in parts:
            if isinstance(part, Tag):
                yield self._tag(part)
                self.is_after_pre = part.name == "pre" and not part.is_end
                continue
            if isinstance(part, Comment):
                yield self._comment(part)
            else:
                # The parser takes a line break away that follows <pre> (HTML §13.2.6.4.7).
                first = "\n" if self.is_after_pre and part.words.startswith("\n") else ""
                words = part.words.replace("<", "&lt;")
                yield first + (words.replace('"', "&quot;") if self.captures else words)
            self.is_after_pre = False
        self._check_text()

    def _comment(self, comment: Comment) -> str:
        number = self.mask.commented(comment.words)
        if number is None:
            return ""
        self.in_text.append(self.mask.codes[number])
        self.everywhere.append(self.mask.codes[number])
        name = self.mask.codes[number].name
        self.captures += {"capture": 1, "endcapture": -1}.get(name, 0)
        return self.mask.comment(number)

    def _check_text(self) -> None:
        """What begins or ends a block may have gone with an element that mail may not have."""
        for fault in block_faults(self.in_text):
            raise fault.error(self.mask.source)
        for before, code in pairwise(self.everywhere):  # in between, code would be no code
            if before.name == "raw" and code.name != "endraw":
                raise self.mask.fault("'endraw' stands where it cannot stay", before)

    def _tag(self, tag: Tag) -> str:
        if tag.is_end:
            return f"</{tag.name}>"
        self._check([code for name, _ in tag.attributes for code in self.mask.codes_in(name)])
        attributes = "".join(self._attribute(name, value or "") for name, value in tag.attributes)
        written = f"<{tag.name}{attributes}>"
        if tag.raw is None:
            return written
        self._check(self.mask.codes_in(tag.raw))
        return f"{written}{tag.raw}</{tag.name}>"

    def _attribute(self, name: str, value: str) -> str:
        self._check(self.mask.codes_in(value))
        if self.mask.mark.fullmatch(name):
            return f" {name}"
        safe = value.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
        if self.captures:
            return " {}='{}'".format(name, safe.replace("'", "&#39;"))
        return f' {name}="{safe}"'

    def _check(self, codes: list[Code]) -> None:
        self.everywhere += codes
        for code in codes:
            if code.name not in IN_VALUE:
                raise self.mask.fault(f"'{code.name}' can only stand in text, not in a tag", code)
        for fault in block_faults(codes):
            line = line_at(self.mask.source, fault.index)
            raise TemplateError(
                f"Code that begins in a tag or a style has to end there (line {line}): "
                f"{fault.words}.",
                line,
            )
