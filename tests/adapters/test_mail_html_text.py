"""The text part made from HTML reads well and is a template still (R-VARS)."""

import pytest

from kartramail.adapters.mail_html import inline_styles, text_of_html
from kartramail.adapters.templating import TemplateKind, compile_template


def render(source: str, **variables: object) -> str:
    return compile_template(text_of_html(source), TemplateKind.TEXT).render(variables)


def test_headings_paragraphs_and_lists() -> None:
    source = (
        "<h1>Your booking</h1><p>Hello   Ada,<br>\n see you\n soon.</p><ul><li>Bring tea</li>"
        "<li>Bring cake</li></ul><ol><li>First</li><li>Second</li></ol><hr><p>Bye</p>"
    )
    assert text_of_html(source) == (
        "Your booking\n\nHello Ada,\nsee you soon.\n\n  * Bring tea\n  * Bring cake\n"
        " 1. First\n 2. Second\n--------------------\n\nBye"
    )


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('<a href="https://shop.test/a?b=1&amp;c=2">Open it</a>', "Open it (https://shop.test/a?b=1&c=2)"),
        ('<a href="https://shop.test/">https://shop.test</a>', "https://shop.test"),
        ('<a href="https://www.shop.test/">shop.test</a>', "shop.test"),
        ('<a href="mailto:a@shop.test">a@shop.test</a>', "a@shop.test"),
        ('<a href="mailto:a@shop.test">Write</a>', "Write (mailto:a@shop.test)"),
        ('<a href="#top">Up</a> <a name="x">Here</a>', "Up Here"),
        ('<a href="{{ link }}"><b>Open</b></a>', "Open ({{ link }})"),
        ('<a href="{{ link }}">{{ link }}</a>', "{{ link }}"),
        ('<a href="https://x.test/"><img src="a.png" alt="Shop"></a>', "Shop (https://x.test/)"),
        ('<a href="https://x.test/"><img src="a.png"></a>', "https://x.test/"),
    ],
)  # fmt: skip
def test_links_keep_their_addresses(source: str, text: str) -> None:
    assert text_of_html(source) == text


def test_entities_are_decoded_once() -> None:
    source = "<p>Tom &amp; Jerry &lt;3 &eacute; &amp;lt; a&nbsp;b</p>"
    assert text_of_html(source) == "Tom & Jerry <3 é &lt; a b"


@pytest.mark.parametrize(
    "hidden",
    [
        '<div style="display:none">Preview {{ x }}</div>',
        '<span style="color:red; DISPLAY : none!important">Preview</span>',
        '<div style="max-height:0;overflow:hidden">Preview<p>more</p></div>',
        '<div style="font-size:0px">Preview</div>',
        '<div style="mso-hide:all">Preview</div>',
        "<p hidden>Preview</p>",
        "<style>p{color:red}</style><script>Preview</script><title>Preview</title>",
    ],
)
def test_what_nobody_sees_is_left_out(hidden: str) -> None:
    assert text_of_html(f"{hidden}<p>Hello</p>") == "Hello"


def test_what_a_class_hides_is_left_out_of_an_inlined_document() -> None:
    source = "<style>.pre{display:none}</style><p class=pre>Preview</p><p>Hello</p>"
    assert text_of_html(inline_styles(source)) == "Hello"


def test_tags_in_what_is_hidden_still_count() -> None:
    source = "<p hidden>{% assign a = 1 %}{{ b }}</p>{{ a }}"
    assert render(source, b="no") == "1"


def test_loops_give_a_line_each() -> None:
    source = (
        "<p>You get:</p><table>{% for i in items %}<tr><td>{{ i }}</td><td>1.00</td></tr>"
        "{% endfor %}</table><ul>{% for i in items %}<li>{{ i }}</li>{% endfor %}</ul><p>Bye</p>"
    )
    assert render(source, items=["tea", "cake"]) == (
        "You get:\n\ntea  1.00\ncake  1.00\n  * tea\n  * cake\n\nBye"
    )


def test_conditions_leave_no_empty_lines_behind() -> None:
    source = "<p>A</p>{% if b %}<p>B</p>{% endif %}{% if c %}<p>C</p>{% endif %}<p>D</p>"
    assert render(source, b=1, c=1) == "A\n\nB\n\nC\n\nD"
    assert render(source) == "A\n\nD"


def test_numbers_that_code_would_repeat_are_bullets() -> None:
    source = "<ol>{% for i in l %}<li>{{ i }}</li>{% endfor %}</ol>"
    assert render(source, l=["a", "b"]) == "  * a\n  * b\n"


def test_a_value_is_not_escaped_and_braces_stay_braces() -> None:
    source = "<p>{{ x }} {{ x | escape }} &#123;{ y }} {% raw %}{{ z }}{% endraw %}</p>"
    assert render(source, x="Tom & <b>") == "Tom & <b> Tom & <b> {{ y }} {{ z }}"


def test_nothing_gives_nothing() -> None:
    assert text_of_html("") == text_of_html("<p> </p><img src='x.png'>") == ""
