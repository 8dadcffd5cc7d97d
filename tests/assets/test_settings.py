"""What holds for a notification: field by field from asset, account, our words (R-ASSET)."""

from typing import Any

from kartramail.assets.defaults import default_source, default_words
from kartramail.assets.kinds import TYPES, types_for
from kartramail.assets.settings import (
    EffectiveSetting,
    change_setting,
    load_setting,
    load_settings,
    words_to_send,
)
from kartramail.db import Database
from kartramail.outbox.contents import Words
from tests.support.cast import Actor
from tests.support.events import add_asset
from tests.support.statements import Statement, heard

BOOKED = TYPES["calendar.booked"]
ALL = {"enabled", "subject", "html", "text", "sender"}


def put(db: Database, account_id: int, asset_id: int | None, **changes: Any) -> EffectiveSetting:
    with db.transaction() as session:
        after = change_setting(session, account_id, asset_id, BOOKED, changes, user_id=None)
    assert isinstance(after, EffectiveSetting)
    return after


def sent(db: Database, account_id: int, asset_id: int | None) -> Words | None:
    with db.reading() as session:
        return words_to_send(session, account_id, asset_id, BOOKED)


def test_without_any_setting_ours_hold(db: Database, alice: Actor) -> None:
    calendar = add_asset(db, alice.account_id)
    with db.reading() as session:
        setting = load_setting(session, alice.account_id, calendar, BOOKED)
    subject, text, html = default_source(BOOKED.name)
    assert (setting.subject, setting.text, setting.html) == (subject, text, html)
    assert setting.enabled
    assert setting.inherited == ALL
    assert set(setting.inherited_from.values()) == {"defaults"}
    assert (setting.sender_id, setting.version) == (None, 0)
    assert sent(db, alice.account_id, calendar) == default_words(BOOKED.name)


def test_each_field_comes_from_the_nearest_place(db: Database, alice: Actor) -> None:
    calendar = add_asset(db, alice.account_id)
    put(db, alice.account_id, None, subject="Everywhere", text="Everywhere {{ place }}")
    own = put(db, alice.account_id, calendar, subject="Here")
    assert own.subject == "Here"
    assert own.text == "Everywhere {{ place }}"
    assert own.html == default_source(BOOKED.name)[2]
    assert own.inherited == ALL - {"subject"}
    assert dict(own.inherited_from) == {
        "enabled": "defaults",
        "text": "everywhere",
        "html": "defaults",
        "sender": "defaults",
    }
    words = sent(db, alice.account_id, calendar)
    assert words is not None
    assert words[:2] == ("Here", "Everywhere {{ place }}")
    assert words[2] == default_words(BOOKED.name)[2]


def test_another_asset_is_untouched(db: Database, alice: Actor) -> None:
    calendar, other = (add_asset(db, alice.account_id) for _ in range(2))
    put(db, alice.account_id, calendar, subject="Here")
    assert sent(db, alice.account_id, other) == default_words(BOOKED.name)


def test_text_is_made_from_the_html_of_the_same_place(db: Database, alice: Actor) -> None:
    """A text from above would say something else than the HTML beside it."""
    calendar = add_asset(db, alice.account_id)
    put(db, alice.account_id, None, text="Words of everywhere")
    own = put(db, alice.account_id, calendar, html="<p>See you at {{ place }}</p>")
    assert own.text is None
    assert own.inherited_from["text"] == "html"
    words = sent(db, alice.account_id, calendar)
    assert words is not None
    _, text, html = words
    assert text == "See you at {{ place }}"
    assert "<p>See you at {{ place }}</p>" in (html or "")


def test_text_of_the_accounts_html_is_inherited_with_it(db: Database, alice: Actor) -> None:
    calendar = add_asset(db, alice.account_id)
    put(db, alice.account_id, None, html="<p>Welcome</p>")
    own = put(db, alice.account_id, calendar, subject="Here")
    assert own.text is None
    assert own.inherited_from["text"] == own.inherited_from["html"] == "everywhere"
    words = sent(db, alice.account_id, calendar)
    assert words is not None
    assert words[1] == "Welcome"


def test_an_empty_html_makes_a_mail_of_text_alone(db: Database, alice: Actor) -> None:
    own = put(db, alice.account_id, None, html="", text="Only words")
    assert (own.html, own.text) == ("", "Only words")
    words = sent(db, alice.account_id, None)
    assert words is not None
    assert words[1:] == ("Only words", None)


def test_off_everywhere_is_off_unless_the_asset_says_otherwise(db: Database, alice: Actor) -> None:
    calendar, other = (add_asset(db, alice.account_id) for _ in range(2))
    put(db, alice.account_id, None, enabled=False)
    put(db, alice.account_id, other, enabled=True)
    assert sent(db, alice.account_id, calendar) is None
    assert sent(db, alice.account_id, other) is not None
    with db.reading() as session:
        setting = load_setting(session, alice.account_id, calendar, BOOKED)
    assert not setting.enabled
    assert setting.inherited_from["enabled"] == "everywhere"


def test_off_for_one_asset_only(db: Database, alice: Actor) -> None:
    calendar, other = (add_asset(db, alice.account_id) for _ in range(2))
    put(db, alice.account_id, calendar, enabled=False)
    assert sent(db, alice.account_id, calendar) is None
    assert sent(db, alice.account_id, other) is not None


def test_settings_of_another_account_count_for_nothing(
    db: Database, alice: Actor, charlie: Actor
) -> None:
    put(db, alice.account_id, None, subject="Alice's", enabled=False)
    assert sent(db, charlie.account_id, None) == default_words(BOOKED.name)


def test_a_page_of_settings_costs_two_queries(db: Database, alice: Actor) -> None:
    calendar = add_asset(db, alice.account_id)
    put(db, alice.account_id, None, subject="Everywhere")
    with heard(db) as asked, db.reading() as session:
        settings = load_settings(session, alice.account_id, calendar, types_for("calendar"))
    assert len(settings) == len(types_for("calendar"))
    assert queries(asked) == 2
    with heard(db) as asked:
        sent(db, alice.account_id, calendar)
    assert queries(asked) == 1


def queries(asked: list[Statement]) -> int:
    return sum(one.startswith("SELECT") for one, _ in asked)
