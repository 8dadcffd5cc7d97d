"""Variables are filled in where they should be, and faults are found at edit time (R-VARS)."""

from datetime import UTC, datetime

import pytest

from kartramail import clock
from kartramail.adapters import templating
from kartramail.adapters.templating import TemplateKind, compile_template
from kartramail.errors import TemplateError

SUBJECT, TEXT, HTML = TemplateKind


def render(source: str, kind: TemplateKind = TEXT, **variables: object) -> str:
    return compile_template(source, kind).render(variables)


def test_it_fills_in_variables() -> None:
    contact = {"first_name": "Zoë", "tags": ["a", "b"]}
    assert (
        render("Hi {{ contact.first_name }}, {{ contact.tags[1] }}", contact=contact) == "Hi Zoë, b"
    )


def test_what_is_not_there_is_empty_or_the_default() -> None:
    assert render("Hi {{ contact.first_name }}.", contact={}) == "Hi ."
    assert render("Hi {{ contact.nick.short }}.") == "Hi ."
    assert render('Hi {{ contact.first_name | default: "there" }}', contact={}) == "Hi there"
    assert render('Hi {{ contact.first_name | default: "there" }}') == "Hi there"


def test_html_escapes_what_comes_from_outside_and_nothing_else() -> None:
    hostile = "<script>alert('x')</script>"
    html = render("<p>{{ name }}</p>", HTML, name=hostile)
    assert html == "<p>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;</p>"
    assert render("<p>{{ name }}</p>", TEXT, name=hostile) == f"<p>{hostile}</p>"


@pytest.mark.parametrize(
    "source",
    [
        "{{ x | append: x }}",
        "{{ x | newline_to_br }}",
        "{{ '<b>' | append: x | remove: '<b>' }}",
        "{{ x | url_encode | url_decode }}",
        "{{ x | base64_encode | base64_decode }}",
        "{{ x | escape_once }}",
        "{{ x | strip_newlines | split: ' ' | join: ' ' }}",
        "{{ 'a' | replace: 'a', x }}",
        "{% capture y %}{{ x }}{% endcapture %}{{ y | slice: 0, 99 }}",
        "{{ x | date: x }}",
        "{{ x | strip_html }}{{ x }}",
    ],
)
def test_no_filter_lets_markup_of_a_contact_through(source: str) -> None:
    assert "<i" not in render(source, HTML, x="<img src=x onerror=y>").replace("<br />", "")


def test_a_subject_is_one_line() -> None:
    breaks = "a\r\nBcc: x\x0b\x0c\x1c\x85\u2028\u2029\0b"
    assert render("Hi {{ name }}\n", SUBJECT, name=breaks) == "Hi a Bcc: x b"
    assert render("  two \n lines ", SUBJECT) == "two lines"


def test_it_names_the_variables_and_their_first_lines() -> None:
    source = (
        "Hi {{ contact.first_name }}\n{% for item in order.items %}{{ item.name }}{% endfor %}\n"
        "{% assign x = shop %}{{ x }} {{ contact.first_name }}{{ now | date: '%Y' }}"
    )
    variables = compile_template(source, TEXT).variables
    assert dict(variables) == {"contact.first_name": 1, "order.items": 2, "shop": 3}


@pytest.mark.parametrize(
    ("source", "is_constant"),
    [
        ("", True),
        ("Plain words", True),
        ("{% assign x = 1 %}{{ x | plus: 1 }}{% raw %}{{ y }}{% endraw %}", True),
        ("{{ x }}", False),
        ("{% if x %}a{% endif %}", False),
        ("{{ 'now' | date: '%Y' }}", False),
        ("{{ today }}", False),
    ],
)
def test_it_knows_what_is_the_same_for_everybody(source: str, is_constant: bool) -> None:
    assert compile_template(source, TEXT).is_constant is is_constant


def test_the_year_comes_from_our_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2031, 1, 1, tzinfo=UTC))
    assert render("{{ 'now' | date: '%Y' }} {{ today | date: '%d.%m.' }}") == "2031 01.01."


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("a\nb {{ x", 2, "'{{' is not closed"),
        ("a\n\n{% if x %}\n", 3, "'if' is not closed: write {% endif %}"),
        ("a\n{% if x %}\n{% for y in x %}\n{% endif %}", 3, "'for' is not closed"),
        ("a\n{% endif %}", 2, "'endif' closes nothing"),
        ("a\n{% raw %}\n{{", 2, "'raw' is not closed"),
        ("a\n{% comment %}\n{{", 2, "'comment' is not closed"),
        ("a\n{% %}", 2, "no name"),
        ("a\n{{ x | shout }}", 2, "there is no filter 'shout'"),
        ("{{ x | safe }}", 1, "there is no filter 'safe'"),
        ("{% if x | shout %}{% endif %}", 1, "understood"),
        ("a\n{% include 'secret' %}", 2, "include"),
        ("a\n{% render 'secret' %}", 2, "render"),
        ("{% extends 'x' %}", 1, "extends"),
        ("{{ 1 | divided_by: 0 }}", None, "divide"),
    ],
)
def test_a_fault_is_found_at_edit_time_with_its_line(
    source: str, line: int | None, words: str
) -> None:
    with pytest.raises(TemplateError, match=words) as caught:
        compile_template(source, TEXT)
    assert line is None or caught.value.line == line


def test_a_value_that_does_not_fit_is_a_template_error() -> None:
    with pytest.raises(TemplateError, match="line 2"):
        render("a\n{{ x | divided_by: y }}", x=1, y=0)


def test_compiling_twice_gives_the_same_template() -> None:
    assert compile_template("Hi {{ x }}", TEXT) is compile_template("Hi {{ x }}", TEXT)
    assert compile_template("Hi {{ x }}", TEXT) is not compile_template("Hi {{ x }}", HTML)


def test_what_is_kept_is_bounded_by_what_it_weighs() -> None:
    """Compiled, code takes up to two hundred times its length: strangers must not fill memory."""
    cache = templating._cache
    heavy = "{{ x }}" * 2_800
    first = compile_template(heavy + "0", TEXT)
    assert compile_template(heavy + "0", TEXT) is first
    for n in range(1, 12):
        compile_template(heavy + str(n), TEXT)
        assert cache.weight <= templating.CACHED_BYTES
    assert compile_template(heavy + "0", TEXT) is not first


def test_one_rendering_leaves_nothing_for_the_next() -> None:
    template = compile_template("{{ x }}{% assign x = 'stays' %}{% increment n %}{{ y }}", TEXT)
    assert template.render({"y": 1}) == template.render({"y": 1}) == "01"


@pytest.mark.parametrize(
    "path", ["x.__class__", "x['__class__']", "x.real", "x.__init__.__globals__"]
)
def test_no_attribute_of_python_is_reached(path: str) -> None:
    assert render(f"[{{{{ {path} }}}}]", x=1) == "[]"
