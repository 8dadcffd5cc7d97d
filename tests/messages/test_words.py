"""Words are judged while they are edited and finished for their way out (R-VARS)."""

import pytest

from kartramail.adapters.templating import TemplateKind, compile_template
from kartramail.errors import TemplateError
from kartramail.messages import words
from kartramail.messages.words import TemplateFault, finish_words, judge_words

KNOWN = ["contact.first_name", "contact.tags", "business.name", "event.*"]
EXAMPLES = {"contact": {"first_name": "Ada", "tags": ["vip"]}, "event": {"items": list(range(200))}}


def judge(html: str | None = None, subject: str = "Hi", text: str | None = None) -> list:
    return judge_words(subject, html, text, KNOWN, EXAMPLES)


def test_words_without_html_stay_as_they_are() -> None:
    assert finish_words(("Hi", "Words {{ x }}", None)) == ("Hi", "Words {{ x }}", None)


def test_html_is_sanitised_and_inlined_and_a_text_is_made() -> None:
    source = (
        "<style>p{color:red}</style><script>x</script><p>Hi {{ x }}, "
        '<a href="https://a.test/">see</a></p>'
    )
    subject, text, html = finish_words(("Hi {{ x }}", None, source))
    assert subject == "Hi {{ x }}"
    assert text == "Hi {{ x }}, see (https://a.test/)"
    assert html is not None
    assert html.startswith("<!doctype html>")
    assert '<p style="color: red;">Hi {{ x }}' in html
    assert "script" not in html


def test_a_text_that_was_written_stays() -> None:
    assert finish_words(("Hi", "Mine", "<p>Theirs</p>"))[1] == "Mine"
    assert finish_words(("Hi", "", "<p>Theirs</p>"))[1] == ""


def test_html_without_words_gets_no_text() -> None:
    assert finish_words(("Hi", None, '<img src="https://a.test/x.png">'))[1] is None


