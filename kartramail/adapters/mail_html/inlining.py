"""A whole mail document whose CSS is written into the elements, as many mail programs need it."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

import css_inline

from kartramail.adapters.mail_html.cleaning import Writer
from kartramail.adapters.mail_html.masking import Mask
from kartramail.adapters.mail_html.reading import Attribute, Comment, Part, Tag, read_html
from kartramail.adapters.mail_html.styles import (
    MAX_MATCHES,
    MAX_WRITTEN,
    Census,
    Rule,
    can_be_inlined,
    cost,
    read_rules,
)
from kartramail.errors import TemplateError

_HEAD = (
    '<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n{style}</head>\n'
)
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}")
_PARKED = "data-parked"


def document(clean: str, mask: Mask) -> str:
    """Sanitised, masked HTML as a document. Raises TemplateError where its CSS is too much work."""
    page = _Page(mask)
    body = "".join(page.without_styles(read_html(clean)))
    rules, kept = page.sorted_rules()
    _check_cost(rules, page.census())
    inlined = _inline(f"<body>{body}</body>", rules)
    written = "".join(Writer(mask).write(page.with_parked(read_html(inlined))))
    style = f"<style>\n{kept}\n</style>\n" if kept else ""
    return wrap(written, style, page.language)


def wrap(body: str, style: str = "", language: str = "") -> str:
    """A document around a <body>; `style` is a whole <style> or nothing."""
    head = _HEAD.format(language=language or "en", style=style)
    return f"{head}{body}\n</html>\n"


class _Page:
    """What a document is made of."""

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self.styles: list[tuple[str, str]] = []  # media, CSS
        self.language = ""
        self.parked: list[list[Attribute]] = []
        self._names: Counter[str] = Counter()
        self._total = 3  # <html>, <head>, <body>

    def without_styles(self, parts: Iterable[Part]) -> Iterator[str]:
        """The HTML without its <style>, and with the style attributes that hold code parked."""
        for part in parts:
            if isinstance(part, Tag):
                if part.raw is not None:
                    media = dict(part.attributes).get("media") or ""
                    self.styles.append((media, part.raw))
                    continue
                yield self._tag(part)
            elif isinstance(part, Comment):
                yield f"<!--{part.words}-->"
            else:
                yield part.words

    def _tag(self, tag: Tag) -> str:
        if tag.is_end:
            return f"</{tag.name}>"
        self._count(tag.name, {name: value or "" for name, value in tag.attributes})
        attributes = tag.attributes
        if any(self.mask.mark.search(f"{name} {value}") for name, value in self._fragile(tag)):
            attributes = [(_PARKED, str(len(self.parked))), *_unconditional(tag, self.mask)]
            self.parked.append(tag.attributes)
        written = "".join(
            ' {}="{}"'.format(name, (value or "").replace('"', "&quot;"))
            for name, value in attributes
        )
        return f"<{tag.name}{written}>"

    def _fragile(self, tag: Tag) -> Iterator[Attribute]:
        """Attributes that css-inline does not leave as they are: a style, and code among them."""
        for name, value in tag.attributes:
            yield name, value if name == "style" else None

    def with_parked(self, parts: Iterable[Part]) -> Iterator[Part]:
        """The attributes as they were; what rules say comes first, so an element's own wins."""
        for part in parts:
            if isinstance(part, Tag):
                values = dict(part.attributes)
                if _PARKED in values:
                    own = self.parked[int(values[_PARKED] or 0)]
                    part.attributes = _styled(own, values.get("style"))
            yield part

    def _count(self, name: str, values: dict[str, str]) -> None:
        self._total += 1
        self._names[name] += 1
        self._names.update(f".{word}" for word in values.get("class", "").split())
        if "id" in values:
            self._names[f"#{values['id']}"] += 1
        language = values.get("lang", "")
        if self._total == 4 and _LANGUAGE.fullmatch(language):
            self.language = language

    def census(self) -> Census:
        """How many elements there are."""
        names = Counter({"body": 1, "html": 1, "head": 1}) + self._names
        return Census(self._total, dict(names))

    def sorted_rules(self) -> tuple[list[Rule], str]:
        """Rules to inline; and CSS that stays in a <style>: @media, :hover, what code decides."""
        inline: list[Rule] = []
        kept: list[str] = []
        for media, css in self.styles:
            rules = read_rules(css, self.mask.mark)
            if media and media.lower() not in ("all", "screen"):
                kept.append("@media {} {{ {} }}".format(media, "\n".join(map(str, rules))))
                continue
            depth = 0
            for rule in rules:
                codes = self.mask.codes_in(rule if isinstance(rule, str) else rule.head)
                depth += sum(code.step for code in codes)
                if depth == 0 and isinstance(rule, Rule) and can_be_inlined(rule, self.mask.mark):
                    inline.append(rule)
                else:
                    kept.append(str(rule))
        return inline, "\n".join(kept)


def _check_cost(rules: list[Rule], census: Census) -> None:
    matches, written = cost(rules, census)
    if matches > MAX_MATCHES or written > MAX_WRITTEN:
        raise TemplateError(
            "The styles apply to too many elements. Use fewer rules, or rules for a class instead "
            "of '*' or a tag."
        )


def _inline(body: str, rules: list[Rule]) -> str:
    """The <body> with the rules in it; css-inline is told to load nothing."""
    css = "\n".join(map(str, rules))
    page = f"<!doctype html><html><head><style>{css}</style></head>{body}</html>"
    try:
        inlined = css_inline.inline(page, load_remote_stylesheets=False, base_url=None)
    except ValueError as error:  # InlineError is one
        raise TemplateError("The styles of the HTML cannot be understood.") from error
    start, end = inlined.find("<body"), inlined.rfind("</body>")
    return inlined[start : end + len("</body>")]


def _unconditional(tag: Tag, mask: Mask) -> list[Attribute]:
    """The attributes by which rules find an element, without those that code decides about."""
    depth, found = 0, []
    for name, value in tag.attributes:
        depth += sum(code.step for code in mask.codes_in(name))
        if depth == 0 and name in ("class", "id"):
            found.append((name, value))
    return found


def _styled(own: list[Attribute], ruled: str | None) -> list[Attribute]:
    if not ruled:
        return own
    style = ";".join(filter(None, (ruled.rstrip("; "), dict(own).get("style"))))
    return [*(pair for pair in own if pair[0] != "style"), ("style", style)]
