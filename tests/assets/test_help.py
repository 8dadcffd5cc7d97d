"""R-STREAM: a page says what is a receipt and what a newsletter, and which may have a sender."""

from flask import Flask

from kartramail.assets.kinds import TYPES, Recipient
from tests.senders.reading import text_of
from tests.support.cast import Actor


def test_whoever_may_not_choose_is_told_why() -> None:
    """R-ASSET: cancellations, and what goes to the team or to affiliates, have a fixed sender."""
    for one in TYPES.values():
        is_fixed = one.recipient is not Recipient.CONTACT or one.name == "calendar.cancelled"
        assert one.may_override_sender is not is_fixed
        assert one.may_override_text is not is_fixed
        assert bool(one.why_fixed) is is_fixed
        assert bool(one.why_text_fixed) is is_fixed


def test_the_page_explains_and_lists_all(app: Flask, alice: Actor) -> None:
    words = text_of(alice.get("/help/streams"))
    assert "no unsubscribe link" in words
    for one in TYPES.values():
        assert one.name in words
        assert one.title in words
        assert one.why_fixed in words


def test_help_leads_there(alice: Actor) -> None:
    assert 'href="/help/streams"' in alice.get("/help").get_data(as_text=True)
