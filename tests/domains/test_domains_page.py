"""R-ONBOARD: the domain step leads to a page that says what comes."""

from tests.senders.reading import EDIT, text_of
from tests.support.cast import Actor

PAGE = "/settings/domains"


def test_it_says_what_comes_and_that_mail_goes_out_meanwhile(alice: Actor) -> None:
    words = text_of(alice.get(PAGE))
    assert "Not available in this version yet" in words
    assert "three" in words
    assert "delivered all the same" in words
    assert "alice@doeinc.com" in words


def test_it_shows_the_sender_that_is_really_used(alice: Actor) -> None:
    alice.post(
        EDIT, {"sender_name": "Doe", "send_from": "a@doeinc.com", "reply_to": "a@doeinc.com"}
    )
    assert "doe-inc@kartra.com" in text_of(alice.get(PAGE))