def test_the_same_words_are_finished_once(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "<p>Only once {{ x }}</p>"
    first = finish_words(("A", None, source))
    monkeypatch.setattr(words, "mail_of_html", None)
    assert finish_words(("B", None, source)) == ("B", *first[1:])


def test_what_is_kept_is_bounded() -> None:
    for number in range(20):
        finish_words(("A", "B", "x" * 290_000 + str(number)))
        assert words._cache.weight <= words.KEPT_BYTES


@pytest.mark.parametrize(
    ("source", "line"), [("a\n{{ x | shout }}", 2), ("a\n<p {{ x }}>", 2), ("\n\n{% if x %}", 3)]
)
def test_a_fault_has_the_line_that_was_written(source: str, line: int) -> None:
    with pytest.raises(TemplateError) as caught:
        finish_words(("A", None, source))
    assert caught.value.line == line


def test_styles_that_make_the_html_too_long_are_told() -> None:
    source = "<style>.a{b:" + "x" * 1000 + "}</style>" + "<p class=a>x</p>" * 1000
    with pytest.raises(TemplateError, match=r"with its styles written into it.*longer") as caught:
        finish_words(("A", None, source))
    assert caught.value.line is None


def test_good_words_have_no_fault() -> None:
    html = (
        "<p>{{ contact.first_name | default: 'you' }} {{ event.a.b }} {{ business }}</p>"
        "{% for tag in contact.tags %}{{ forloop.index }} {{ tag.x }} {{ contact.tags.size }}"
        "{{ contact.tags[0] }}{{ contact.tags.first }}{% endfor %}{{ contact['first_name'] }}"
        "{% assign a = now %}{{ a }}{% capture b %}x{% endcapture %}{{ b }}{{ today }}"
        "{% increment n %}{{ n }}{{ event }}{{ contact[event.key] }}"
    )
    assert judge(html, "{{ contact.first_name }}", "{{ event.x }}") == []


def test_an_unknown_variable_is_told_with_its_line_and_what_was_meant() -> None:
    assert judge("<p>\n\n{{ contact.frist_name }}{{ contact.frist_name }}</p>") == [
        TemplateFault(
            "html",
            3,
            "unknown_variable",
            "There is no variable “contact.frist_name” (line 3). Did you mean contact.first_name?",
            "contact.first_name",
        )
    ]


@pytest.mark.parametrize(
    ("source", "name", "suggestion"),
    [
        ("{{ first_name }}", "first_name", "contact.first_name"),
        ("{{ Contact.First_Name }}", "Contact.First_Name", "contact.first_name"),
        ("{{ contact.first_name.x }}", "contact.first_name.x", "contact.first_name"),
        ("{% if zork %}{% endif %}", "zork", None),
        ("{{ 'x' | append: zork }}", "zork", None),
        ("{% for x in zork %}{{ x }}{% endfor %}", "zork", None),
        ("{% for x in contact.tags %}{% endfor %}{{ x }}", "x", None),
        ("{% liquid\n echo zork %}", "zork", None),
        ("{{ events.x }}", "events.x", None),
    ],
)
def test_unknown_variables_are_found_everywhere(
    source: str, name: str, suggestion: str | None
) -> None:
    (fault,) = judge(text=source)
    assert (fault.field, fault.code, fault.suggestion) == ("text", "unknown_variable", suggestion)
    assert f"“{name}”" in fault.message


def test_every_tag_that_is_not_closed_is_told() -> None:
    faults = judge(text="a\n{% if contact %}\n{% for x in contact.tags %}\n{% endunless %}")
    assert [(fault.line, fault.code) for fault in faults] == [
        (2, "template"),
        (3, "template"),
        (4, "template"),
    ]
    assert "write {% endif %} where it ends" in faults[0].message


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("a\n{{ contact.first_name | shout }}", 2, "no filter 'shout'"),
        ("a\n{{ contact.first_name", 2, "not closed"),
        ("a\n{% for x in (1..999999999) %}{% endfor %}", 2, "range is too long"),
        ("a\n{% include 'x' %}", 2, "include"),
        ("{% if contact %}" * 30 + "{% endif %}" * 30, 1, "nest"),
        (
            "a\n{% for x in event.items %}{% for y in event.items %}{{ x }}{{ y }}"
            "{% endfor %}{% endfor %}",
            2,
            "loops run too often",
        ),
        ("a\n{{ contact.first_name | divided_by: 0 }}", 2, "filled in"),
    ],
)
def test_what_is_not_understood_or_too_much_is_told_with_its_line(
    source: str, line: int, words: str
) -> None:
    (fault,) = judge(text=source)
    assert (fault.field, fault.code, fault.line) == ("text", "template", line)
    assert words in fault.message


def test_faults_of_the_html_itself_are_told() -> None:
    (fault,) = judge("a\n<p {{ contact.first_name }}>x</p>")
    assert (fault.field, fault.line, fault.code) == ("html", 2, "template")


def test_each_field_is_judged() -> None:
    faults = judge("{{ a1 }}", "{{ b1 }}", "{{ c1 }}")
    assert [fault.field for fault in faults] == ["subject", "html", "text"]


def test_without_examples_nothing_is_filled_in() -> None:
    assert judge_words("{{ 1 | plus: contact.x }}", None, None, ["contact.x"]) == []


def test_finished_words_say_the_same() -> None:
    source = "<h1>{{ a }}</h1>{% for i in l %}<p>{{ i }}</p>{% endfor %}"
    _, text, html = finish_words(("x", None, source))
    values = {"a": "A & B", "l": [1, 2]}
    assert compile_template(text or "", TemplateKind.TEXT).render(values) == "A & B\n\n1\n\n2\n\n"
    made = compile_template(html or "", TemplateKind.HTML).render(values)
    assert "<h1>A &amp; B</h1><p>1</p><p>2</p>" in made
