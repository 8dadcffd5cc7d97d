"""HTML that comes in loses what mail may not have, and nothing else (R-VARS, R-SAFE)."""

import html.parser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kartramail.adapters.mail_html import inline_styles, sanitise_html, text_of_html
from kartramail.adapters.mail_html.allowed import TAGS
from kartramail.errors import TemplateError

NEWSLETTER = (
    '<table role="presentation" width="600" align="center" bgcolor="#ffffff" cellpadding="0" '
    'cellspacing="0" border="0"><tbody><tr><td valign="top" style="padding:0 8px">'
    '<img src="https://shop.test/logo.png" alt="Shop" width="120" height="40">'
    '<h1 class="big" dir="ltr" lang="en" title="Hello">Hello</h1>'
    '<center><font color="#333333" face="Arial" size="2">Words &amp;&nbsp;words</font></center>'
    '<a href="https://shop.test/a?b=1&amp;c=2" target="_blank" aria-label="Open">Open</a>'
    '<a href="mailto:hello@shop.test">Write</a> <a href="tel:+41791234567">Call</a>'
    "</td></tr></tbody></table>"
)

REMOVED = {
    "scripts": "<script>alert(1)</script>",
    "scripts in capitals": "<SCRIPT SRC=//evil.test></SCRIPT>",
    "event handlers": '<p onclick="alert(1)">x</p>',
    "handlers after a slash": "<img/onerror=alert(1)/src=x>",
    "javascript": '<a href="javascript:alert(1)">x</a>',
    "javascript by entity": '<a href="java&#x73;cript&colon;alert(1)">x</a>',
    "javascript with a tab": '<a href="java&Tab;script:alert(1)">x</a>',
    "javascript after blanks": '<a href=" \n javascript:alert(1)">x</a>',
    "vbscript": "<a href=vbscript:alert(1)>x</a>",
    "data": '<img src="data:text/html,<script>alert(1)</script>">',
    "forms": '<form action="https://evil.test"><input name="javascript"><button>x</button></form>',
    "frames": '<iframe src="https://evil.test"></iframe>',
    "objects": '<object data="evil.swf"><embed src="evil.swf"></object>',
    "refresh": '<meta http-equiv="refresh" content="0;url=https://evil.test">',
    "base": '<base href="https://evil.test">',
    "stylesheets": '<link rel="stylesheet" href="https://evil.test/x.css">',
    "imports": "<style>@import 'https://evil.test/x.css'; p{margin:0}</style>",
    "expressions": '<p style="width:expression(alert(1));margin:0">x</p>',
    "bindings": "<style>p{-moz-binding:url(https://evil.test)}</style>",
    "escaped CSS": r'<p style="width:\65xpression(alert(1))">x</p>',
    "svg": "<svg><style><img title='</style><img src=x onerror=alert(1)>'></style></svg>",
    "math": "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
    "templates": "<template><script>alert(1)</script></template>",
    "noscript": '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
    "comments": "<!--[if mso]><script>alert(1)</script><![endif]-->",
    "a comment that ends twice": "<!-- --!><script>alert(1)</script> -->",
    "a style that ends early": "<style>a[title='</style><script>alert(1)</script>']{}</style>",
    "broken quotes": '<a href="x" title="a"onmouseover=alert(1)>x</a>',
}


class Reader(html.parser.HTMLParser):
    """What a browser would see, by an independent parser."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def read(source: str) -> Reader:
    reader = Reader()
    reader.feed(source)
    reader.close()
    return reader


def test_what_mail_is_made_of_stays() -> None:
    assert sanitise_html(NEWSLETTER) == NEWSLETTER


@pytest.mark.parametrize("source", REMOVED.values(), ids=REMOVED)
def test_what_could_act_goes(source: str) -> None:
    clean = sanitise_html(f"<b>before</b>{source}<b>after</b>").lower()
    assert "<b>before</b>" in clean
    assert "<b>after</b>" in clean or "</style>" not in source
    for word in ("script", "evil", "alert", "@import", "onclick", "onerror", "<form", "<meta"):
        assert word not in clean.replace("&lt;script&gt;alert(1)&lt;/script&gt;']{}", "")


def test_the_words_of_unknown_elements_stay() -> None:
    assert sanitise_html("<foo><form>a <blink>b</blink></form></foo>") == "a b"


def test_links_keep_their_targets_and_get_no_rel() -> None:
    link = '<a href="https://a.test/x" target="_blank">x</a>'
    assert sanitise_html(link) == link


def test_what_the_body_says_stays_on_an_element_around_all() -> None:
    page = (
        '<!doctype html><html lang="de"><head><title>T</title></head><body bgcolor="red">x</body>'
    )
    assert sanitise_html(page) == '<div style="background-color:red" lang="de">x</div>'


def test_an_address_is_cut_off_and_its_words_stay() -> None:
    assert sanitise_html('<a href="javascript:x">Words</a>') == "<a>Words</a>"


PIECES = [
    "<table>", "</table>", "<tr>", "</tr>", "<td>", "</td>", "<p>", "</p>", "<b>", "</b>", "<div>",
    "</div>", "<a href='https://x.test'>", "</a>", "<style>", "</style>", "p{color:red}", "<pre>",
    "</pre>", "\n", "<ul>", "<li>", "</ul>", "<select>", "</select>", "<svg>", "</svg>", "<br>",
    "</br>", "<img src=x>", "<font color=red>", "</font>", "<h1>", "</h2>", "<!--", "-->", "<", ">",
    "&lt;", "&#123;", "&amp;", "{", "}", "%", '"', "'", "=", "/", "words", "<body class=x>",
    "<script>", "</script>", "<title>", "<caption>", "<col>", "<noscript>", "<textarea>", "\x00",
    "{{ x }}", "{{ y | upcase }}", "{% if a < b %}", "{% endif %}", "{% for i in l %}",
    "{% endfor %}", "{% raw %}", "{% endraw %}", "{% capture c %}", "{% endcapture %}",
    "<td {% if x %}nowrap{% endif %}>", '<p style="color:{{ c }}">', '<a href="{{ link }}">',
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=30).map("".join))
@example("<pre>\n\n\n\n\n\n\n\n\n\nx</pre>")
@example("<a><table><a>")
@example("&#123;{ x }}{&#37; if %}")
@example("\ud800<p>")
@settings(max_examples=400, deadline=None)
def test_any_input_is_cleaned_once_and_for_all_or_refused_in_our_words(source: str) -> None:
    try:
        clean = sanitise_html(source)
    except TemplateError:
        return
    assert sanitise_html(clean) == clean
    for make in (inline_styles, text_of_html):
        try:
            make(clean)
        except TemplateError as error:  # CSS that is too much work, at most
            raise AssertionError(source) from error


@given(st.text(alphabet="<>/='\"& abhrefsctiponlk:!-\n\t{}%", max_size=60))
@settings(max_examples=400, deadline=None)
def test_no_noise_becomes_an_element_that_mail_may_not_have(noise: str) -> None:
    try:
        seen = read(sanitise_html(noise))
    except TemplateError:
        return
    assert set(seen.tags) <= TAGS
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
