"""R-GLOBAL, R-SAMPLE: “Send me a sample” sends the words of the editor from the real sender."""

import pytest
from flask import Flask
from sqlmodel import select

from kartramail import create_app
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.installation import Installation
from kartramail.outbox.contents import load_contents
from kartramail.outbox.models import Message, ResolvedSender, SourceKind
from tests.assets.editing import ASKED_BY_PAGE, BOOKED, of_one, setting_of, typed, value_of
from tests.senders.further import add, choose_everywhere
from tests.senders.reading import text_of
from tests.support.cast import Actor, make_alice
from tests.support.events import add_asset

SAMPLE = f"{BOOKED}/sample"


def samples(db: Database) -> list[Message]:
    with db.reading() as session:
        statement = select(Message).where(Message.source_kind == SourceKind.SAMPLE)
        return list(session.exec(statement))


def test_it_goes_to_who_pressed_with_the_words_as_they_are_typed(
    alice: Actor, bob: Actor, db: Database
) -> None:
    fields = typed(db, alice, subject="Typed {{ contact.first_name }}")
    assert bob.post(SAMPLE, fields, headers=ASKED_BY_PAGE).status_code == 200
    (sent,) = samples(db)
    assert (sent.to_addr, sent.type, sent.asset_id) == (bob.email, "calendar.booked", None)
    assert (sent.variables or {})["contact"]["first_name"] == "Jane"
    with db.reading() as session:
        (words,) = load_contents(session, {sent.content_id or 0}).values()
    assert words[0] == "Typed {{ contact.first_name }}"
    assert words[1] and words[2], "with a text part, as it really goes out"
    assert setting_of(db, alice).version == 0, "nothing is saved by it"


def test_it_comes_from_the_sender_that_would_really_be_used(alice: Actor, db: Database) -> None:
    choose_everywhere(db, alice.account_id, add(db, alice.account_id), "calendar.booked")
    alice.post(SAMPLE, typed(db, alice), headers=ASKED_BY_PAGE)
    (sent,) = samples(db)
    with db.reading() as session:
        resolved = session.get(ResolvedSender, sent.resolved_id)
    assert resolved is not None
    assert resolved.send_from == "support@doeinc.com"


def test_that_of_one_calendar_says_which(alice: Actor, db: Database) -> None:
    calendar = add_asset(db, alice.account_id, "calendar", "First consultation")
    alice.post(f"{of_one(calendar)}/sample", typed(db, alice), headers=ASKED_BY_PAGE)
    (sent,) = samples(db)
    assert sent.asset_id == calendar
    assert (sent.variables or {})["asset"] == {"name": "First consultation"}


def test_its_progress_is_followed_in_place(alice: Actor, db: Database) -> None:
    answer = alice.post(SAMPLE, typed(db, alice), headers=ASKED_BY_PAGE)
    assert "On its way" in text_of(answer)
    assert 'hx-get="/settings/integrations/kartramail/progress/' in answer.text


def test_without_javascript_the_form_comes_back_as_it_was(alice: Actor, db: Database) -> None:
    page = alice.post(SAMPLE, typed(db, alice, subject="Typed"))
    assert page.status_code == 200
    assert value_of(page, "subject") == "Typed"
    assert "On its way" in text_of(page)
    look = page.text.partition('name="look" value="')[2].partition('"')[0]
    again = alice.post(SAMPLE, typed(db, alice, subject="Typed") | {"look": look})
    assert value_of(again, "subject") == "Typed"
    assert len(samples(db)) == 1, "looking sends nothing"


def test_a_press_elsewhere_sends_what_is_saved(alice: Actor, db: Database) -> None:
    alice.post(BOOKED, typed(db, alice, subject="Saved"))
    page = alice.post(SAMPLE)
    assert value_of(page, "subject") == "Saved"
    with db.reading() as session:
        (words,) = load_contents(session, {samples(db)[0].content_id or 0}).values()
    assert words[0] == "Saved"


@pytest.mark.parametrize("headers", [ASKED_BY_PAGE, {}])
def test_words_that_could_not_be_sent_are_not(
    alice: Actor, db: Database, headers: dict[str, str]
) -> None:
    answer = alice.post(SAMPLE, typed(db, alice, html="{{ nothing }}"), headers=headers)
    assert "No sample was sent" in text_of(answer)
    assert not samples(db)


def test_it_is_limited_in_rate(settings: Settings) -> None:
    limited = create_app(settings.model_copy(update={"rate_limits": True}))
    alice = make_alice(limited)
    installation: Installation = limited.extensions["kartramail"]
    fields = typed(installation.db, alice)
    answers = [alice.post(SAMPLE, fields, headers=ASKED_BY_PAGE) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [422]
    assert "You have sent several just now." in text_of(answers[-1])
    installation.db.dispose()


def test_it_needs_a_token_and_somebody_signed_in(app: Flask, alice: Actor, db: Database) -> None:
    fields = typed(db, alice)
    assert alice.client.post(SAMPLE, data=fields).status_code == 422
    assert app.test_client().post(SAMPLE, data=fields).status_code == 401
    assert not samples(db)


def test_nobody_looks_at_a_sample_of_another_account(
    alice: Actor, charlie: Actor, db: Database
) -> None:
    page = alice.post(SAMPLE, typed(db, alice))
    look = page.text.partition('name="look" value="')[2].partition('"')[0]
    answer = charlie.post(SAMPLE, typed(db, charlie) | {"look": look}, headers=ASKED_BY_PAGE)
    assert "That message is gone." in text_of(answer)
