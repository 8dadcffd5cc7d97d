"""Alice, Bob, Charlie and nobody on every route there is (R-SAFE).

A route that is missing in the table fails, so that no new page is without an answer to "who may".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from kartramail.accounts.api_keys import make_api_key
from kartramail.accounts.models import ApiKey, Invitation
from kartramail.assets.service import create_asset
from kartramail.assets.variables import HOST
from kartramail.db import Database
from kartramail.domains.instructions import make_link
from kartramail.ids import show_id
from kartramail.models import metadata
from kartramail.outbox.models import Message, SourceKind
from kartramail.senders.models import Sender
from tests.support.cast import PASSWORD, Actor, csrf_token, post
from tests.support.mailbox import newest_link

CARD = "/settings/integrations/kartramail"
DOMAIN = "/settings/domains/<domain>"
NOTIFICATION = "/settings/notifications/<type_name>"
NOTIFICATION_OF_ONE = "/assets/<kind_name>/<shown_id>/notifications/<type_name>"
ASSET = "/assets/<kind_name>/<shown_id>"


class May(Enum):
    """Who may use a route."""

    ANYBODY = auto()
    LINK = auto()  # whoever holds the link that was mailed
    SIGNED_IN = auto()
    OWNER = auto()
    KEY = auto()  # a program with a key of the account
    STATIC = auto()


TABLE: dict[str, May] = {
    "GET /": May.SIGNED_IN,
    "POST /account/switch": May.SIGNED_IN,
    "GET /activity": May.SIGNED_IN,
    "GET /activity/<shown_id>": May.SIGNED_IN,
    "POST /activity/<shown_id>/cancel": May.SIGNED_IN,
    "GET /activity/<shown_id>/headers": May.SIGNED_IN,
    "GET /activity/<shown_id>/html": May.SIGNED_IN,
    "GET /activity/<shown_id>/state": May.SIGNED_IN,
    "GET /activity/<shown_id>/text": May.SIGNED_IN,
    "POST /activity/<shown_id>/try-now": May.SIGNED_IN,
    "GET /activity/export": May.SIGNED_IN,
    "POST /activity/lanes/<shown_id>/pause": May.SIGNED_IN,
    "POST /activity/lanes/<shown_id>/resume": May.SIGNED_IN,
    "GET /activity/waiting": May.SIGNED_IN,
    "GET /activity/waiting/panel": May.SIGNED_IN,
    "GET /api/v1/": May.KEY,
    "GET /api/v1/assets": May.KEY,
    "POST /api/v1/assets": May.KEY,
    "GET /api/v1/assets/<string:asset_id>/notifications": May.KEY,
    "PUT /api/v1/assets/<string:asset_id>/notifications/<string:type>": May.KEY,
    "GET /api/v1/domains": May.KEY,
    "POST /api/v1/domains": May.KEY,
    "GET /api/v1/domains/<string:domain>": May.KEY,
    "POST /api/v1/domains/<string:domain>/check": May.KEY,
    "POST /api/v1/events": May.KEY,
    "POST /api/v1/messages": May.KEY,
    "GET /api/v1/messages/<string:message_id>": May.KEY,
    "POST /api/v1/messages/<string:message_id>/cancel": May.KEY,
    "POST /api/v1/messages/<string:message_id>/retry": May.KEY,
    "GET /api/v1/notifications": May.KEY,
    "PUT /api/v1/notifications/<string:type>": May.KEY,
    "GET /api/v1/openapi.json": May.ANYBODY,
    "GET /api/v1/senders": May.KEY,
    "POST /api/v1/senders": May.KEY,
    "DELETE /api/v1/senders/<string:sender_id>": May.KEY,
    "GET /api/v1/senders/<string:sender_id>": May.KEY,
    "PATCH /api/v1/senders/<string:sender_id>": May.KEY,
    "POST /api/v1/senders/check": May.KEY,
    "GET /api/v1/static/<path:filename>": May.KEY,
    "GET /assets": May.SIGNED_IN,
    "GET /assets/new": May.SIGNED_IN,
    "POST /assets/new": May.SIGNED_IN,
    f"POST {ASSET}/name": May.SIGNED_IN,
    f"GET {ASSET}/notifications": May.SIGNED_IN,
    f"GET {ASSET}/notifications/<type_name>/sender": May.SIGNED_IN,
    f"POST {ASSET}/notifications/<type_name>/sender": May.SIGNED_IN,
    f"POST {ASSET}/notifications/<type_name>/switch": May.SIGNED_IN,
    f"POST {ASSET}/notifications/<type_name>/text": May.SIGNED_IN,
    "GET /catcher": May.ANYBODY,  # on the very machine only: tests/sandbox/test_pages.py
    "GET /catcher/<letter>": May.ANYBODY,
    "GET /catcher/<letter>/attachments/<int:number>": May.ANYBODY,
    "GET /catcher/<letter>/download": May.ANYBODY,
    "GET /catcher/<letter>/headers": May.ANYBODY,
    "GET /catcher/<letter>/html": May.ANYBODY,
    "GET /catcher/<letter>/source": May.ANYBODY,
    "GET /catcher/<letter>/text": May.ANYBODY,
    "POST /catcher/empty": May.ANYBODY,
    "GET /catcher/letters": May.ANYBODY,
    "GET /confirm/<token>": May.LINK,
    "POST /confirm/<token>": May.LINK,
    "GET /dns/<token>": May.LINK,
    "POST /dns/<token>/check": May.LINK,
    "GET /dns/<token>/zone": May.LINK,
    "GET /forgot": May.ANYBODY,
    "POST /forgot": May.ANYBODY,
    "GET /forgot/sent": May.ANYBODY,
    "GET /healthz": May.ANYBODY,
    "GET /help": May.SIGNED_IN,
    "GET /help/streams": May.SIGNED_IN,
    "GET /join/<token>": May.LINK,
    "POST /join/<token>": May.LINK,
    "GET /login": May.ANYBODY,
    "POST /login": May.ANYBODY,
    "POST /logout": May.ANYBODY,
    "GET /metrics": May.ANYBODY,
    "GET /onboarding": May.SIGNED_IN,
    "POST /onboarding/not-now": May.SIGNED_IN,
    "POST /onboarding/take-up": May.SIGNED_IN,
    "GET /prove/<token>": May.LINK,
    "POST /prove/<token>": May.LINK,
    "GET /readyz": May.ANYBODY,
    "GET /reset/<token>": May.LINK,
    "POST /reset/<token>": May.LINK,
    "GET /settings/account": May.SIGNED_IN,
    "POST /settings/account": May.OWNER,
    "GET /settings/api-keys": May.SIGNED_IN,
    "POST /settings/api-keys": May.SIGNED_IN,
    "POST /settings/api-keys/<shown_id>/revoke": May.SIGNED_IN,
    "GET /settings/domains": May.SIGNED_IN,
    "POST /settings/domains": May.SIGNED_IN,
    "POST /settings/domains/check/domain": May.SIGNED_IN,
    f"GET {DOMAIN}": May.SIGNED_IN,
    f"GET {DOMAIN}/live": May.SIGNED_IN,
    f"GET {DOMAIN}/zone": May.SIGNED_IN,
    f"POST {DOMAIN}/check": May.SIGNED_IN,
    f"POST {DOMAIN}/practice": May.SIGNED_IN,  # in a try-out only: tests/domains
    f"POST {DOMAIN}/remove": May.SIGNED_IN,
    f"POST {DOMAIN}/rotate": May.SIGNED_IN,
    f"POST {DOMAIN}/share": May.SIGNED_IN,
    "GET /settings/integrations": May.SIGNED_IN,
    f"POST {CARD}/check/<field>": May.SIGNED_IN,
    f"POST {CARD}/check/reply_to/mail-server": May.SIGNED_IN,
    f"GET {CARD}/edit": May.SIGNED_IN,
    f"POST {CARD}/edit": May.SIGNED_IN,
    f"GET {CARD}/progress/<shown_id>": May.SIGNED_IN,
    f"POST {CARD}/sample": May.SIGNED_IN,
    f"POST {CARD}/send-link": May.SIGNED_IN,
    f"POST {CARD}/test": May.SIGNED_IN,
    "GET /settings/notifications": May.SIGNED_IN,
    f"POST {NOTIFICATION}/switch": May.SIGNED_IN,
    **{
        route: May.SIGNED_IN
        for place in (NOTIFICATION, NOTIFICATION_OF_ONE)
        for route in (
            f"GET {place}",
            f"POST {place}",
            f"POST {place}/check/<field>",
            f"GET {place}/preview",
            f"POST {place}/preview",
            f"POST {place}/reset",
            f"POST {place}/sample",
        )
    },
    "GET /settings/profile": May.SIGNED_IN,
    "POST /settings/profile/name": May.SIGNED_IN,
    "POST /settings/profile/password": May.SIGNED_IN,
    "GET /settings/senders": May.SIGNED_IN,
    "GET /settings/senders/<shown_id>": May.SIGNED_IN,
    "POST /settings/senders/<shown_id>": May.SIGNED_IN,
    "GET /settings/senders/<shown_id>/remove": May.SIGNED_IN,
    "POST /settings/senders/<shown_id>/remove": May.SIGNED_IN,
    "POST /settings/senders/<shown_id>/send-link": May.SIGNED_IN,
    "GET /settings/senders/new": May.SIGNED_IN,
    "POST /settings/senders/new": May.SIGNED_IN,
    "POST /settings/senders/picker": May.SIGNED_IN,
    "POST /settings/senders/picker/check/<field>": May.SIGNED_IN,
    "POST /settings/senders/picker/check/reply_to/mail-server": May.SIGNED_IN,
    "GET /settings/team": May.SIGNED_IN,
    "POST /settings/team": May.OWNER,
    "POST /settings/team/<shown_id>/remove": May.OWNER,
    "POST /settings/team/<shown_id>/role": May.OWNER,
    "POST /settings/team/invitations/<shown_id>/again": May.OWNER,
    "POST /settings/team/invitations/<shown_id>/withdraw": May.OWNER,
    "GET /signup": May.ANYBODY,
    "POST /signup": May.ANYBODY,
    "POST /signup/again": May.ANYBODY,
    "POST /signup/check/email": May.ANYBODY,
    "GET /signup/sent": May.ANYBODY,
    "GET /static/<path:filename>": May.STATIC,
}

FURTHER = {
    "sender_name": "Doe support",
    "accept_low_delivery": "y",
    "send_from": "support@doeinc.com",
    "reply_to": "support@doeinc.com",
}

# What each form of the page would send; without one, the button alone.
FORMS: dict[str, dict[str, str]] = {
    "POST /login": {"email": "alice@doeinc.com", "password": PASSWORD},
    "POST /forgot": {"email": "alice@doeinc.com"},
    "POST /prove/<token>": {"answer": "allow"},
    "POST /confirm/<token>": {"password": "seven quiet mornings"},
    "POST /reset/<token>": {"password": "seven quiet mornings"},
    "POST /join/<token>": {"full_name": "Sam", "password": "seven quiet mornings"},
    "POST /signup": {
        "business_name": "New",
        "full_name": "New",
        "email": "new@doeinc.com",
        "password": "seven quiet mornings",
    },
    "POST /settings/account": {"business_name": "Other", "time_zone": "UTC"},
    "POST /settings/api-keys": {"name": "Another"},
    f"POST {CARD}/edit": {
        "sender_name": "Other",
        "accept_low_delivery": "y",
        "send_from": "other@doeinc.com",
        "reply_to": "other@doeinc.com",
    },
    "POST /settings/senders/new": FURTHER | {"sender_name": "Other"},
    "POST /settings/senders/<shown_id>": FURTHER | {"sender_name": "Other"},
    "POST /settings/senders/picker": {"add_sender": "open:sender"},
    "POST /settings/profile/name": {"full_name": "Other"},
    "POST /settings/profile/password": {
        "current_password": PASSWORD,
        "new_password": "seven quiet mornings",
    },
    "POST /settings/team": {"email": "new@doeinc.com", "role": "owner"},
    "POST /settings/team/<shown_id>/role": {"role": "owner"},
    "POST /settings/domains": {"domain": "another.test"},
    "POST /assets/new": {"kind": "calendar", "name": "Another"},
    f"POST {ASSET}/name": {"name": "Renamed"},
    f"POST {ASSET}/notifications/<type_name>/sender": {"sender_id": ""},
    f"POST {ASSET}/notifications/<type_name>/switch": {"enabled": "off"},
    f"POST {DOMAIN}/share": {"email": "sam@agency.test"},
    f"POST {DOMAIN}/practice": {"record": "all", "action": "publish"},
}

WORDS = {"subject": "Other", "html": "<p>Other</p>", "text": "", "sender_id": ""}
for place in (NOTIFICATION, NOTIFICATION_OF_ONE):
    FORMS |= dict.fromkeys((f"POST {place}", f"POST {place}/sample"), WORDS)
FORMS[f"POST {NOTIFICATION}/switch"] = {"enabled": "off"}

# They change nothing and answer about what was sent along, or the link itself is the permission.
WITHOUT_TOKEN = {
    "POST /prove/<token>",
    "POST /signup/check/email",
    "POST /settings/domains/check/domain",
    f"POST {CARD}/check/<field>",
    f"POST {CARD}/check/reply_to/mail-server",
    "POST /settings/senders/picker/check/<field>",
    "POST /settings/senders/picker/check/reply_to/mail-server",
    f"POST {NOTIFICATION}/check/<field>",
    f"POST {NOTIFICATION}/preview",
    f"POST {NOTIFICATION_OF_ONE}/check/<field>",
    f"POST {NOTIFICATION_OF_ONE}/preview",
}


@dataclass
class House:
    """Alice's account with one of everything that a route can name."""

    app: Flask
    db: Database
    alice: Actor
    bob: Actor
    charlie: Actor
    key: str
    charlies_key: str
    names: dict[str, str]

    def path(self, route: str) -> str:
        """The address of the route, on Alice's things."""
        rule = route.partition(" ")[2]
        return re.sub(r"<[^>]*>", lambda found: self._name(rule, found[0]), rule)

    def _name(self, rule: str, part: str) -> str:
        if rule.startswith((DOMAIN, "/api/v1/domains/")):
            return "doeinc.test"
        first = rule.strip("/").partition("/")[0]
        for known in (rule, f"{first} {part}", part, first):
            if known in self.names:
                return self.names[known]
        raise AssertionError(f"nothing to put into {rule}")

    def send(self, client: FlaskClient, route: str, **extra: Any) -> TestResponse:
        """Ask as a page would, with its form and token."""
        method = route.partition(" ")[0]
        if method == "GET":
            return client.get(self.path(route), **extra)
        if "/api/" in route:
            return client.open(self.path(route), method=method, json={}, **extra)
        return post(client, self.path(route), FORMS.get(route), **extra)

    def dump(self) -> dict[str, list[tuple[object, ...]]]:
        """Everything in the database, in an order of its own."""
        with self.db.engine.connect() as connection:
            return {
                table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
                for table in metadata.sorted_tables
            }

    def alices_rows(self) -> dict[str, list[Mapping[str, object]]]:
        """What belongs to Alice's account, and the people in it."""
        people = {self.alice.user_id, self.bob.user_id}
        with self.db.engine.connect() as connection:
            return {
                table.name: [
                    dict(row)
                    for row in connection.execute(select(table)).mappings()
                    if row.get("account_id") == self.alice.account_id
                    or (table.name == "account" and row["id"] == self.alice.account_id)
                    or (table.name == "user" and row["id"] in people)
                ]
                for table in metadata.sorted_tables
            }


