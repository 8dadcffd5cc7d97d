"""The registry of kinds and notifications: complete, sound, and one entry is enough for a new one.

R-ASSET, R-GLOBAL, R-EVENT.
"""

import re
from pathlib import Path

import pytest

from kartramail.assets import defaults, kinds
from kartramail.assets.kinds import (
    KINDS,
    TYPES,
    Kind,
    NotificationType,
    Recipient,
    Variable,
    example_variables,
    fires,
    known_names,
    types_for,
    types_of,
)
from kartramail.assets.service import create_asset
from kartramail.config import ROOT
from kartramail.db import Database
from kartramail.installation import Installation
from kartramail.messages.words import judge_words
from kartramail.outbox.contents import load_contents
from tests.support.cast import Actor
from tests.support.events import fire
from tests.support.outbox import messages

# The words of the interface, which are promises.
PROMISED = (
    "form.signed_up form.confirm survey.completed calendar.booked calendar.reminder "
    "calendar.cancelled webinar.booked webinar.reminder membership.welcome "
    "membership.post_unlocked product.receipt product.refund product.payment_failed "
    "product.subscription_cancelled helpdesk.ticket_received helpdesk.reply team.sale "
    "team.booking team.ticket affiliate.approved affiliate.commission"
)
KIND_NAMES = "product form survey calendar webinar membership helpdesk page"


def test_every_type_and_kind_of_the_interface_is_there() -> None:
    assert set(TYPES) == set(PROMISED.split())
    assert set(KINDS) == set(KIND_NAMES.split())


def test_the_keys_are_the_names() -> None:
    assert all(one.name == name for name, one in TYPES.items())
    assert all(kind.name == name for name, kind in KINDS.items())
    assert all(len(name) <= 64 for name in TYPES)


def test_recipients_follow_the_category() -> None:
    recipients = {"team": Recipient.TEAM, "affiliate": Recipient.AFFILIATE}
    for one in TYPES.values():
        assert one.recipient is recipients.get(one.category, Recipient.CONTACT)


def test_a_kind_sends_its_own_and_what_all_send() -> None:
    assert fires("calendar", "calendar.booked")
    assert fires("page", "form.confirm")
    assert fires("survey", "team.sale")
    assert fires("form", "affiliate.approved")
    assert not fires("form", "calendar.booked")
    assert not fires("quiz", "team.sale")
    assert not fires("calendar", "calendar.nothing")


def test_reminders_are_of_the_same_category() -> None:
    """R-EVENT: a booking schedules the reminder, a cancellation takes it away."""
    scheduling = {one.name: one.reminder for one in TYPES.values() if one.reminder}
    cancelling = {one.name: one.cancels for one in TYPES.values() if one.cancels}
    assert scheduling == {
        "calendar.booked": "calendar.reminder",
        "webinar.booked": "webinar.reminder",
    }
    assert cancelling == {"calendar.cancelled": "calendar.reminder"}


def test_every_icon_is_drawn() -> None:
    shapes = (ROOT / "templates/_macros/icons.html").read_text()
    assert all(f"'{kind.icon}': " in shapes for kind in KINDS.values())


@pytest.mark.parametrize("one", TYPES.values(), ids=lambda one: one.name)
def test_each_variable_has_a_meaning_and_an_example_of_its_own(one: NotificationType) -> None:
    names = [variable.name for variable in one.variables]
    assert names
    assert len(set(names)) == len(names)
    assert not {"contact", "business", "asset", "event", "now", "today"} & set(names)
    assert all(re.fullmatch("[a-z_]+", name) for name in names)
    assert all(variable.meaning and variable.example for variable in one.variables)


@pytest.mark.parametrize("one", TYPES.values(), ids=lambda one: one.name)
def test_examples_fill_every_known_name(one: NotificationType) -> None:
    values = example_variables(one, business_name="Doe Inc.", asset_name="Advice")
    for name in known_names(one):
        found = values
        for step in name.removesuffix(".*").split("."):
            found = found[step]
    assert values["business"] == {"name": "Doe Inc."}
    assert values["asset"] == {"name": "Advice"}


QUIZ = Kind(
    "quiz",
    "Quiz",
    "Quizzes",
    "survey",
    "Which plant suits you?",
    (
        NotificationType(
            "quiz.passed",
            "Quiz passed",
            "When somebody has passed",
            (Variable("score", "How many were right", "9 of 10"),),
        ),
    ),
)


@pytest.fixture
def quiz(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> NotificationType:
    """What adding a kind is: one more entry in the registry, and its templates."""
    for folder in defaults.FOLDER.iterdir():
        (tmp_path / folder.name).symlink_to(folder)
    (tmp_path / "quiz.passed").mkdir()
    (tmp_path / "quiz.passed/subject.txt").write_text("Passed: {{ asset.name }}\n")
    (tmp_path / "quiz.passed/body.html").write_text("<p>You had {{ score }} right.</p>\n")
    (tmp_path / "quiz.passed/preview.html").write_text("{{ score }} right.\n")
    monkeypatch.setattr(defaults, "FOLDER", tmp_path)
    monkeypatch.setitem(kinds.KINDS, "quiz", QUIZ)  # type: ignore[arg-type]
    for name, one in types_of([QUIZ]).items():
        monkeypatch.setitem(kinds.TYPES, name, one)  # type: ignore[arg-type]
    return TYPES["quiz.passed"]


def test_a_quiz_is_one_entry_and_its_templates(
    quiz: NotificationType, installation: Installation, db: Database, alice: Actor
) -> None:
    assert types_for("quiz")[0] is quiz
    subject, text, html = defaults.default_source("quiz.passed")
    examples = example_variables(quiz, business_name="Doe Inc.", asset_name="Plants")
    assert judge_words(subject, html, text, known_names(quiz), examples) == []
    with db.transaction() as session:
        plants = create_asset(session, alice.account_id, "quiz", "Plants").id
    sent = {"score": "7 of 10"}
    fire(installation, alice.account_id, plants, "quiz.passed", variables=sent)
    (message,) = messages(db)
    assert message.variables is not None
    assert message.variables["score"] == "7 of 10"
    assert message.content_id is not None
    with db.reading() as session:
        words = load_contents(session, {message.content_id})[message.content_id]
    assert words[0] == "Passed: {{ asset.name }}"
    assert "You had {{ score }} right." in (words[1] or "")
    assert "Quiz passed" in alice.get("/help/streams").text
