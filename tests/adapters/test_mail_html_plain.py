"""HTML that programs render whole takes a short way, by the same lists (R-VARS, R-SAFE)."""

import pytest

from kartramail.adapters.mail_html import is_plain, mail_of_html
from kartramail.adapters.mail_html.plain import MAX_TAGS
from kartramail.adapters.templating import TemplateKind, compile_template


def page_of(source: str) -> str:
    assert is_plain(source)
    page, text = mail_of_html(source, needs_text=False)
    assert text == ""
    assert compile_template(page, TemplateKind.HTML).is_constant
    return page


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello {{ name }}</p>",
        "<p>{% if a %}</p>",
        "<style>p { color: red }</style><p>Hello</p>",
        '<body bgcolor="#fff"><p>Hello</p>',
        '<td background="https://doeinc.com/a.png">',
        "<p>" * (MAX_TAGS + 1),
        "half \ud800",
    ],
)
def test_what_needs_more_takes_the_long_way(source: str) -> None:
    assert not is_plain(source)


@pytest.mark.parametrize(
    "source",
    [
        '<p style="color: #333">Hello <a href="https://doeinc.com/a?b=1&amp;c=2">there</a></p>',
        '<table width="600"><tr><td align="center">Café</td></tr></table>',
        '<img src="https://doeinc.com/a.png" alt="Us">',
    ],
)
def test_both_ways_say_the_same(source: str) -> None:
    long, _ = mail_of_html(source)
    assert page_of(source).split() == long.split() or _body(page_of(source)) in long


def _body(page: str) -> str:
    return page.partition("<body>")[2].partition("</body>")[0]


@pytest.mark.parametrize(
    ("source", "gone"),
    [
        ("<p>a</p><script>alert(1)</script>", "alert"),
        ('<p onclick="alert(1)">a</p>', "onclick"),
        ('<a href="javascript:alert(1)">a</a>', "javascript"),
        ('<a href="JaVa&#x0A;script:alert(1)">a</a>', "script"),
        ('<img src="data:image/png;base64,AA">', "data:"),
        ("<iframe src=https://doeinc.com></iframe>", "iframe"),
        ("<form action=https://doeinc.com><input name=a></form>", "form"),
        ("<svg><style><img src=x onerror=alert(1)></style></svg>", "onerror"),
        ("<!-- a --><p>b</p>", "<!--"),
        ('<p style="width: expression(alert(1)); color: red">a</p>', "expression"),
        ('<p style="background: url(javascript:alert(1))">a</p>', "javascript"),
        ("<math><mtext><table><mglyph><style><img src onerror=alert(1)>", "onerror"),
        ("<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", "onerror"),
    ],
)
def test_what_mail_may_not_have_is_gone(source: str, gone: str) -> None:
    page, _ = mail_of_html(source, needs_text=False)
    assert gone not in _body(page)


@pytest.mark.parametrize("source", ["&#123;{ name }}", "&lcub;&lcub; a }}", "&#123;&#37; raw %}"])
def test_what_the_parser_decodes_becomes_no_code(source: str) -> None:
    page_of(f"<p>{source}</p><a title='{source}'>x</a>")


def test_a_thousand_elements_in_each_other_are_no_harm() -> None:
    assert "deep" in page_of("<div>" * 1_000 + "deep" + "</div>" * 900)
