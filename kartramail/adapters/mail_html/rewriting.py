"""HTML written anew: only tags and attributes that mail may have, code where code can stand.

The first of two judges. This one knows where code stands and how much work the HTML would be for a
parser; nh3 behind it builds the tree.
"""

import html
import re
from collections.abc import Iterator

from kartramail.adapters.mail_html.allowed import (
    DROPPED,
    TAGS,
    VOID,
    is_attribute_allowed,
)
from kartramail.adapters.mail_html.effort import Effort
from kartramail.adapters.mail_html.links import is_safe_with_code
from kartramail.adapters.mail_html.masking import Mask
from kartramail.adapters.mail_html.reading import (
    Attribute,
    Bare,
    Comment,
    Part,
    Tag,
    Text,
    read_html,
)
from kartramail.adapters.mail_html.styles import MAX_RULES, clean_css, clean_declarations
from kartramail.adapters.template_code import block_faults
from kartramail.adapters.template_links import URL_ATTRIBUTES, is_safe
from kartramail.errors import TemplateError

_ENTITY = re.compile(r"&#?\w+;")

IN_TAG = frozenset({"if", "elsif", "else", "endif", "unless", "endunless"})
"""Code that may stand among the attributes of a tag."""

_TABLE_THEN_CODE = r"(<table(?:\s[^<>]*)?>)((?:\s*<!--{key}c\d+z-->)+\s*)(?=<tr[\s>])"


def rewrite(masked: str, mask: Mask) -> str:
    """The HTML with all that mail may not have left out.

    Raises TemplateError for code in the middle of a tag, for an address that code could turn into
    a script's, and for HTML that would be too much work.
    """
    writer = _Writer(mask)
    for part in read_html(masked):
        writer.add(part)
    written = writer.finish()
    # `{% for %}` goes into the <tbody> that a parser would begin at the first row.
    rows = _TABLE_THEN_CODE.format(key=mask.prefix)
    return re.sub(rows, r"\1<tbody>\2", written)


