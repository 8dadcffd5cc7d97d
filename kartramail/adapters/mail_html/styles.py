"""CSS of strangers: what may stay, and which rules can be written into the elements.

A reader of our own with a narrow grammar: what it lets through, every other parser reads alike.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MAX_MATCHES = 100_000
"""Rules × elements that they may apply to: a second of css-inline is six times as many."""

MAX_WRITTEN = 3_000_000
"""Characters of CSS that the elements may get."""

MAX_RULES = 2_000

MAX_SELECTORS = 300
"""Characters of the selectors of a rule that is inlined; one with more stays in a <style>."""

_COMMENT = re.compile(r"/\*.*?(?:\*/|$)|<!--|-->", re.DOTALL)
_FORBIDDEN = re.compile(
    r"[\\<{}\x00]|expression\s*\(|javascript:|vbscript:|data:|behaviou?r\s*:|-moz-binding|@import",
    re.IGNORECASE,
)
_STRING_OR_STOP = re.compile(r""""[^"]*"|'[^']*'|[();]""")
_QUOTED = re.compile(r""""[^"]*"|'[^']*'""")
_KEPT_AT_RULES = ("@media", "@supports", "@font-face")
_INLINE_PSEUDO = re.compile(r":(?:first-child|last-child|nth-child\((?:\d{1,3}|odd|even)\))")
_COMBINATOR = re.compile(r"[\s>+~]+")
_NAMED = re.compile(r"([.#]?)([\w-]+)")


@dataclass(frozen=True, slots=True)
class Rule:
    """`head { body }`; `body` holds rules where `head` is an at-rule with a block of them."""

    head: str
    body: str

    def __str__(self) -> str:
        return f"{self.head} {{ {self.body} }}"  # no two braces side by side: they would be code


def clean_declarations(text: str) -> str:
    """The declarations of a style attribute or a rule without those that may do harm."""
    declarations = (" ".join(part.split()) for part in _split(_COMMENT.sub("", text)))
    return ";".join(part for part in declarations if part and _is_harmless(part))


def _split(text: str) -> Iterator[str]:
    """At the semicolons that are not in quotes or parentheses."""
    depth = begin = 0
    for match in _STRING_OR_STOP.finditer(text):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if match[0] == ";" and depth <= 0:
            yield text[begin : match.start()]
            begin = match.end()
    yield text[begin:]


def _is_harmless(text: str) -> bool:
    """Nothing dangerous, and quotes, parentheses and brackets in pairs."""
    bare = _QUOTED.sub("", text)
    pairs = all(bare.count(a) == bare.count(b) for a, b in ("()", "[]"))
    return pairs and not ("'" in bare or '"' in bare or _FORBIDDEN.search(text))


def clean_css(text: str, marks: re.Pattern[str]) -> str:
    """The content of a <style> element: rules, @media, @supports and @font-face."""
    return "\n".join(map(str, read_rules(text, marks)))


def read_rules(text: str, marks: re.Pattern[str], *, nested: bool = False) -> list[Rule | str]:
    """The rules that may stay, and between them, as text, marks that stand between rules."""
    rules: list[Rule | str] = []
    for all_of_head, body in _blocks(_COMMENT.sub("", text)):
        before = re.match(rf"(?:\s*{marks.pattern})*", all_of_head)
        head = all_of_head[before.end() if before and body is not None else 0 :]
        rules += marks_in(all_of_head[: len(all_of_head) - len(head)], marks)
        if body is None or not _is_harmless(head):
            rules += marks_in(head + (body or ""), marks)
        elif not head.lstrip().startswith("@"):
            words = " ".join(head.split())
            if words:
                rules.append(Rule(words, clean_declarations(body)))
        elif head.split("(")[0].split()[0].lower() in _KEPT_AT_RULES and not nested:
            is_font = head.lower().startswith("@font-face")
            inside = (
                clean_declarations(body)
                if is_font
                else "\n".join(map(str, read_rules(body, marks, nested=True)))
            )
            rules.append(Rule(" ".join(head.split()), inside))
        else:
            rules += marks_in(head + body, marks)
    return rules


def marks_in(text: str, marks: re.Pattern[str]) -> list[str]:
    """The marks alone."""
    return [match[0] for match in marks.finditer(text)]


def _blocks(text: str) -> Iterator[tuple[str, str | None]]:
    """Heads with their blocks, and without one what ends in a semicolon or at the end."""
    depth, begin, head = 0, 0, ""
    for match in re.finditer("[{};]", text):
        if match[0] == "{":
            if depth == 0:
                head, begin = text[begin : match.start()].strip(), match.end()
            depth += 1
        elif match[0] == "}":
            depth = max(depth - 1, -1)
            if depth == 0:
                yield head, text[begin : match.start()]
            if depth <= 0:
                depth, begin = 0, match.end()
        elif depth == 0:
            yield text[begin : match.start()].strip(), None
            begin = match.end()
    if depth == 0:
        yield text[begin:].strip(), None


def can_be_inlined(rule: Rule, marks: re.Pattern[str]) -> bool:
    """Whether what a rule says can be said by a style attribute, for every recipient alike."""
    plain = _INLINE_PSEUDO.sub("", rule.head)
    is_long = len(rule.head) > MAX_SELECTORS
    return not (is_long or plain.startswith("@") or ":" in plain or marks.search(rule.head))


@dataclass(frozen=True, slots=True)
class Census:
    """How many elements there are: of a name, with a class (`.x`) and with an id (`#x`)."""

    total: int
    named: dict[str, int]


def cost(rules: Iterable[Rule], census: Census) -> tuple[int, int]:
    """At most how many elements get a rule, and how many characters that writes."""
    matches = written = 0
    for rule in rules:
        for selector in rule.head.split(","):
            found = _matches(selector.strip(), census)
            matches += found * (1 + len(selector.split()))
            written += found * len(rule.body)
    return matches, written


def _matches(selector: str, census: Census) -> int:
    """None where one of its parts is nowhere; else as many as its last part has elements."""
    if "[" in selector or "]" in selector:
        return census.total
    found = census.total
    for part in _COMBINATOR.split(_INLINE_PSEUDO.sub("", selector)):
        names = [kind + (name if kind else name.lower()) for kind, name in _NAMED.findall(part)]
        found = min((census.named.get(name, 0) for name in names), default=census.total)
        if not found:
            return 0
    return found
