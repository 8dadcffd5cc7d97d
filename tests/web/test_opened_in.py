"""A form that was opened in one account is never saved into another (R-SAVE).

Charlie owns Your Company and is a member of Doe Inc.; in another tab he switches between them.
"""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from lxml import html
from werkzeug.test import TestResponse

from kartramail.accounts.api_keys import list_api_keys
from kartramail.accounts.models import Membership, Role
from kartramail.accounts.service import load_account
from kartramail.db import Database
from kartramail.ids import show_id
from kartramail.senders.service import load_gateway
from tests.senders.reading import CARD, EDIT, text_of, value_of
from tests.support.cast import Actor

ACCOUNT = "/settings/account"
NAMES_BOTH = "You are working in Doe Inc. now. This form was opened in Your Company."
TYPED = {"sender_name": "Typed in Your Company", "reply_to": "help@yourcompany.com"}


@pytest.fixture
def in_both(alice: Actor, charlie: Actor, db: Database) -> Actor:
    """Charlie, in his own account and in Alice's."""
    with db.transaction() as session:
        session.add(
            Membership(account_id=alice.account_id, user_id=charlie.user_id, role=Role.OWNER)
        )
    return charlie


@pytest.fixture
def switch(in_both: Actor, alice: Actor) -> Callable[[], None]:
    """Charlie goes to Doe Inc. in another tab."""

    def go() -> None:
        wanted = {"account": show_id(alice.account_id)}
        assert in_both.post("/account/switch", wanted).status_code == 303

    return go


def fields_of(page: TestResponse, which: str) -> dict[str, str]:
    """Everything that the browser would send with this form of the page."""
    tree = html.fromstring(page.get_data(as_text=True))
    form, *_ = tree.xpath(f"//form[{which}]")
    return {name: value or "" for name, value in form.form_values()}


def test_the_sender_of_the_other_account_is_left_alone(
    in_both: Actor, alice: Actor, db: Database, switch: Callable[[], None]
) -> None:
    opened = fields_of(in_both.get(EDIT), "@id='sender-form'")
    switch()
    page = in_both.client.post(EDIT, data=opened | TYPED)
    assert page.status_code == 409
    assert NAMES_BOTH in text_of(page)
    assert value_of(page, "sender_name") == "Typed in Your Company"
    assert value_of(page, "reply_to") == "help@yourcompany.com"
    with db.reading() as session:
        for account_id in (alice.account_id, in_both.account_id):
            assert load_gateway(session, account_id).version == 1


def test_the_way_out_leads_back_with_what_was_typed(
    in_both: Actor, alice: Actor, db: Database, switch: Callable[[], None]
) -> None:
    opened = fields_of(in_both.get(EDIT), "@id='sender-form'")
    switch()
    page = in_both.client.post(EDIT, data=opened | TYPED)
    back = fields_of(page, "@action='/account/switch'")
    answer = in_both.client.post("/account/switch", data=back)
    shown = in_both.get(answer.location)
    assert value_of(shown, "sender_name") == "Typed in Your Company"
    saved = in_both.client.post(EDIT, data=fields_of(shown, "@id='sender-form'"))
    assert saved.status_code == 303
    with db.reading() as session:
        assert load_gateway(session, in_both.account_id).name == "Typed in Your Company"
        assert load_gateway(session, alice.account_id).version == 1


def test_a_second_press_saves_it_here_on_purpose(
    in_both: Actor, alice: Actor, db: Database, switch: Callable[[], None]
) -> None:
    alice.post(EDIT, {"sender_name": "Doe", "send_from": alice.email, "reply_to": alice.email})
    opened = fields_of(in_both.get(EDIT), "@id='sender-form'")
    switch()
    page = in_both.client.post(EDIT, data=opened | TYPED)
    assert "To save it in Doe Inc. instead, press Edit once more" in text_of(page)
    saved = in_both.client.post(EDIT, data=fields_of(page, "@id='sender-form'"))
    assert saved.status_code == 303
    with db.reading() as session:
        assert load_gateway(session, alice.account_id).name == "Typed in Your Company"


def test_a_suggestion_without_javascript_does_not_hide_it(
    in_both: Actor, switch: Callable[[], None]
) -> None:
    opened = fields_of(in_both.get(EDIT), "@id='sender-form'")
    switch()
    page = in_both.client.post(EDIT, data=opened | {"use_reply_to": "x@yourcompany.com"})
    assert NAMES_BOTH in text_of(page)


