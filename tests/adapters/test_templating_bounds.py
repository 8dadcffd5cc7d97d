"""A hostile template ends in a TemplateError, by count and not by clock (R-VARS, R-SAFE)."""

import tracemalloc

import pytest

from kartramail.adapters.templating import LONGEST_SUBJECT, TemplateKind, compile_template
from kartramail.errors import TemplateError

DOUBLE = "{% assign a = a | append: a %}"
LONG = "{% assign a = '" + "a" * 100 + "' %}" + DOUBLE * 10  # 100,000 characters
LOOP = "{% for i in (1..1000) %}"

HOSTILE = {
    "loops in loops": LOOP * 3 + "x" + "{% endfor %}" * 3,
    "loops after loops": (LOOP + "{{ x }}{% endfor %}") * 200,
    "blank loops": (LOOP + "{% if x %}{% endif %}{% endfor %}") * 200,
    "a long body": LOOP + "{% if x %}{% endif %}" * 500 + "{% endfor %}",
    "a long condition": LOOP + "{% if " + " or ".join(["x"] * 800) + " %}{% endif %}{% endfor %}",
    "doubling": LONG + DOUBLE * 50,
    "doubling by capture": LOOP + "{% capture a %}{{ a }}{{ a }}x{% endcapture %}{% endfor %}",
    "doubling a list": "{% assign l = 'a,b' | split: ',' %}"
    + "{% assign l = l | concat: l %}" * 20,
    "squaring a number": "{% assign n = 99999 %}" + "{% assign n = n | times: n %}" * 30,
    "replace": LONG + "{{ a | replace: 'a', a }}",
    "replace of nothing": LONG + "{{ a | replace: '', a }}",
    "join": "{{ (1..1000) | join: '" + "x" * 1000 + "' }}",
    "split": LONG + "{{ a | split: '' | size }}",
    "uniq": "{% assign l = (1..1000) | reverse %}" + "{{ l | uniq | size }}" * 400,
    "work": LONG + "{{ a | upcase | downcase | size }}" * 60,
    "names": "".join(f"{{% assign a{n} = 1 %}}" for n in range(1100)),
    "output": LONG + "{{ a }}" * 20,
    "a long date": "{{ '" + "1" * 200 + "' | date: '%Y' }}",
    "an endless range": "{% for i in (1..9999999999) reversed %}{% endfor %}",
    "a range by variable": "{% assign n = 9999999999 %}{% if (1..n) contains 'a' %}{% endif %}",
    "deep blocks": "{% if x %}" * 1000 + "{% endif %}" * 1000,
    "deep paths": "{{ " + "a[" * 2000 + "b" + "]" * 2000 + " }}",
    "deep conditions": "{% if " + " or ".join(["x"] * 20_000) + " %}{% endif %}",
    "parts": "{{x}}" * 20_001,
    "openings": "{{" * 100_000,
    "openings of tags": "{% if " * 40_000,
    "blanks": "{{" + " " * 100_000 + "}}",
    "blanks after a tag": "{% if" + " " * 100_000 + "x %}{% endif %}",
    "verbatim without end": "{% comment %}" + "{% raw %}" * 20_000,
    "length": "x" * 300_001,
    "code": "{{ a | append: b }}" * 1_060,
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_template_ends_in_an_error(source: str) -> None:
    with pytest.raises(TemplateError):
        compile_template(source, TemplateKind.HTML).render({"x": 1})


@pytest.mark.parametrize(
    "name", ["doubling", "replace", "join", "doubling a list", "output", "names"]
)
def test_it_takes_little_memory(name: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(TemplateError):
            compile_template(HOSTILE[name], TemplateKind.HTML).render({})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 30_000_000


def test_lists_from_outside_count_as_well() -> None:
    nested = "{% for a in l %}{% for b in l %}{{ b }}{% endfor %}{% endfor %}"
    with pytest.raises(TemplateError, match="loops run too often"):
        compile_template(nested, TemplateKind.TEXT).render({"l": list(range(1000))})


def test_the_fault_of_too_much_code_says_what_to_do() -> None:
    with pytest.raises(TemplateError, match=r"more than 20,000 characters of code.*Use fewer"):
        compile_template("{{ a | append: b }}" * 1_060, TemplateKind.HTML)
    assert compile_template("{{ a | append: b }}" * 1_000, TemplateKind.HTML).code_size == 19_000


def test_a_subject_that_is_too_long_is_cut_and_the_message_leaves() -> None:
    """R-VARS: what a value does is never told at delivery."""
    subject = compile_template("{{ x }}", TemplateKind.SUBJECT).render({"x": "x" * 3000})
    assert subject == "x" * (LONGEST_SUBJECT - 1) + "…"


def test_a_table_row_tag_is_not_there() -> None:
    """It writes quotes of its own, which would break open a value that it is captured for."""
    with pytest.raises(TemplateError, match="tablerow"):
        compile_template("{% tablerow i in a %}{{ i }}{% endtablerow %}", TemplateKind.HTML)


def test_an_honest_newsletter_is_far_from_the_bounds() -> None:
    row = "<tr><td>{{ item.name | escape }}</td><td>{{ item.price | times: 1.2 }}</td></tr>"
    source = "<p>words</p>\n" * 5000 + "{% for item in items %}" + row + "{% endfor %}"
    items = [{"name": f"Thing {n}", "price": n} for n in range(200)]
    html = compile_template(source, TemplateKind.HTML).render({"items": items})
    assert html.count("<tr>") == 200