@pytest.fixture
def house(app: Flask, db: Database, alice: Actor, bob: Actor, charlie: Actor) -> House:
    installation = app.extensions["kartramail"]
    wanted = {
        "sender_name": "Doe",
        "accept_low_delivery": "y",
        "send_from": "hello@doeinc.com",
        "reply_to": "bob@doeinc.com",
    }
    assert alice.post(f"{CARD}/edit", wanted).status_code == 303
    assert alice.post(f"{CARD}/test").status_code == 303
    assert alice.post("/settings/domains", {"domain": "doeinc.test"}).status_code == 303
    assert alice.post("/settings/senders/new", FURTHER).status_code == 303
    invited = {"email": "sam@doeinc.com", "role": "member"}
    assert alice.post("/settings/team", invited).status_code == 303
    alice.get("/settings/team")
    stranger = app.test_client()
    assert post(stranger, "/signup", FORMS["POST /signup"] | {"email": "mia@doeinc.com"}).location
    assert post(stranger, "/forgot", {"email": "bob@doeinc.com"}).status_code == 303
    with db.transaction() as session:
        _, key = make_api_key(session, alice.account_id, "Alice's own key", alice.user_id)
        _, charlies_key = make_api_key(session, charlie.account_id, "a key", charlie.user_id)
    with db.transaction() as session:
        calendar = create_asset(session, alice.account_id, "calendar", "Alice's calendar")
    with db.reading() as session:
        key_row = session.scalars(
            select(ApiKey).where(ApiKey.account_id == alice.account_id)  # type: ignore[arg-type]
        ).one()
        invitation = session.scalars(select(Invitation)).one()
        further = session.scalars(
            select(Sender).where(Sender.name == FURTHER["sender_name"])  # type: ignore[arg-type]
        ).one()
        dns_link = make_link(session, alice.account_id, "doeinc.test", str(app.secret_key))
        test = session.scalars(
            select(Message).where(Message.source_kind == SourceKind.TEST)  # type: ignore[arg-type]
        ).one()
    links = {
        "prove": newest_link(installation, "hello@doeinc.com"),
        "join": newest_link(installation, "sam@doeinc.com"),
        "confirm": newest_link(installation, "mia@doeinc.com"),
        "reset": newest_link(installation, "bob@doeinc.com"),
    }
    names = {kind: link.rpartition("/")[2] for kind, link in links.items()} | {
        "/settings/api-keys/<shown_id>/revoke": show_id(key_row.id),
        "/settings/team/<shown_id>/remove": show_id(bob.user_id),
        "/settings/team/<shown_id>/role": show_id(bob.user_id),
        "/settings/team/invitations/<shown_id>/again": show_id(invitation.id),
        "/settings/team/invitations/<shown_id>/withdraw": show_id(invitation.id),
        **{
            f"{prefix}<{name}>{what}": show_id(further.id)
            for prefix, name, parts in (
                ("/settings/senders/", "shown_id", ("", "/remove", "/send-link")),
                ("/api/v1/senders/", "string:sender_id", ("",)),
            )
            for what in parts
        },
        "/settings/senders/picker/check/<field>": "send_from",
        f"{CARD}/progress/<shown_id>": show_id(test.id),
        f"{CARD}/check/<field>": "send_from",
        "/catcher/<letter>/attachments/<int:number>": "1",
        "/api/v1/assets/<string:asset_id>/notifications": "none",
        "/api/v1/assets/<string:asset_id>/notifications/<string:type>": "none",
        **{
            f"/api/v1/messages/<string:message_id>{part}": show_id(test.id)
            for part in ("", "/cancel", "/retry")
        },
        "/api/v1/notifications/<string:type>": "calendar.booked",
        "/api/v1/static/<path:filename>": "none",
        "activity": show_id(test.id),
        **{
            f"/activity/lanes/<shown_id>/{what}": show_id(test.lane_id)
            for what in ("pause", "resume")
        },
        "assets <shown_id>": show_id(calendar.id),
        "<kind_name>": "calendar",
        "<field>": "subject",
        "<type_name>": "calendar.booked",
        "dns": dns_link,
        "catcher": "0000000000001",
        "static": "css/kartramail.css",
    }
    return House(app, db, alice, bob, charlie, key, charlies_key, names)


