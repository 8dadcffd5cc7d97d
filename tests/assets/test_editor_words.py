"""R-GLOBAL, R-VARS: the words of a notification are edited, judged and saved."""

import pytest

from kartramail.assets.kinds import TYPES
from kartramail.assets.settings import words_to_send
from kartramail.db import Database
from kartramail.installation import Installation
from tests.assets.editing import (
    BOOKED,
    LIST,
    message_of,
    of_one,
    setting_of,
    tree_of,
    typed,
    value_of,
)
from tests.senders.reading import text_of
from tests.support.cast import Actor
from tests.support.events import add_asset, fire, in_hours

HTML = "<p>Hello {{ contact.first_name }},</p>\n<p>see you {{ starts_at }}.</p>"


def test_the_editor_opens_with_what_is_sent_now(alice: Actor, db: Database) -> None:
    page = alice.get(BOOKED)
    assert value_of(page, "subject") == setting_of(db, alice).subject
    assert "Your booking is confirmed" in value_of(page, "html")
    assert value_of(page, "version") == "0"


def test_styles_stand_below_the_words(alice: Actor) -> None:
    """Who opens the editor came for the words."""
    html = value_of(alice.get(BOOKED), "html")
    assert html.index("Your booking is confirmed") < html.index("<style>")


def test_what_was_typed_is_saved_and_sent(alice: Actor, db: Database) -> None:
    answer = alice.post(BOOKED, typed(db, alice, subject="See you soon", html=HTML))
    assert (answer.status_code, answer.location) == (303, BOOKED)
    assert "Saved. Booking confirmed has your words." in text_of(alice.get(BOOKED))
    with db.reading() as session:
        words = words_to_send(session, alice.account_id, None, TYPES["calendar.booked"])
    assert words is not None
    subject, text, html = words
    assert subject == "See you soon"
    assert "see you {{ starts_at }}." in (html or "")
    assert "see you {{ starts_at }}." in (text or ""), "the text follows the HTML"


def test_what_was_not_touched_goes_on_being_inherited(alice: Actor, db: Database) -> None:
    alice.post(BOOKED, typed(db, alice, subject="See you soon"))
    assert setting_of(db, alice).inherited >= {"html", "text", "enabled", "sender"}


def test_saving_what_stands_there_changes_nothing(alice: Actor, db: Database) -> None:
    fields = {name: value.replace("\n", "\r\n") for name, value in typed(db, alice).items()}
    assert alice.post(BOOKED, fields).status_code == 303
    assert setting_of(db, alice).inherited >= {"subject", "html", "text"}
    assert setting_of(db, alice).version == 0


def test_a_text_of_its_own_is_kept(alice: Actor, db: Database) -> None:
    alice.post(BOOKED, typed(db, alice, html=HTML, text="Just this."))
    assert setting_of(db, alice).text == "Just this."
    alice.post(BOOKED, typed(db, alice, text=""))
    assert setting_of(db, alice).text is None


def test_a_mail_may_be_text_alone(alice: Actor, db: Database) -> None:
    assert alice.post(BOOKED, typed(db, alice, html="", text="Just this.")).status_code == 303
    with db.reading() as session:
        words = words_to_send(session, alice.account_id, None, TYPES["calendar.booked"])
    assert words is not None
    assert words[1:] == ("Just this.", None)


def test_it_refuses_a_mail_without_words(alice: Actor, db: Database) -> None:
    answer = alice.post(BOOKED, typed(db, alice, html=" ", text=""))
    assert answer.status_code == 422
    assert "A mail needs words" in message_of(answer, "html")


def test_it_refuses_a_mail_without_a_subject(alice: Actor, db: Database) -> None:
    answer = alice.post(BOOKED, typed(db, alice, subject="  "))
    assert answer.status_code == 422
    assert "without a subject" in message_of(answer, "subject")


def test_it_refuses_an_unknown_variable_with_its_line_and_what_was_meant(
    alice: Actor, db: Database
) -> None:
    html = "<p>Hello</p>\n<p>{{ contact.frist_name }}</p>"
    answer = alice.post(BOOKED, typed(db, alice, html=html))
    assert answer.status_code == 422
    assert "line 2" in message_of(answer, "html")
    assert "Use contact.first_name" in message_of(answer, "html")
    assert value_of(answer, "html") == html, "nothing typed is lost"
    assert setting_of(db, alice).version == 0


@pytest.mark.parametrize(
    ("html", "line"),
    [
        ("<p>\n{% if place %}\n</p>", "line 2"),
        ("<p>{{ place </p>", "line 1"),
        ("\n\n{% for a in (1..1000000000) %}x{% endfor %}", "line 3"),
    ],
)
def test_it_refuses_a_broken_or_endless_template_with_its_line(
    alice: Actor, db: Database, html: str, line: str
) -> None:
    answer = alice.post(BOOKED, typed(db, alice, html=html))
    assert answer.status_code == 422
    assert line in message_of(answer, "html")


