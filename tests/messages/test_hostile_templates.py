"""Hostile templates: a clear error or a harmless message, within a second and 50 MB (R-VARS)."""

import pytest

from kartramail.adapters.templating import TemplateKind, compile_template
from kartramail.errors import TemplateError
from kartramail.messages.words import finish_words, judge_words
from tests.adapters.test_templating_bounds import HOSTILE as BOUNDED
from tests.support.measured import measured

VARIABLES = {
    "x": 1,
    "name": "Ada\r\nBcc: eve@evil.test\u2028\u2029\x85\x0b\x00<b>",
    "link": "javascript:alert(1)",
    "long": "a" * 150_000,
    "items": ["a"] * 1000,
}
DOUBLE = "{% assign a = a | append: a %}"
LONG = "{% assign a = '" + "a&" * 50 + "' %}" + DOUBLE * 10
LOOP = "{% for i in (1..1000) %}"

REFUSED = {
    **BOUNDED,
    "a gigabyte loop": LOOP * 3 + "x" * 1000 + "{% endfor %}" * 3,
    "a gigabyte of nothing": LOOP * 3 + "{{ '' }}" + "{% endfor %}" * 3,
    "an endless range": "{% for i in (1..99999999999999999999) %}{{ '' }}{% endfor %}",
    "a long value, often": "{% for i in items %}{{ long }}{% endfor %}",
    "conditions on long values": LOOP + "{% if long contains 'b' %}{% endif %}{% endfor %}",
    "equal long values": LOOP + "{% if long == long %}{% endif %}{% endfor %}",
    "loops over lists": "{% for i in items %}{% for j in items %}{% endfor %}{% endfor %}",
    "replace bombs": "{% assign a = 'aa' %}" + "{% assign a = a | replace: 'a', 'aaaa' %}" * 30,
    "capture bombs": "{% capture a %}aa{% endcapture %}"
    + "{% capture a %}{{ a }}{{ a }}{% endcapture %}" * 40,
    "join bombs": "{% assign a = 'a,a' | split: ',' %}"
    + "{% assign a = a | concat: a | join: 'aaaaaaaaaa' | split: '' %}" * 20,
    "lists that are printed": LOOP + "{{ items }}" * 5 + "{% endfor %}",
    "deep blocks within the code": "{% if x %}" * 400 + "{% endif %}" * 400,
}

HARMLESS = {
    "empty words": "{{ '' }}" * 2400,
    "empty words in loops": LOOP + "{{ '' }}" * 50 + "{% endfor %}",
    "dates in loops": LOOP + "{{ '3 jan 2021 10:00' | date: '%d' }}" * 20 + "{% endfor %}",
    "filters in loops": LOOP + "{{ x | plus: 1 | times: 2 | upcase }}" * 20 + "{% endfor %}",
    "captures in loops": LOOP + "{% capture a %}{{ x }}{% endcapture %}" * 20 + "{% endfor %}",
    "conditions": "{% if x and x or x contains 'a' %}a{% endif %}" * 400,
    "branches": "{% if x == 2 %}" + "{% elsif x == 3 %}" * 1000 + "{% endif %}",
    "filters on long values": LONG + "{{ a | url_encode | url_decode | size }}" * 40,
    "encoding": LONG + "{{ a | base64_encode | size }}" * 60,
    "sorting": "{% assign l = items | concat: items | sort | uniq %}{{ l | size }}" * 50,
    "text": "{{ x }}" + "word " * 59_000,
    "addresses": LOOP + "href=" * 190 + "{{ x }}{% endfor %}<a href='{{ x }}'>x</a>",
}

EVERY = {**REFUSED, **HARMLESS}


def deliver(source: str) -> tuple[str, str]:
    """All that is done with a template: judged, finished, compiled, filled in."""
    judge_words(source[:900], source, source, ["x", "name", "link", "long", "items"], VARIABLES)
    _, text, html = finish_words(("Hi", None, source))
    return (
        compile_template(html or "", TemplateKind.HTML).render(VARIABLES),
        compile_template(text or "", TemplateKind.TEXT).render(VARIABLES),
    )


def fill_in(source: str) -> str:
    return compile_template(source, TemplateKind.HTML).render(VARIABLES)


@pytest.mark.parametrize("source", EVERY.values(), ids=EVERY)
def test_filling_it_in_is_bounded(source: str) -> None:
    cost = measured(fill_in, source)
    assert isinstance(cost.outcome, str | TemplateError)
    assert cost.seconds < 1
    assert cost.megabytes < 50


@pytest.mark.parametrize("source", EVERY.values(), ids=EVERY)
def test_finishing_it_is_bounded(source: str) -> None:
    cost = measured(finish_words, ("Hi", None, source))
    assert isinstance(cost.outcome, tuple | TemplateError)
    assert cost.seconds < 1
    assert cost.megabytes < 50


@pytest.mark.parametrize("source", EVERY.values(), ids=EVERY)
def test_judging_it_is_bounded(source: str) -> None:
    cost = measured(judge_words, "Hi", source, None, ["x"], VARIABLES)
    assert isinstance(cost.outcome, list)
    assert cost.seconds < 1
    assert cost.megabytes < 50


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED)
def test_what_is_too_much_is_told_at_edit_time(source: str) -> None:
    with pytest.raises(TemplateError, match=r"The (template|text|HTML)"):
        deliver(source)
    faults = judge_words("Hi", source, None, ["x"], VARIABLES)
    assert "template" in [fault.code for fault in faults]


def test_a_line_break_in_a_variable_stays_out_of_the_subject() -> None:
    subject = compile_template("Hi {{ name }}, {{ name | upcase }}", TemplateKind.SUBJECT)
    made = subject.render(VARIABLES)
    assert made == "Hi Ada Bcc: eve@evil.test <b>, ADA BCC: EVE@EVIL.TEST <B>"
    assert len(made.splitlines()) == 1


def test_html_in_a_variable_is_escaped_and_a_script_is_no_address() -> None:
    html, text = deliver('<p title="{{ name }}">{{ name }}</p><a href="{{ link }}">Go</a>')
    assert "<b>" not in html
    assert "&lt;b&gt;" in html
    assert '<a href="#">Go</a>' in html
    assert "javascript" not in html
    assert "<b>" in text  # which is text, and read as such