class _Writer:
    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self._around_marks = re.compile(f"({mask.prefix}n\\d+z)")
        self.out: list[str] = []
        self.effort = Effort()
        self.dropping = ""
        self.dropped = 0
        self.wrapper: list[Attribute] = []
        self.is_wrapped = False

    def add(self, part: Part) -> None:
        if isinstance(part, Text):
            words = part.words.replace("<", "&lt;")
            self.out.append(self._with_comments(words) if not self.dropping else "")
        elif isinstance(part, Comment):
            number = self.mask.commented(part.words)
            if not self.dropping:
                is_mark = number is not None
                self.out.append(
                    self.mask.comment(number or 0)
                    if is_mark
                    else self.mask.statements_in(part.words)
                )
        elif self.mask.mark.search(part.name):
            self._fault("Code cannot stand in the name of a tag", part)
        else:
            self._judge(self.effort.count(part), part)
            self._add_tag(part)

    def finish(self) -> str:
        return "".join(self.out) + ("</div>" if self.is_wrapped else "")

    def _with_comments(self, words: str) -> str:
        return self.mask.mark.sub(lambda match: self.mask.comment(int(match[1])), words)

    def _add_tag(self, tag: Tag) -> None:
        if tag.name in DROPPED:
            self._drop(tag)
        elif self.dropping:
            return
        elif tag.name in ("html", "body"):
            self._wrap(tag)
        elif tag.name not in TAGS or (tag.is_end and tag.name in VOID):
            return
        elif tag.is_end:
            self.effort.close(tag.name)
            self.out.append(f"</{tag.name}>")
        else:
            self._start(tag)

    def _drop(self, tag: Tag) -> None:
        """Begin or end to leave out; of an element within itself the outer end counts."""
        if tag.raw is not None or tag.name == "embed":
            return
        if not self.dropping and not tag.is_end:
            self.dropping = tag.name
        if tag.name == self.dropping:
            self.dropped += -1 if tag.is_end else 1
        if self.dropped == 0:
            self.dropping = ""

    def _wrap(self, tag: Tag) -> None:
        """What <html> and <body> say about the whole goes to a <div> around it."""
        if tag.is_end or self.is_wrapped:
            return
        allowed = ("lang", "dir") if tag.name == "html" else ("style", "lang", "dir", "class")
        self.wrapper += [pair for pair in tag.attributes if pair[0] in allowed]
        colour = dict(tag.attributes).get("bgcolor")
        if colour and tag.name == "body":
            style = f"background-color:{colour};{dict(self.wrapper).get('style') or ''}"
            self.wrapper = [("style", style), *(p for p in self.wrapper if p[0] != "style")]
        if tag.name == "body" and self.wrapper:
            self.is_wrapped = True
            self._start(Tag("div", tag.at, attributes=list(dict(self.wrapper).items())))

    def _start(self, tag: Tag) -> None:
        self.out.append(f"<{tag.name}{self._attributes(tag)}>")
        if tag.raw is not None:
            if tag.raw.count("{") > MAX_RULES:
                self._fault(f"There are more than {MAX_RULES:,} style rules", tag)
            self.out.append(f"{clean_css(tag.raw, self.mask.mark)}</{tag.name}>")
        elif tag.name not in VOID:
            self._judge(self.effort.open(tag.name), tag)

    def _attributes(self, tag: Tag) -> str:
        written: dict[str, str] = {}
        has_code, depth = False, 0
        for name, value in self._separated(tag):
            if self.mask.mark.fullmatch(name):
                has_code = True
                depth += sum(code.step for code in self.mask.codes_in(name))
                written[name] = ""
            elif name in written and has_code:
                self._fault(f"A tag has '{name}' twice: put the code into its value", tag)
            elif name == "style" and depth:
                self._fault("Put the code into the value of 'style', not around it", tag)
            elif is_attribute_allowed(tag.name, name) and name not in written:
                kept = self._value(name, value or "")
                if kept is not None:
                    written[name] = kept
        return "".join(f' {name}="{value}"' for name, value in written.items())

    def _separated(self, tag: Tag) -> Iterator[Attribute]:
        """Attributes, and code that stands among them: `{% if x %}nowrap{% endif %}`."""
        for name, value in self._unglued(tag.attributes):
            *before, last = [part for part in self._around_marks.split(name) if part]
            for part in before:
                yield part, None
            yield last, value
            codes = self.mask.codes_in(name)
            is_misplaced = self.mask.mark.fullmatch(last) and value
            if is_misplaced or any(code.name not in IN_TAG for code in codes):
                self._fault(
                    "Code cannot stand there in a tag: put it into an attribute's value, in quotes",
                    tag,
                )

    def _unglued(self, attributes: list[Attribute]) -> Iterator[Attribute]:
        """Code that ends what began before a value without quotes: `nowrap=1{% endif %}`."""
        for name, value in attributes:
            first = self.mask.mark.search(value) if isinstance(value, Bare) else None
            if value and first and block_faults(self.mask.codes_in(value)):
                yield name, value[: first.start()]
                yield value[first.start() :], None
            else:
                yield name, value

    def _value(self, name: str, value: str) -> str | None:
        """A value as it is written, None where the attribute goes."""
        codes = self.mask.codes_in(value)
        if name in URL_ATTRIBUTES:
            if codes and not is_safe_with_code(value, self.mask):
                raise self.mask.fault(
                    f"The address in '{name}' must begin with https://, mailto: or the like, or "
                    "with a variable that holds all of its beginning",
                    codes[0],
                )
            if not codes and not is_safe(value):
                return None
            # Half an entity before code, such as `&#{% if x %}115;`, must not become a whole one.
            value = _ENTITY.sub(lambda match: html.unescape(match[0]), value)
            value = value.replace("&", "&amp;")
        if name == "style":
            cleaned = clean_declarations(html.unescape(value))
            if len(self.mask.codes_in(cleaned)) != len(codes):
                raise self.mask.fault("There is code in a style that cannot stay", codes[0])
            value = cleaned.replace("&", "&amp;")
        return value.replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")

    def _judge(self, problem: str | None, tag: Tag) -> None:
        if problem:
            self._fault(problem, tag)

    def _fault(self, what: str, tag: Tag) -> None:
        line = self.mask.line_in(tag.at)
        raise TemplateError(f"{what} (line {line}).", line)
