"""HTML that needs no more than nh3: no code, no styles to inline. The mail that programs render.

It takes a hundredth of the time, and there is much of it: a receipt of a shop has its own words in
each message.
"""

import re

from kartramail.adapters.mail_html.cleaning import make_cleaner
from kartramail.adapters.mail_html.inlining import wrap

MAX_TAGS = 2_000
"""More of them are left to those who count how they are nested."""

_NEEDS_MORE = re.compile(
    r"\{\{|\{%"  # code
    r"|<\s*style"  # CSS that is written into elements
    r"|<\s*(?:html|body)\s"  # what they say moves to an element of ours
    r"|\b(?:background|cite)\s*="  # addresses that nh3 does not judge
    r"|[\ud800-\udfff]",  # half of a surrogate pair: no character
    re.IGNORECASE,
)


def is_plain(source: str) -> bool:
    """Whether `plain_document` can be used."""
    return source.count("<") <= MAX_TAGS and _NEEDS_MORE.search(source) is None


def plain_document(source: str) -> str:
    """A whole mail document, sanitised by the same lists, of HTML that `is_plain`."""
    body = _cleaner.clean(source)
    # What the parser decoded, such as &#123;, must not become code.
    body = body.replace("{{", "&#123;&#123;").replace("{%", "&#123;%")
    return wrap(f"<body>{body}</body>")


_cleaner = make_cleaner(is_whole=True)
