"""R-STREAM: a page says what is a receipt and what a newsletter, and which may have a sender."""

from flask import Flask

from kartramail.rules.notification_types import NOTIFICATION_TYPES, Recipient
from tests.senders.reading import text_of
from tests.support.cast import Actor


def test_every_type_of_the_interface_is_there() -> None:
    names = {kind.name for kind in NOTIFICATION_TYPES}
    assert len(names) == len(NOTIFICATION_TYPES) == 21
    assert {"form.confirm", "product.receipt", "team.ticket", "affiliate.commission"} <= names


def test_whoever_may_not_choose_is_told_why() -> None:
    """R-ASSET: cancellations, and what goes to the team or to affiliates, have a fixed sender."""
    for kind in NOTIFICATION_TYPES:
        is_fixed = kind.recipient is not Recipient.CONTACT or kind.name == "calendar.cancelled"
        assert kind.may_override_sender is not is_fixed
        assert bool(kind.why_fixed) is is_fixed


def test_the_page_explains_and_lists_all(app: Flask, alice: Actor) -> None:
    words = text_of(alice.get("/help/streams"))
    assert "no unsubscribe link" in words
    for kind in NOTIFICATION_TYPES:
        assert kind.name in words
        assert kind.title in words


def test_help_leads_there(alice: Actor) -> None:
    assert 'href="/help/streams"' in alice.get("/help").get_data(as_text=True)
