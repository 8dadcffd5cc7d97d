"""How much work HTML would be for a parser that builds a tree of it: known before it begins."""

from collections import Counter

from kartramail.adapters.mail_html.allowed import FORMATTING, IMPLIED_ENDS
from kartramail.adapters.mail_html.reading import MAX_ATTRIBUTES, Tag

MAX_TAGS = 10_000
MAX_DEPTH = 100
MAX_REOPENED = 50_000
"""Elements that the parser would make because others were not closed."""


class Effort:
    """Counts tag by tag; its methods say what is too much, None while all is well."""

    def __init__(self) -> None:
        self._open: list[str] = []
        self._is_open: Counter[str] = Counter()
        self._formatting = 0  # how many are not closed
        self._tags = self._reopened = 0

    def count(self, tag: Tag) -> str | None:
        """Any tag, also one that will not stay."""
        self._tags += 1
        if self._tags > MAX_TAGS:
            return f"The HTML has more than {MAX_TAGS:,} tags: use fewer of them"
        if len(tag.attributes) > MAX_ATTRIBUTES:
            return f"A tag has more than {MAX_ATTRIBUTES} attributes"
        return None

    def open(self, name: str) -> str | None:
        """An element begins."""
        self._reopened += self._formatting
        if self._reopened > MAX_REOPENED:
            return "Too many elements such as <b> and <font> are not closed"
        self._formatting += name in FORMATTING
        if name in IMPLIED_ENDS:
            return None
        self._open.append(name)
        self._is_open[name] += 1
        # Between two tables that stand within each other are a <tbody>, a <tr> and a <td>.
        is_deep = len(self._open) + 3 * self._is_open["table"] > MAX_DEPTH
        return "The HTML is nested too deeply" if is_deep else None

    def close(self, name: str) -> None:
        """An element ends. Only an end in its place is sure to close what <b> began."""
        if name in FORMATTING and self._open[-1:] == [name]:
            self._formatting -= 1
        if self._is_open[name]:
            while (closed := self._open.pop()) != name:
                self._is_open[closed] -= 1
            self._is_open[name] -= 1