def routes(*may: May, method: str = "") -> Iterator[str]:
    return (route for route, who in TABLE.items() if who in may and route.startswith(method))


def test_every_route_is_in_the_table(app: Flask) -> None:
    there = {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert there == set(TABLE)


def test_nobody_is_sent_to_the_sign_in_page_and_changes_nothing(house: House) -> None:
    before = house.dump()
    wrong = {}
    for route in routes(May.SIGNED_IN, May.OWNER):
        answer = house.send(house.app.test_client(), route)
        is_sent_on = answer.status_code in (302, 303) and "/login" in answer.location
        if not is_sent_on and answer.status_code != 401:
            wrong[route] = answer.status
    assert not wrong
    assert house.dump() == before


def test_a_program_without_a_key_is_refused(house: House) -> None:
    before = house.dump()
    for headers in ({}, {"Authorization": "Bearer km_none"}, {"Authorization": "Basic eDp5"}):
        for route in routes(May.KEY):
            assert house.send(house.app.test_client(), route, headers=headers).status_code == 401
            assert house.send(house.alice.client, route, headers=headers).status_code == 401
    assert house.dump() == before


def test_charlie_does_not_find_alices_things(house: House) -> None:
    """To him they are as if they did not exist, and he changes none of them by trying."""
    before = house.alices_rows()
    wrong = {}
    for route in routes(May.SIGNED_IN, May.OWNER):
        answer = house.send(house.charlie.client, route)
        names_something = "<shown_id>" in route or "<domain>" in route
        if names_something != (answer.status_code == 404):
            wrong[route] = answer.status
    assert wrong == {"POST /account/switch": "404 NOT FOUND"}  # names an account in its form
    assert house.alices_rows() == before


def test_charlie_cannot_switch_to_alices_account(house: House) -> None:
    wanted = {"account": show_id(house.alice.account_id)}
    assert house.charlie.post("/account/switch", wanted).status_code == 404
    assert "Doe Inc." not in house.charlie.get("/").text


def test_charlies_program_does_not_find_alices_messages(house: House) -> None:
    headers = {"Authorization": f"Bearer {house.charlies_key}"}
    route = "GET /api/v1/messages/<string:message_id>"
    for asked in (route, *(route for route in TABLE if "POST /api/v1/messages/<" in route)):
        assert house.send(house.app.test_client(), asked, headers=headers).status_code == 404
    headers = {"Authorization": f"Bearer {house.key}"}
    assert house.send(house.app.test_client(), route, headers=headers).status_code == 200


def test_charlie_sees_nothing_of_alices_account_on_any_page(house: House) -> None:
    alices = ("doeinc.com", "Doe Inc.", "Alice", "Bob Roe", "doe-inc@", house.key[:8])
    seen = {}
    for route in routes(May.SIGNED_IN, May.ANYBODY, method="GET"):
        text = house.send(house.charlie.client, route).get_data(as_text=True)
        if "/notifications/" in route:
            text = text.replace(str(HOST.example), "")  # who leads a webinar in our examples
        found = [words for words in alices if words in text]
        if found:
            seen[route] = found
    assert seen == {}


def test_a_member_cannot_do_what_owners_can(house: House) -> None:
    before = house.dump()
    for route in routes(May.OWNER):
        assert house.send(house.bob.client, route).status_code == 403, route
    assert house.dump() == before


def test_an_owner_and_a_member_see_every_page(house: House) -> None:
    for route in routes(May.SIGNED_IN, method="GET"):
        for actor in (house.alice, house.bob):
            assert house.send(actor.client, route).status_code == 200, route


def test_looking_changes_nothing(house: House) -> None:
    """A mail scanner, a prefetching browser and a curious person look at everything."""
    headers = {"Authorization": f"Bearer {house.key}"}
    house.app.test_client().get("/api/v1/messages/none", headers=headers)  # notes the key's use
    before = house.dump()
    for route in TABLE:
        path = house.path(route)
        for client in (house.alice.client, house.bob.client, house.app.test_client()):
            for ask in (client.get, client.head, client.options):
                answer = ask(path, headers=headers if path.startswith("/api/") else {})
                assert answer.status_code < 500, path
    assert house.dump() == before


def test_no_change_is_made_without_a_token(house: House) -> None:
    """As another site would send it: with Alice's cookie and all fields, but without the token."""
    before = house.dump()
    wrong = {}
    for route in set(routes(*set(May) - {May.KEY}, method="POST")) - WITHOUT_TOKEN:
        answer = house.alice.client.post(house.path(route), data=FORMS.get(route))
        if answer.status_code not in (400, 422):
            wrong[route] = answer.status
        assert house.dump() == before, route
    assert wrong == {}


def test_what_needs_no_token_changes_nothing_of_whose_cookie_it_came_with(house: House) -> None:
    before = house.dump()
    for route in WITHOUT_TOKEN - {"POST /prove/<token>"}:
        house.alice.client.post(house.path(route), data={"email": "x@doeinc.com"})
    assert house.dump() == before
    someone_else = house.app.test_client()
    answer = someone_else.post(house.path("POST /prove/<token>"), data={"answer": "allow"})
    assert answer.status_code == 200  # the link is the permission, whoever's browser it is in


def test_a_token_of_another_session_is_worth_nothing(house: House) -> None:
    before = house.dump()
    foreign = csrf_token(house.charlie.client)
    with house.alice.client.session_transaction() as session:
        session["csrf_token"] = "a" * 40
    for route in ("POST /settings/api-keys", f"POST {CARD}/edit", f"POST {CARD}/test"):
        data = FORMS.get(route, {}) | {"csrf_token": foreign}
        assert house.alice.client.post(house.path(route), data=data).status_code in (400, 422)
    assert house.dump() == before
