"""Hostile HTML takes less than a second and 50 MB, or is refused in our words (R-VARS, R-SAFE)."""

import pytest

from kartramail.adapters.mail_html import mail_of_html
from kartramail.adapters.template_limits import MAX_SOURCE
from kartramail.errors import TemplateError
from tests.support.measured import measured


def fill(unit: str, length: int = MAX_SOURCE) -> str:
    return (unit * (length // len(unit) + 1))[:length]


REFUSED = {
    "nested tags": fill("<div>"),
    "100,000 nested tags": "<b>" * 100_000,
    "nested tables": fill("<table><tr><td>"),
    "100,000 attributes": "<a " + "a " * 100_000 + ">",
    "attributes of all names": "<a " + " ".join(f"a{n}" for n in range(40_000)) + ">",
    "elements that are not closed": "".join(f"<font size={n}>" for n in range(90)) + "<p>" * 9000,
    "elements that end elsewhere": "".join(f"<div><font size={n}></div>" for n in range(9000)),
    "tags": fill("<br>"),
    "ampersands": fill("&"),
    "rules": "<style>" + fill("p{a:b}", 250_000) + "</style>" + "<p>x</p>" * 3000,
    "rules for all": "<style>"
    + "".join(f"*{{a{n}:b}}" for n in range(300))
    + "</style>"
    + "<p>x</p>" * 4000,
    "a rule that fills memory": "<style>.a{b:"
    + "x" * 100_000
    + "}</style>"
    + "<p class=a>x</p>" * 4000,
    "open braces": "<style>" + fill("{", 290_000),
    "media in media": "<style>" + fill("@media x{", 290_000),
    "too much": "x" * (MAX_SOURCE + 1),
}

HARMLESS = {
    "unclosed comments": fill("<!--"),
    "an unclosed comment": "<!--" + "x" * 299_000,
    "angle brackets": fill("<"),
    "unclosed quotes": fill('<a b="'),
    "unclosed quotes in a tag": "<a " + fill("b='", 299_000),
    "equal signs": "<a " + fill("=", 299_000),
    "entities": fill("&amp;"),
    "a long entity": "&" + "a" * 299_000,
    "words": fill("word "),
    "tags as many as there may be": fill("<br>", 39_900),
    "a value of addresses": "<a href=x title='" + fill("href=", 290_000) + "'>",
    "parentheses": "<p style='" + fill("a:(", 299_000) + "'>",
    "semicolons": "<p style='" + fill(";", 299_000) + "'>",
    "comments in CSS": "<style>" + fill("/*", 299_000),
    "quotes in CSS": "<style>" + fill("'", 299_000),
    "a long selector": "<style>" + "a>" * 100_000 + "a{b:c}</style>" + "<a>x</a>" * 3000,
    "a selector of classes": "<style>" + ".a" * 90_000 + "{b:c}</style>" + "<i class=a></i>" * 3000,
    "links": "<a href=x>y</a>" * 4900,
    "open items": "<ul>" + "<li>x" * 9000,
    "open cells": "<table><tr>" + "<td>x" * 9000,
    "line breaks": "<pre>" + "\n" * 200_000,
    "misnested": "<b><i>" * 40 + "</b>x</i>" * 300,
    "links around blocks": "<a>" * 90 + "<div>" * 5 + "</a>" * 4000,
    "a huge margin": "<p style='margin-top:99999em'>x" * 4000,
    "code": "{{x}}" * 4000,
    "links with code": "<a href='{{x}}'>x</a>" * 3900,
    "values with code": "<p title='{{x}}'>" * 3000,
    "code that is copied": "<style>.a{color:{{x}}}</style>" + "<p class=a>x</p>" * 2900,
}


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED)
def test_what_would_be_too_much_work_is_refused(source: str) -> None:
    cost = measured(mail_of_html, source)
    assert isinstance(cost.outcome, TemplateError)
    assert cost.seconds < 1
    assert cost.megabytes < 50


@pytest.mark.parametrize("source", HARMLESS.values(), ids=HARMLESS)
def test_what_is_only_odd_is_quick(source: str) -> None:
    cost = measured(mail_of_html, source)
    assert isinstance(cost.outcome, tuple | TemplateError)
    assert cost.seconds < 1
    assert cost.megabytes < 50


def test_an_honest_newsletter_is_far_from_the_bounds() -> None:
    row = "<tr><td class='a' style='padding:0'><p>Words for you</p></td><td><b>1</b></td></tr>"
    rules = "".join(f".c{n} p {{color:red;margin:{n}px}} " for n in range(200))
    source = f"<style>{rules} td{{padding:4px}}</style><table>{row * 800}</table>"
    page, text = mail_of_html(source)
    assert page.count("padding: 4px") == 800
    assert text.count("Words for you") == 800
