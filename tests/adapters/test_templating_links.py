"""A variable never becomes the address of a script (R-SAFE)."""

import html
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kartramail.adapters.template_links import defuse_links
from kartramail.adapters.templating import TemplateKind, compile_template

HOSTILE = [
    "javascript:alert(1)",
    " \t\n javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "java\nscript\r:alert(1)",
    "\x01javascript:alert(1)",
    "\x00" * 5000 + "javascript:alert(1)",
    "\t" * 5000 + "javascript:alert(1)",
    "java" + "\n" * 5000 + "script:alert(1)",
    "vbscript:x",
    "data:text/html,<script>alert(1)</script>",
    "file:///etc/passwd",
    "blob:https://x.test/1",
    "view-source:javascript:x",
]
TEMPLATES = [
    '<a href="{{ x }}">y</a>',
    "<a href='{{ x }}'>y</a>",
    '<a href = "{{ x }}">y</a>',
    '<a href= "  {{ x }}">y</a>',
    '<a\nHREF\n=\n"{{ x }}">y</a>',
    '<img src="{{ x }}">',
    '<td background="{{ x }}">',
    '<a href="{% if y %}https://a.test/{% else %}{{ x }}{% endif %}">y</a>',
    '<a title="{{ z }}" href="{{ x }}">y</a>',
    '<a href="{{ x | strip }}">y</a>',
]


def render(source: str, **variables: object) -> str:
    return compile_template(source, TemplateKind.HTML).render(variables)


def addresses(rendered: str) -> list[str]:
    """As a browser reads them."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, _: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(v or "" for name, v in attrs if name in ("href", "src", "background"))

    Reader().feed(rendered)
    return [re.sub("[\x00-\x20]", "", value).lower() for value in found]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("template", TEMPLATES)
def test_the_address_of_a_script_leads_nowhere(template: str, value: str) -> None:
    made = render(template, x=value, z="href= src=")
    assert addresses(made)[-1] == "#"
    assert made.count('"') % 2 == made.count("'") % 2 == 0


@pytest.mark.parametrize("scheme", ["java{{ x }}", "{{ w }}{{ x }}", "{{ x | prepend: 'java' }}"])
def test_pieces_of_an_address_are_judged_together(scheme: str) -> None:
    assert addresses(render(f'<a href="{scheme}">y</a>', x="script:z", w="java")) == ["#"]


@pytest.mark.parametrize(
    "value",
    [
        "https://x.test/a:b?c=d:e#f",
        "HTTP://x.test",
        "mailto:a@x.test?subject=a:b",
        "tel:+41791234567",
        "/path:with/colon",
        "path/of:colon",
        "?q=a:b",
        "#top",
        "",
        "cid:logo",
        "//x.test/y",
    ],
)
@pytest.mark.parametrize("template", TEMPLATES)
def test_honest_addresses_stay(template: str, value: str) -> None:
    assert html.unescape(value) in html.unescape(render(template, x=value))


def test_a_value_that_looks_like_a_link_breaks_nothing() -> None:
    made = render('<b title="{{ x }}">{{ x }}</b><a href="{{ y }}">z</a>', x="href=a:b c", y="/")
    assert made == '<b title="href=# c">href=# c</b><a href="/">z</a>'


@given(st.text(alphabet="javscript:/?#&; \t\n\"'<>=hrefdat0", max_size=40))
@settings(max_examples=300, deadline=None)
def test_no_variable_leaves_its_value_or_makes_a_script(value: str) -> None:
    made = render('<i title="{{ x }}"></i><a href="{{ x }}">y</a>', x=value)
    found = re.fullmatch(r'<i title="[^"<>]*"></i><a href="([^"<>]*)">y</a>', made)
    assert found
    address = re.sub("[\x00-\x20]", "", html.unescape(found[1])).lower()
    assert not address.startswith(("javascript:", "data:", "vbscript:"))


def test_an_entity_that_ends_with_the_look_is_no_way_through() -> None:
    padded = "&#9;" * 49 + "java&#115;cript:alert(1)"
    for blanks in range(8):
        assert addresses(defuse_links(f'<a href="{" " * 0}{"&#9;" * blanks}{padded}">')) == ["#"]
