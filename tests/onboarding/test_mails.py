"""The mails of these pages: text and HTML say the same, and nothing typed becomes markup."""

import pytest
from flask import Flask, render_template

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
