"""Liquid code comes through the HTML parsers byte for byte, wherever it can stand (R-VARS)."""

import re

import pytest

from kartramail.adapters.mail_html import inline_styles, sanitise_html, text_of_html
from kartramail.adapters.templating import TemplateKind, compile_template
from kartramail.errors import TemplateError

UNCHANGED = {
    "text": '<p>Hi {{ contact.first_name | default: "there" }} &amp; all</p>',
    "comparisons": "{% if a < b and c > d %}<b>x</b>{% elsif a <> b %}<i>y</i>{% endif %}",
    "quotes and tags in code": """<p>{{ x | replace: '<b>"', "</p>'" }}</p>""",
    "a link": '<a href="{{ link }}">x</a>',
    "a part of a link": '<a href="https://x.test/{{ id }}?a={{ b | url_encode }}&amp;c=1">x</a>',
    "a host and a port": '<a href="https://{{ host }}:{{ port }}/">x</a>',
    "a link of two": '<a href="{% if a %}https://a.test/{% else %}{{ u }}{% endif %}">x</a>',
    "a mailto": '<a href="mailto:{{ address }}?subject={{ s | url_encode }}">x</a>',
    "an image": '<img src="{{ logo }}" alt="Logo of {{ name }}" width="{{ w }}">',
    "a style": '<p style="color:{{ c }};{% if x %}margin:0{% endif %}">x</p>',
    "rows": "<table><tbody>{% for r in l %}<tr><td>{{ r }}</td></tr>{% endfor %}</tbody></table>",
    "cells": "<table><tbody><tr>{% for r in l %}<td>{{ r }}</td>{% endfor %}</tr></tbody></table>",
    "text in a table": "<table>{{ rows_of_html }}<tbody><tr><td>x</td></tr></tbody></table>",
    "items": "<ul>{% for i in l %}<li>{{ i }}</li>{% endfor %}</ul>",
    "in a tag": '<p class="a" {% if x %} align="right" {% endif %}>x</p>',
    "in a <style>": "<style>.a { color:{{ c }} }</style><p class=\"a\">x</p>",
    "a comment of code": "{% comment %} <script>{{ x }</script> {% endcomment %}x",
    "white space control": "{%- if x -%}\n<p>\t{{- x -}} </p>\n{%- endif -%}",
    "raw": "{% raw %}<b>{ x }</b>{% endraw %}",
    "several lines": "<p>{{ x\n  | upcase\n}}</p>",
}  # fmt: skip


@pytest.mark.parametrize("source", UNCHANGED.values(), ids=UNCHANGED)
def test_code_and_what_is_around_it_stay(source: str) -> None:
    assert sanitise_html(source) == source


@pytest.mark.parametrize("source", UNCHANGED.values(), ids=UNCHANGED)
def test_a_document_and_a_text_are_templates_still(source: str) -> None:
    code = re.findall(r"\{\{.*?\}\}|\{%.*?%\}", source, re.DOTALL)
    page = inline_styles(source)
    assert all(piece in page for piece in code)
    if compiles(source, TemplateKind.HTML):
        assert compiles(page, TemplateKind.HTML)
        assert compiles(text_of_html(page), TemplateKind.TEXT)


def compiles(source: str, kind: TemplateKind) -> bool:
    try:
        compile_template(source, kind)
    except TemplateError:
        return False
    return True


def render(source: str, **variables: object) -> str:
    return compile_template(source, TemplateKind.HTML).render(variables)


def test_a_loop_around_rows_stays_around_rows() -> None:
    source = (
        "<table>\n{% for r in rows %}\n<tr><td>{{ r }}</td></tr>\n{% endfor %}\n"
        "<tr><td>Sum</td></tr></table>"
    )
    for made in (sanitise_html(source), inline_styles(source)):
        html = re.sub(r"\s", "", render(made, rows=[1, 2]))
        assert (
            "<table><tbody><tr><td>1</td></tr><tr><td>2</td></tr><tr><td>Sum</td></tr></tbody>"
            in html
        )


def test_unquoted_values_with_code_get_quotes() -> None:
    assert sanitise_html("<a href={{ a | b: 'c' }} title={{x}}>x</a>") == (
        '<a href="{{ a | b: \'c\' }}" title="{{x}}">x</a>'
    )


def test_code_glued_to_an_attribute_is_told_from_it() -> None:
    made = sanitise_html('<p {% if x %}align="right"{% else %}align="left"{%endif%}>x</p>'.replace(
        'align="left"', 'dir="rtl"'
    ))  # fmt: skip
    assert render(made, x=1) == '<p  align="right" >x</p>'
    assert render(made) == '<p  dir="rtl" >x</p>'


def test_braces_that_are_no_code_do_not_become_some() -> None:
    made = sanitise_html("&#123;{ x }} {&#37; if %} {<b></b>{ x }} &#123;{{ x }}")
    assert made == "&#123;{ x }} &#123;% if %} {<b></b>{ x }} &#123;{{ x }}"
    assert render(made, x=1) == "&#123;{ x }} &#123;% if %} {<b></b>{ x }} &#123;1"


