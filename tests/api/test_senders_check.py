"""`POST /api/v1/senders/check`: the rules of the form, for programs."""

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from kartramail.accounts.api_keys import make_api_key
from kartramail.db import Database
from tests.support.cast import Actor
from tests.support.dns_server import DnsServer

PATH = "/api/v1/senders/check"
GOOD = {
    "sender_name": "Doe Inc.",
    "send_from": "jane@doeinc.com",
    "reply_to": "support@doeinc.com",
}


@pytest.fixture
def key(alice: Actor, db: Database) -> str:
    """An API key of Alice's account."""
    with db.transaction() as session:
        _, raw = make_api_key(session, alice.account_id, "tests", alice.user_id)
    return raw


def check(client: FlaskClient, key: str, body: object) -> TestResponse:
    return client.post(PATH, json=body, headers={"Authorization": f"Bearer {key}"})


def test_a_good_sender_is_ok(client: FlaskClient, key: str) -> None:
    answer = check(client, key, GOOD)
    assert answer.status_code == 200
    assert answer.json["ok"] is True
    assert set(answer.json["fields"]) == {"sender_name", "send_from", "reply_to"}
    for verdict in answer.json["fields"].values():
        assert set(verdict) == {"status", "code", "message", "suggestion"}
        assert (verdict["status"], verdict["code"]) == ("ok", None)


@pytest.mark.parametrize(
    ("change", "field", "code", "suggestion"),
    [
        ({"send_from": "jane@gmail.com"}, "send_from", "free_provider", None),
        (
            {"reply_to": "support@other.com"},
            "reply_to",
            "different_domain",
            "support@doeinc.com",
        ),
        (
            {"reply_to": "support@gmaol.com"},
            "reply_to",
            "different_domain",
            "support@doeinc.com",
        ),
        ({"send_from": "jane@gmailcom"}, "send_from", "not_a_domain", "jane@gmail.com"),
        ({"send_from": "jane@kаrtra.com"}, "send_from", "platform_domain", None),
        ({"send_from": "jane@paypаl.com"}, "send_from", "syntax", None),
        ({"send_from": "jane@kartra.com."}, "send_from", "platform_domain", None),
        ({"sender_name": "support@kartra"}, "sender_name", "name_address", None),
        ({"send_from": "jane@kartra.com"}, "send_from", "platform_domain", None),
        ({"send_from": "jane@co.uk"}, "send_from", "public_suffix", None),
        ({"send_from": "jane@localhost"}, "send_from", "not_a_domain", None),
        ({"send_from": "jane@[192.0.2.1]"}, "send_from", "not_a_domain", None),
        ({"send_from": "jane"}, "send_from", "syntax", None),
        ({"sender_name": ""}, "sender_name", "name_empty", None),
        ({"sender_name": "x" * 65}, "sender_name", "name_too_long", None),
        ({"sender_name": "a\nb"}, "sender_name", "name_control", None),
        ({"sender_name": "jane@doeinc.com"}, "sender_name", "name_address", None),
    ],
)
def test_what_breaks_a_rule_has_its_code(
    client: FlaskClient,
    key: str,
    change: dict[str, str],
    field: str,
    code: str,
    suggestion: str | None,
) -> None:
    answer = check(client, key, GOOD | change)
    assert answer.status_code == 200
    assert answer.json["ok"] is False
    verdict = answer.json["fields"][field]
    assert (verdict["status"], verdict["code"]) == ("error", code)
    assert verdict["message"]
    assert verdict["suggestion"] == suggestion


def test_the_mail_server_of_the_reply_to_is_looked_up(
    client: FlaskClient, key: str, dns: DnsServer
) -> None:
    """R-REPLY."""
    dns.add("nomail.test", "MX", "0 .")
    dns.servfail("broken.test")
    for domain, status, code, ok in (
        ("nomail.test", "error", "null_mx", False),
        ("missing.test", "error", "no_mail_server", False),
        ("broken.test", "unknown", "dns_unreachable", True),
    ):
        body = {"send_from": f"jane@{domain}", "reply_to": f"jane@{domain}"}
        answer = check(client, key, body)
        verdict = answer.json["fields"]["reply_to"]
        assert (verdict["status"], verdict["code"], answer.json["ok"]) == (status, code, ok)


def test_without_a_name_the_name_is_not_judged(client: FlaskClient, key: str) -> None:
    body = {"send_from": "jane@doeinc.com", "reply_to": "jane@doeinc.com"}
    answer = check(client, key, body)
    assert answer.json["ok"] is True
    assert set(answer.json["fields"]) == {"send_from", "reply_to"}


def test_the_own_temporary_address_needs_no_reply_to(client: FlaskClient, key: str) -> None:
    """R-PLACEHOLDER."""
    answer = check(client, key, {"send_from": "doe-inc@kartra.com", "reply_to": None})
    assert answer.json["ok"] is True
    other = check(client, key, {"send_from": "your-company@kartra.com", "reply_to": None})
    assert other.json["fields"]["send_from"]["code"] == "platform_domain"


@pytest.mark.parametrize("body", [{}, [], {"send_from": 1}, {"send_from": "a@b.c", "x": 1}, None])
def test_a_body_that_does_not_fit_is_a_problem(client: FlaskClient, key: str, body: object) -> None:
    answer = check(client, key, body)
    assert 400 <= answer.status_code < 500
    assert answer.mimetype == "application/problem+json"


def test_without_a_key_it_is_refused(client: FlaskClient) -> None:
    answer = client.post(PATH, json=GOOD)
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
