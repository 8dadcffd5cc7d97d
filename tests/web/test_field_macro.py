"""One field macro serves the page, the keystroke and the save (R-LIVE, R-A11Y)."""

import re
from pathlib import Path
from types import ModuleType

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from wtforms import Form, PasswordField, StringField

from kartramail.rules.verdict import OK, Status, Verdict

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
OTHER_DOMAIN = Verdict(
    Status.ERROR, "different_domain", "support@other.com is elsewhere.", "support@doeinc.com"
)


class SenderForm(Form):  # type: ignore[misc]
    reply_to = StringField("Reply-to address")
    password = PasswordField("Password")


@pytest.fixture(scope="module")
def forms() -> ModuleType:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["csrf_token"] = lambda: "token"
    return environment.get_template("_macros/forms.html").module  # type: ignore[return-value]


@pytest.fixture
def form() -> SenderForm:
    return SenderForm(data={"reply_to": "support@other.com"})


def words(html: str) -> str:
    """What is left to read."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_label_names_the_input_and_the_message_describes_it(
    forms: ModuleType, form: SenderForm
) -> None:
    html = forms.field(form.reply_to, help="Where replies go.")

    assert 'for="reply_to"' in html
    assert 'aria-describedby="reply_to-message"' in html
    assert 'id="reply_to-message" role="status" aria-live="polite"' in html
    assert "Where replies go." in html
    assert "aria-invalid" not in html


def test_an_error_takes_the_place_of_the_help(forms: ModuleType, form: SenderForm) -> None:
    html = forms.field(form.reply_to, help="Where replies go.", verdict=OTHER_DOMAIN)

    assert "Where replies go." not in html
    assert "Error: support@other.com is elsewhere." in words(html)
    assert 'aria-invalid="true"' in html


def test_a_warning_does_not_make_the_field_invalid(forms: ModuleType, form: SenderForm) -> None:
    html = forms.field(form.reply_to, verdict=Verdict(Status.WARNING, "x", "Not proven yet."))

    assert "Warning: Not proven yet." in words(html)
    assert "aria-invalid" not in html


def test_what_is_fine_keeps_its_help(forms: ModuleType, form: SenderForm) -> None:
    assert "Fine: Where replies go." in words(
        forms.field(form.reply_to, help="Where replies go.", verdict=OK)
    )


def test_an_error_of_the_form_outweighs_a_mild_verdict(forms: ModuleType, form: SenderForm) -> None:
    form.reply_to.errors = ["Write an address."]

    assert "Error: Write an address." in words(forms.field(form.reply_to, verdict=OK))


def test_a_suggestion_works_with_and_without_the_script(
    forms: ModuleType, form: SenderForm
) -> None:
    html = forms.field(form.reply_to, verdict=OTHER_DOMAIN)
    button = re.search(r"<button[^>]*>", html)

    assert button
    assert 'type="submit"' in button[0]
    assert 'name="use_reply_to" value="support@doeinc.com"' in button[0]
    assert 'data-suggest-for="reply_to" data-suggest-value="support@doeinc.com"' in button[0]
    assert "Use support@doeinc.com" in html


def test_a_live_field_asks_while_typing_and_on_leaving(forms: ModuleType, form: SenderForm) -> None:
    html = forms.field(form.reply_to, live="/check/reply_to")

    assert 'hx-post="/check/reply_to"' in html
    assert 'hx-trigger="input changed delay:300ms, blur changed"' in html
    assert 'hx-sync="this:replace"' in html
    assert 'hx-target="#reply_to-message"' in html


def test_no_password_travels_with_a_keystroke(forms: ModuleType, form: SenderForm) -> None:
    html = forms.field(form.reply_to, live="/check/reply_to")

    assert 'hx-params="not password,new_password,current_password"' in html


def test_the_fragment_is_the_inside_of_the_line(forms: ModuleType, form: SenderForm) -> None:
    page = forms.field(form.reply_to, help="Where replies go.", verdict=OTHER_DOMAIN)

    assert forms.message("reply_to", OTHER_DOMAIN, "Where replies go.") in page


def test_another_field_is_told_out_of_band(forms: ModuleType) -> None:
    html = forms.message_beside("reply_to", OTHER_DOMAIN)

    assert html.startswith('<div id="reply_to-message" hx-swap-oob="innerHTML">')


def test_another_fields_message_says_which_value_it_is_about(forms: ModuleType) -> None:
    html = forms.message_beside("reply_to", OTHER_DOMAIN, judged='"><b>@doeinc.com')

    assert 'data-judged="&#34;&gt;&lt;b&gt;@doeinc.com"' in html


def test_a_field_names_those_that_its_verdict_hangs_on(forms: ModuleType, form: SenderForm) -> None:
    html = forms.field(form.reply_to, live="/check/reply_to", judged_with="send_from")

    assert 'data-judged-with="send_from"' in html


def test_a_look_up_follows_in_a_request_of_its_own(forms: ModuleType) -> None:
    html = forms.message("reply_to", OK, "Where replies go.", follow="/check/reply_to/mail")

    assert 'hx-post="/check/reply_to/mail" hx-trigger="load"' in html
    assert 'hx-sync="#reply_to:replace"' in html


def test_hostile_words_stay_words(forms: ModuleType) -> None:
    hostile = '"><script>alert(1)</script>'
    form = SenderForm(data={"reply_to": hostile})
    html = forms.field(
        form.reply_to, help=hostile, verdict=Verdict(Status.ERROR, "x", hostile, hostile)
    )

    assert "<script" not in html


def test_a_password_is_never_sent_back(forms: ModuleType) -> None:
    form = SenderForm(data={"password": "correct horse"})

    assert "correct horse" not in forms.password_field(form.password)
