"""The mails of these pages: text and HTML say the same, and nothing typed becomes markup."""

import pytest
from flask import Flask, render_template
from flask.testing import FlaskClient

from kartramail.installation import Installation
from kartramail.outbox.models import Message
from kartramail.senders.proof_requests import ask_for_proof
from tests.onboarding.test_sign_up import sign_up
from tests.support.cast import Actor
from tests.support.mailbox import mails_to

LINK = "https://mail.doeinc.com/confirm/abc"
VARIABLES = {
    "business_name": "<b>Doe</b> & {{ 7*7 }}",
    "full_name": "Jane",
    "inviter": "<i>Alice</i>",
    "role": "member",
    "email": "jane@doeinc.com",
    "link": LINK,
    "forgot_link": "https://mail.doeinc.com/forgot",
}
MAILS = [
    "confirm_signup",
    "already_registered",
    "reset_password",
    "join_team",
    "password_changed",
]


@pytest.mark.parametrize("mail", MAILS)
def test_both_parts_hold_the_link_and_escape_what_was_typed(app: Flask, mail: str) -> None:
    with app.test_request_context():
        subject = render_template(f"mail/{mail}/subject.txt", **VARIABLES)
        text = render_template(f"mail/{mail}/body.txt", **VARIABLES)
        html = render_template(f"mail/{mail}/body.html", **VARIABLES)
    assert "\n" not in subject.strip()
    assert LINK in text
    assert html.count(LINK) >= 2
    assert "<b>Doe" not in html
    assert "<i>Alice" not in html
    assert "49" not in subject + text
    assert "&lt;" not in text


def mail_of(app: Flask, message: Message) -> tuple[str, str]:
    """Subject, and both parts together."""
    with app.test_request_context():
        subject, text, html = (
            render_template(f"mail/{message.template}/{part}", **(message.variables or {}))
            for part in ("subject.txt", "body.txt", "body.html")
        )
    return subject, text + html


SPAM = "You won: claim at evil.com, before the end of the day, or it is gone"


def test_a_sign_up_is_no_way_to_mail_words_to_strangers(
    app: Flask, client: FlaskClient, installation: Installation
) -> None:
    """R-SAFE: whoever signs up chooses the words and the address."""
    sign_up(client, email="stranger@doeinc.com", business_name=SPAM, full_name=SPAM)
    (mail,) = mails_to(installation, "stranger@doeinc.com")
    subject, body = mail_of(app, mail)
    assert subject.strip() == "Confirm your address"
    assert "You won: claim at evil. com" in body
    assert "evil.com" not in body
    assert "gone" not in body


def test_nor_is_an_invitation(app: Flask, alice: Actor, installation: Installation) -> None:
    alice.post("/settings/profile/name", {"full_name": SPAM})
    alice.post("/settings/account", {"business_name": SPAM, "time_zone": "UTC", "version": "1"})
    alice.post("/settings/team", {"email": "stranger@doeinc.com", "role": "member"})
    (mail,) = mails_to(installation, "stranger@doeinc.com")
    subject, body = mail_of(app, mail)
    assert "won" not in subject
    assert body.count("You won: claim at evil. com") == 4  # who, and to what, in both parts
    assert "evil.com" not in body
    assert "gone" not in body


def test_nor_is_the_question_to_a_mailbox(
    app: Flask, alice: Actor, installation: Installation
) -> None:
    alice.post("/settings/account", {"business_name": SPAM, "time_zone": "UTC", "version": "1"})
    with installation.db.transaction() as session:
        ask_for_proof(
            session,
            alice.account_id,
            "stranger@doeinc.com",
            user_id=alice.user_id,
            base_url="https://mail.doeinc.com",
        )
    (mail,) = mails_to(installation, "stranger@doeinc.com")
    subject, body = mail_of(app, mail)
    assert subject.strip() == "May somebody send mail as stranger@doeinc.com?"
    assert "evil. com" in body
    assert "evil.com" not in body
    assert "gone" not in body
