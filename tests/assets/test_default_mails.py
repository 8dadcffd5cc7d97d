"""Our words for each notification: they read well with all, with nothing, and with hostile values.

R-GLOBAL, R-VARS, R-WORDS.
"""

import re
from typing import Any

import pytest
from lxml import html as lxml_html

from kartramail.adapters.templating import TemplateKind, compile_template
from kartramail.assets.defaults import FOLDER, default_source, default_words
from kartramail.assets.kinds import TYPES, NotificationType, example_variables, known_names
from kartramail.messages.words import judge_words

every_type = pytest.mark.parametrize("one", TYPES.values(), ids=lambda one: one.name)

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "{{ contact.email }}{% for i in (1..9) %}x{% endfor %}",
    "Hello\r\nBcc: everybody@example.net\r\n\r\nword",
    "w" * 500,
    "\u202egnihton",
    "",
    "   ",
    None,
    True,
    0,
    -1.5,
    [],
    {},
    ["a", ["b"]],
    {"name": {"name": "x"}},
]


def rendered(one: NotificationType, variables: dict[str, Any]) -> tuple[str, str, str]:
    """Subject, text and HTML as they leave."""
    subject, text, html = default_words(one.name)
    return (
        compile_template(subject, TemplateKind.SUBJECT).render(variables),
        compile_template(text or "", TemplateKind.TEXT).render(variables),
        compile_template(html or "", TemplateKind.HTML).render(variables),
    )


def examples(one: NotificationType) -> dict[str, Any]:
    return example_variables(one, business_name="Doe Inc.", asset_name="Advice")


@every_type
def test_nothing_speaks_against_them(one: NotificationType) -> None:
    subject, text, html = default_source(one.name)
    assert judge_words(subject, html, text, known_names(one), examples(one)) == []


@every_type
def test_all_that_is_known_is_told(one: NotificationType) -> None:
    subject, text, html = rendered(one, examples(one))
    assert "Doe Inc." in text
    assert "Doe Inc." in html
    for variable in one.variables:
        told = variable.example
        if variable.name == "starts_at_iso":
            continue
        words = [item["name"] for item in told] if isinstance(told, list) else told.splitlines()
        for line in words:
            assert line in text, variable.name
            assert line in lxml_html.fromstring(html).text_content() or line in html
    assert subject


@every_type
@pytest.mark.parametrize("has_all", [True, False], ids=["all", "nothing"])
def test_what_is_missing_leaves_no_hole(one: NotificationType, *, has_all: bool) -> None:
    subject, text, html = rendered(one, examples(one) if has_all else {})
    body = lxml_html.fromstring(html).find("body")
    words = re.sub(r"\s+", " ", body.text_content())
    for said in (subject, text, words):
        assert said.strip()
        assert not re.search(r"\{\{|%\}|\(\)|“”| [,.:;]|\.\.|[,:] *$|None|undefined", said), said
    assert "\n\n\n" not in text.strip("\n")
    assert all(line == line.strip() for line in text.strip("\n").split("\n"))
    assert "  " not in subject
    assert not re.search(r'href=""', html)
    assert not re.search(r":\s*$", text)


@every_type
def test_one_button_where_there_is_a_link_and_none_without(one: NotificationType) -> None:
    links = {variable.name for variable in one.variables if "link" in variable.name}
    _, _, with_all = rendered(one, examples(one))
    _, _, with_nothing = rendered(one, {})
    buttons = 1 if {"link", "join_link"} & links else 0
    assert len(lxml_html.fromstring(with_all).find_class("act")) == buttons
    assert not lxml_html.fromstring(with_nothing).xpath("//a")


@every_type
def test_an_inbox_shows_a_preview_of_its_own(one: NotificationType) -> None:
    subject, text, html = rendered(one, examples(one))
    preview = lxml_html.fromstring(html).xpath("//div[contains(@style, 'display: none')]")
    assert len(preview) == 1
    words = preview[0].text_content()
    assert 10 <= len(words) <= 140
    assert words != subject
    assert not text.startswith(words)


@every_type
@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: repr(value)[:20])
def test_hostile_values_are_harmless(one: NotificationType, value: Any) -> None:
    variables: dict[str, Any] = {variable.name: value for variable in one.variables}
    person = {"first_name": value, "last_name": value, "email": value, "fields": value}
    variables |= {"contact": person, "business": {"name": value}, "asset": {"name": value}}
    variables["event"] = dict(variables)
    subject, _, html = rendered(one, variables)
    assert not re.search("[\x00-\x1f\x7f]", subject)
    tree = lxml_html.fromstring(html)
    assert not tree.xpath("//script | //img | //iframe | //@onerror")
    _, _, honest = rendered(one, {})
    style = [element.text_content() for element in tree.xpath("//style")]
    assert style == [
        element.text_content() for element in lxml_html.fromstring(honest).xpath("//style")
    ]


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("helpdesk.reply", "ticket_subject"),
        ("helpdesk.ticket_received", "ticket_subject"),
        ("team.ticket", "ticket_subject"),
        ("membership.post_unlocked", "post_title"),
    ],
)
def test_what_people_write_at_length_fits_into_a_subject(name: str, variable: str) -> None:
    subject, text, _ = rendered(TYPES[name], {variable: "w" * 5_000})
    assert len(subject) < 200
    assert "www..." in subject
    assert "w" * 5_000 in text


@every_type
@pytest.mark.parametrize("whole", ["x", 7, [], None, {"a": 1}])
def test_no_shape_of_values_breaks_them(one: NotificationType, whole: Any) -> None:
    """Programs send what they like as a contact or an event."""
    rendered(one, dict.fromkeys(("contact", "business", "asset", "event"), whole))


@every_type
def test_they_name_a_thing_that_is_called_so(one: NotificationType) -> None:
    """R-WORDS: no exclamation marks, and none of the words of the house."""
    for path in (FOLDER / one.name).iterdir():
        words = re.sub(r"\{[{%].*?[}%]\}", "", path.read_text())
        assert not re.search(
            r"!(?! *important)|\b(asset|gateway|stream|placeholder)\b", words, re.I
        )


def test_every_folder_is_a_type() -> None:
    assert {folder.name for folder in FOLDER.iterdir() if folder.is_dir()} == set(TYPES)