def test_raw_shows_what_stands_in_it_and_hides_no_tags() -> None:
    made = sanitise_html('{% raw %}{{ "<script>alert(1)</script>" }}{% endraw %}')
    assert "<script" not in render(made)
    assert "{{" not in made.replace("{% raw %}", "")


def test_tags_of_code_in_a_comment_are_kept_and_its_words_are_not() -> None:
    source = "<!-- {% if x %} {{ secret }} words --><p>a</p><!-- {% endif %} -->"
    assert sanitise_html(source) == "{% if x %}<p>a</p>{% endif %}"


REFUSED = {
    "in a tag's name": ("a\n<p{{ x }}>", 2, "in the name of a tag"),
    "a variable among attributes": ("a\n<p {{ x }}>", 2, "put it into an attribute's value"),
    "a variable as an attribute": ("a\n\n<p {{ x }}='1'>", 3, "put it into an attribute's value"),
    "a block that leaves a value": (
        '<a title="\n{% if x %}">{% endif %}" onclick="alert(1)" x="', 2, "has to end there",
    ),
    "a block that leaves a style": ("<style>{% if x %}</style>\n{% endif %}", 1, "has to end"),
    "a block that leaves a tag": ("<p {% if x %}>{% endif %}</p>", 1, "has to end there"),
    "a capture in a value": ('<a title="{% capture x %}<b>{% endcapture %}">', 1, "only stand in"),
    "a style in code in a tag": ("\n<p {% if x %}style='color:red'{% endif %}>", 2, "of 'style'"),
    "an attribute twice": ("<p {% if x %}id='a'{% else %}id='b'{% endif %}>", 1, "'id' twice"),
    "a scheme by pieces": ("<a href='java{% if x %}{% endif %}script:x'>", 1, "must begin with"),
    "a scheme by a variable": ("<a href='{{ x }}:alert(1)'>", 1, "must begin with"),
    "a scheme in a branch": (
        "<a href='{% if x %}https://a{% else %}\njavascript:x{% endif %}'>", 1, "must begin with",
    ),
    "an end that goes with its element": (
        "\n{% if x %}<select>{% endif %}</select>", 2, "'if' is not closed",
    ),
    "raw whose end goes": ("{% raw %}<select>{% endraw %}</select>{{ x }}", 1, "'raw' is not"),
    "not closed": ("a\n\n{{ x", 3, "'{{' is not closed"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "line", "words"), REFUSED.values(), ids=REFUSED)
def test_code_that_could_break_a_tag_open_is_refused_with_its_line(
    source: str, line: int, words: str
) -> None:
    with pytest.raises(TemplateError, match=re.escape(words)) as caught:
        sanitise_html(source)
    assert caught.value.line == line


def test_what_is_captured_cannot_leave_a_value() -> None:
    source = (
        '{% capture c %}<b title=" onclick=alert(1) ">"</b>{% endcapture %}<i title="{{ c }}">x</i>'
    )
    html = render(inline_styles(source))
    assert html.count('"') == html.count('="') * 2  # every quote belongs to a value
    assert "{{ c }}" in sanitise_html(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ '<script>x</script>' }}",
        "{{ '<scr' | append: 'ipt>' }}",
        "{{ x | default: '<script>' }}",
        "{% assign a = '<script>' %}{{ a }}",
        "{% echo '<script>' %}",
        "{% cycle '<script>' %}",
        "{% for c in '<script>' %}{{ c }}{% endfor %}",
        "{% liquid assign a = '<script>'\n echo a %}",
        "{{ 'PHNjcmlwdD4=' | base64_decode }}",
        "{{ '%3Cscript%3E' | url_decode }}",
        "{{ '&lt;script&gt;' | escape_once }}",
        "{{ '<<b>script>' | strip_html }}",
        "{{ '[script]' | replace: '[', '<' | replace: ']', '>' }}",
        "{{ 'a,b' | split: ',' | join: '<script>' }}",
        "{% capture a %}<i title='<script>'></i>{% endcapture %}{{ a | slice: 10, 8 }}",
        "{% capture a %}<i title='<script>'></i>{% endcapture %}{{ a | split: '\"' }}",
        "{% capture a %}<i title='#script>'></i>{% endcapture %}{{ a | replace: '#', '<' }}",
        "{{ now | date: '<script>' }}",
        "{{ 'a' | newline_to_br | replace: 'a', '<script>' }}",
    ],
)
def test_words_in_code_make_no_element(source: str) -> None:
    assert "<script" not in render(sanitise_html(f"<p>{source}</p>"))


def test_simple_tags_in_code_work() -> None:
    joined = "{{ 'a,b' | split: ',' | join: '<br>' }}{{ '&nbsp;' }}{{ 'A & B' }}"
    assert render(sanitise_html(joined)) == "a<br>b&nbsp;A &amp; B"


def test_captured_html_stays_html_where_it_is_used_whole() -> None:
    capture = "{% capture c %} <b>{{ x }}</b> {% endcapture %}"
    source = capture + "{{ c | strip | append: '!' }}{{ c | upcase }}"
    assert render(sanitise_html(source), x="O'Neil") == (
        "<b>O&#39;Neil</b>! &lt;B&gt;O&#39;NEIL&lt;/B&gt; "
    )
