"""Plain templates are filled in as the engine would, for every value, hostile ones included."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kartramail.adapters.template_plain import LONGEST_VALUE, joined
from kartramail.adapters.templating import TemplateKind, compile_template
from kartramail.errors import TemplateError

NAMES = ["name", "contact", "first_name", "size", "first", "last", "now", "partial", "a-b", "é"]

paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(".".join)
words = st.text(st.sampled_from("ab <>&'/;é\n%{}"), max_size=8)
filters = st.one_of(
    st.sampled_from(["", "", " | upcase", ' | default: "x" | upcase', " | default", " | size"]),
    st.sampled_from([" | default: name", ' | default: "x", allow_false: true', " | default: 7"]),
    words.filter(lambda text: '"' not in text).map(lambda text: f' | default: "{text}"'),
)
outputs = st.builds(
    "{}{}{}{}".format, st.sampled_from(["{{ ", "{{- "]), paths, filters, st.just(" }}")
)
literals = st.text(st.sampled_from("ab <>&\"'=\r\n\t é\0"), max_size=12)
tags = st.sampled_from(["{% if name %}y{% endif %}", "{% comment %}{{ name }}{% endcomment %}"])
links = st.sampled_from(['<a href="{{ name }}">', "<a href={{ contact.name }}>", "href="])
sources = st.lists(
    st.one_of(outputs, outputs, outputs, literals, literals, links, tags), max_size=8
).map("".join)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**255, 2**256, -(10**18), 10**18, 10**4000]),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["", " ", "<script>", "javascript:alert(1)", "\ud800", "\0", "https://x/?a=b"]),
    st.sampled_from(["x" * LONGEST_VALUE, "&" * (LONGEST_VALUE + 1), "x" * 200_001]),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=5,
)
variables = st.dictionaries(st.sampled_from(NAMES), values, max_size=5)


def outcome(render: Any, given_values: dict[str, object]) -> str:
    try:
        return f"text {render(given_values)!r}"
    except TemplateError as error:
        return f"error {error}"


@settings(max_examples=500, deadline=None)
@given(source=sources, kind=st.sampled_from(TemplateKind), given_values=variables)
def test_the_result_is_that_of_the_engine(
    source: str, kind: TemplateKind, given_values: dict[str, object]
) -> None:
    try:
        compiled = compile_template(source, kind)
    except TemplateError:
        return
    if "{{ now" in source or "{{- now" in source:
        assert compiled._plain is None
        return
    engine = replace(compiled, _plain=None)
    assert outcome(compiled.render, given_values) == outcome(engine.render, given_values)


@settings(max_examples=300, deadline=None)
@given(source=sources, kind=st.sampled_from(TemplateKind), given_values=variables)
def test_joining_its_parts_is_all_that_rendering_does(
    source: str, kind: TemplateKind, given_values: dict[str, object]
) -> None:
    try:
        compiled = compile_template(source, kind)
    except TemplateError:
        return
    filling = compiled.filling
    found = filling.values(given_values) if filling else None
    if filling is not None and found is not None:
        assert joined(filling.literals, filling.gaps, found) == compiled.render(given_values)


@pytest.mark.parametrize(
    ("source", "kind", "has_parts"),
    [
        ("Hi {{ name }}", TemplateKind.TEXT, True),
        ("Hi {{ name }}", TemplateKind.SUBJECT, False),  # becomes one line
        ("<p>Hi {{ name }}", TemplateKind.HTML, True),
        ('<a href="{{ link }}">', TemplateKind.HTML, False),  # is made harmless
        ('<a href="https://x.com/{{ id }}">', TemplateKind.HTML, True),
        ("Hi {{ name | upcase }}", TemplateKind.TEXT, False),
        ("Hi", TemplateKind.TEXT, False),
    ],
)
def test_what_is_changed_after_it_was_filled_in_has_no_parts(
    source: str, kind: TemplateKind, has_parts: bool
) -> None:
    assert (compile_template(source, kind).filling is not None) is has_parts


@pytest.mark.parametrize(
    ("source", "is_plain"),
    [
        ("Hi {{ name }}, {{ contact.first_name | default: 'friend' }}!", True),
        ("Hi {{- name -}} there", True),
        ("Hi {{ name | upcase }}", False),
        ("{{ contact.size }}", False),
        ("{{ now }}", False),
        ("{{ partial }}", False),
        ("{{ list[0] }}", False),
        ("{% if name %}Hi {{ name }}{% endif %}", False),
    ],
)
def test_what_is_plain(source: str, is_plain: bool) -> None:
    compiled = compile_template(source, TemplateKind.TEXT)
    assert (compiled._plain is not None) is is_plain


def test_values_in_many_gaps_keep_below_the_limit_of_the_output() -> None:
    compiled = compile_template("{{ x }}" * 2_000, TemplateKind.TEXT)
    assert compiled.render({"x": "y" * 50}) == "y" * 100_000
    with pytest.raises(TemplateError, match="too long"):
        compiled.render({"x": "y" * 251})