@pytest.mark.parametrize("role", [Role.OWNER, Role.MEMBER])
def test_the_details_of_the_other_account_are_left_alone(
    in_both: Actor, alice: Actor, db: Database, switch: Callable[[], None], role: Role
) -> None:
    """Also where they may not change it there: what was typed is not lost to a refusal."""
    with db.transaction() as session:
        place = session.get(Membership, (alice.account_id, in_both.user_id))
        assert place is not None
        place.role = role
    opened = fields_of(in_both.get(ACCOUNT), "@id='account-form'")
    switch()
    page = in_both.client.post(ACCOUNT, data=opened | {"business_name": "Ours & Yours"})
    assert page.status_code == 409
    assert NAMES_BOTH in text_of(page)
    with db.reading() as session:
        assert load_account(session, alice.account_id).business_name == "Doe Inc."
    back = in_both.client.post("/account/switch", data=fields_of(page, "@action='/account/switch'"))
    shown = fields_of(in_both.get(back.location), "@id='account-form'")
    assert shown["business_name"] == "Ours & Yours"


def test_a_key_is_not_made_in_the_other_account(
    in_both: Actor, alice: Actor, db: Database, switch: Callable[[], None]
) -> None:
    opened = fields_of(in_both.get("/settings/api-keys"), "@action='/settings/api-keys'")
    switch()
    page = in_both.client.post("/settings/api-keys", data=opened | {"name": "Shop"})
    assert page.status_code == 422
    assert NAMES_BOTH in text_of(page)
    assert 'value="Shop"' in page.text
    with db.reading() as session:
        assert list_api_keys(session, alice.account_id) == []


def test_a_button_does_nothing_in_the_other_account(
    in_both: Actor, alice: Actor, bob: Actor, switch: Callable[[], None]
) -> None:
    opened = fields_of(in_both.get(CARD), "@action='/logout'")
    switch()
    path = f"/settings/team/{show_id(bob.user_id)}/remove"
    page = in_both.client.post(path, data=opened)
    assert page.status_code == 409
    words = text_of(page)
    assert "Nothing was done. You are working in Doe Inc. now" in words
    assert "was opened in Your Company" in words
    assert "Go back to Your Company" in words
    assert bob.get("/").status_code == 200


def test_a_fragment_says_it_in_place_and_keeps_the_page(
    in_both: Actor, switch: Callable[[], None]
) -> None:
    opened = fields_of(in_both.get(CARD), "@action='/logout'")
    switch()
    path = f"{CARD}/kartramail/test"
    fragment = in_both.client.post(path, data=opened, headers={"HX-Request": "true"})
    assert fragment.status_code == 409
    assert "<html" not in fragment.text
    assert "opened in Your Company" in text_of(fragment)


def test_signing_out_works_from_a_page_of_the_other_account(
    in_both: Actor, switch: Callable[[], None]
) -> None:
    opened = fields_of(in_both.get(CARD), "@action='/logout'")
    switch()
    assert in_both.client.post("/logout", data=opened).location == "/login"


@pytest.mark.parametrize("opened_in", ["0000000000001", "nonsense", "'"])
def test_an_account_that_is_none_of_theirs_is_not_named(alice: Actor, opened_in: str) -> None:
    typed = {"sender_name": "Doe", "send_from": alice.email, "reply_to": alice.email}
    page = alice.post(EDIT, typed | {"opened_in": opened_in})
    assert page.status_code == 409
    assert "opened in an account that you are not in" in text_of(page)
    assert "Go back to" not in text_of(page)


def test_charlie_does_not_learn_the_name_of_alices_account(alice: Actor, charlie: Actor) -> None:
    typed = {"sender_name": "Poe", "send_from": charlie.email, "reply_to": charlie.email}
    page = charlie.post(EDIT, typed | {"opened_in": show_id(alice.account_id)})
    assert page.status_code == 409
    assert "Doe Inc." not in page.text


def test_a_form_without_the_field_is_not_checked(alice: Actor) -> None:
    typed = {"sender_name": "Doe", "send_from": alice.email, "reply_to": alice.email}
    assert alice.post(EDIT, typed).status_code == 303


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/onboarding",
        CARD,
        EDIT,
        ACCOUNT,
        "/settings/profile",
        "/settings/team",
        "/settings/api-keys",
        "/help",
    ],
)
def test_every_form_names_its_account(alice: Actor, bob: Actor, path: str) -> None:
    alice.post("/settings/api-keys", {"name": "Shop"})
    tree = html.fromstring(alice.get(path).get_data(as_text=True))
    forms = tree.xpath("//form[@method='post']")
    assert forms
    for form in forms:
        assert form.xpath(".//input[@name='opened_in']/@value") == [show_id(alice.account_id)]


def test_a_strangers_form_names_none(client: FlaskClient) -> None:
    assert "opened_in" not in client.get("/login").text