def test_a_suggestion_is_taken_without_javascript_and_saves_nothing(
    alice: Actor, db: Database
) -> None:
    html = "<p>frist {{ contact.frist }} {% if contact.frist %}!{% endif %}</p>"
    pressed = {"rename": "html:contact.frist:contact.first_name"}
    answer = alice.post(BOOKED, typed(db, alice, html=html) | pressed)
    assert value_of(answer, "html") == (
        "<p>frist {{ contact.first_name }} {% if contact.first_name %}!{% endif %}</p>"
    )
    assert setting_of(db, alice).version == 0


def test_a_fault_offers_that_very_press(alice: Actor, db: Database) -> None:
    answer = alice.post(BOOKED, typed(db, alice, text="Hello {{ contact.frist_name }}"))
    (button,) = tree_of(answer).xpath("//button[@name='rename']")
    assert button.get("value") == "text:contact.frist_name:contact.first_name"


def test_what_may_not_stand_in_a_mail_is_taken_out(alice: Actor, db: Database) -> None:
    """R-SAFE"""
    alice.post(BOOKED, typed(db, alice, html="<p onclick='x()'>Hi</p><script>alert(1)</script>"))
    assert (setting_of(db, alice).html or "").strip() == "<p>Hi</p>"


def test_one_field_returns_to_ours_and_the_others_keep_what_was_typed(
    alice: Actor, db: Database
) -> None:
    ours = setting_of(db, alice).subject
    alice.post(BOOKED, typed(db, alice, subject="Mine", html=HTML))
    fields = typed(db, alice, text="Not saved yet") | {"return": "subject"}
    answer = alice.post(BOOKED, fields)
    assert value_of(answer, "subject") == ours
    assert value_of(answer, "text") == "Not saved yet"
    now = setting_of(db, alice)
    assert ("subject" in now.inherited, "html" in now.inherited) == (True, False)
    assert value_of(answer, "version") == str(now.version), "the next save is no conflict"


def test_all_of_it_is_reset_and_can_be_brought_back(alice: Actor, db: Database) -> None:
    alice.post(BOOKED, typed(db, alice, subject="Mine", html=HTML))
    assert "Reset to our words?" in alice.get(BOOKED).text, "it asks before"
    answer = alice.post(f"{BOOKED}/reset")
    assert answer.status_code == 303
    assert setting_of(db, alice).inherited >= {"subject", "html", "text"}
    after = alice.get(answer.location)
    assert "Reset to our words?" not in after.text
    (link,) = tree_of(after).xpath("//a[contains(@href, 'resume=')]")
    back = alice.get(link.get("href"))
    assert value_of(back, "subject") == "Mine"
    assert alice.post(BOOKED, typed(db, alice, subject="Mine", html=HTML)).status_code == 303
    assert setting_of(db, alice).subject == "Mine"


def test_it_says_what_a_change_touches(alice: Actor, db: Database) -> None:
    """R-IMPACT"""
    assert "Nothing of yours uses this yet." in text_of(alice.get(BOOKED))
    first = add_asset(db, alice.account_id, "calendar", "First")
    assert "1 calendar uses this." in text_of(alice.get(BOOKED))
    add_asset(db, alice.account_id, "calendar", "Second")
    alice.post(of_one(first), typed(db, alice, subject="Its own"))
    words = text_of(alice.get(BOOKED))
    assert "1 calendar uses this; 1 has words of its own and stays as it is." in words


def test_it_counts_the_reminders_that_wait(
    alice: Actor, db: Database, installation: Installation
) -> None:
    """R-IMPACT: they say what holds when their time has come."""
    calendar = add_asset(db, alice.account_id)
    fire(installation, alice.account_id, calendar, "calendar.booked", starts_at=in_hours(48))
    words = "1 reminder that waits for its time will say what you save here."
    assert words in text_of(alice.get(f"{LIST}/calendar.reminder"))
    assert words in text_of(alice.get(of_one(calendar, "calendar.reminder")))
    assert words not in text_of(alice.get(BOOKED))


def test_variables_are_at_hand_with_meaning_and_example(alice: Actor) -> None:
    words = text_of(alice.get(BOOKED))
    assert '{{ contact.first_name | default: "there" }}' in words
    assert "Where it is 12 Market Street, first floor {{ place }}" in words


def test_one_that_is_off_says_so(alice: Actor) -> None:
    alice.post(f"{BOOKED}/switch", {"enabled": "off"})
    assert "It is switched off, so nobody gets it." in text_of(alice.get(BOOKED))
