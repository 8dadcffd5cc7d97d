"""R-DOMAIN: "send these to the person who runs my DNS": the mail, and the page by signed link."""

import re
from datetime import datetime, timedelta
from typing import Any

import itsdangerous.timed
import pytest
from flask import Flask, render_template
from flask.testing import FlaskClient

from kartramail.domains.instructions import (
    LIFETIME,
    Linked,
    make_link,
    read_link,
    records_to_set,
    sign_link,
)
from kartramail.errors import NotFound
from kartramail.installation import Installation
from kartramail.messages.compose import Composer
from tests.senders.reading import text_of
from tests.support.cast import Actor, post
from tests.support.dns_server import DnsServer
from tests.support.domains import add, publish, show
from tests.support.mailbox import mails_to, newest_link

PAGE = "/settings/domains/doeinc.test"
SAM = "sam@agency.test"


@pytest.fixture
def link(alice: Actor, installation: Installation) -> str:
    """The path that Sam, who runs Alice's DNS, got by mail."""
    add(installation, alice.account_id, "doeinc.test")
    asked = {"email": SAM, "note": "Hello Sam, is this <b>quick</b>?"}
    assert alice.post(f"{PAGE}/share", asked).location == PAGE
    return newest_link(installation, SAM)


def test_the_mail_holds_the_records_and_the_link(
    alice: Actor, installation: Installation, link: str
) -> None:
    (mail,) = mails_to(installation, SAM)
    assert mail.template == "domain_instructions"
    variables: dict[str, Any] = dict(mail.variables or {})
    wanted = records_to_set(show(installation, alice.account_id, "doeinc.test"))
    assert [each["value"] for each in variables["records"]] == [each.value for each in wanted]
    assert [each["host"] for each in variables["records"]] == [each.host for each in wanted]
    assert len(wanted) == 3  # whether DMARC's is there is not known before the first look
    assert variables["link"] == f"http://127.0.0.1:5000{link}"
    assert "on their way to sam@agency.test" in text_of(alice.get(PAGE))


def test_the_page_needs_no_sign_in_and_says_for_whom(client: FlaskClient, link: str) -> None:
    page = client.get(link)
    words = text_of(page)
    assert page.status_code == 200
    assert "DNS records for doeinc.test" in words
    assert "Doe Inc. asks you to add these records" in words
    assert "0 of 3 records found" in words
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in page.headers["X-Robots-Tag"]
    assert page.headers["Cache-Control"] == "no-store"


def test_it_tells_nothing_but_the_records(client: FlaskClient, alice: Actor, link: str) -> None:
    page = client.get(link).text
    for secret in (alice.email, "Alice Doe", "/settings/", "doe-inc@", "Send to"):
        assert secret not in page


def test_it_shows_what_was_found_after_a_look(
    client: FlaskClient, alice: Actor, dns: DnsServer, installation: Installation, link: str
) -> None:
    checklist = show(installation, alice.account_id, "doeinc.test")
    publish(dns, checklist.rows[0].wanted)
    assert post(client, f"{link}/check").location == link
    assert "1 of 3 records found" in text_of(client.get(link))


def test_the_zone_file_is_the_same_as_the_owners(
    client: FlaskClient, alice: Actor, link: str
) -> None:
    zone = client.get(f"{link}/zone")
    assert zone.mimetype == "text/plain"
    assert zone.text == alice.get(f"{PAGE}/zone").text


def test_it_ends_with_the_domain(client: FlaskClient, alice: Actor, link: str) -> None:
    alice.post(f"{PAGE}/remove")
    answer = client.get(link)
    assert answer.status_code == 404
    assert "This link does not work any more" in answer.text
    assert client.get(f"{link}/zone").status_code == 404
    assert post(client, f"{link}/check").status_code == 404


def test_it_does_not_come_back_with_the_domain(
    client: FlaskClient, alice: Actor, installation: Installation, link: str
) -> None:
    alice.post(f"{PAGE}/remove")
    add(installation, alice.account_id, "doeinc.test", 1)
    assert client.get(link).status_code == 404
    alice.post(f"{PAGE}/share", {"email": "mia@agency.test"})
    assert client.get(newest_link(installation, "mia@agency.test")).status_code == 200


def test_a_record_that_is_to_be_edited_is_not_said_to_stay(
    client: FlaskClient, alice: Actor, dns: DnsServer, installation: Installation, link: str
) -> None:
    stays = "Nothing that is there already needs to change"
    (mail,) = mails_to(installation, SAM)
    assert stays not in str(mail.variables)  # nobody has looked yet
    alice.post(f"{PAGE}/check")
    alice.post(f"{PAGE}/share", {"email": "bob@agency.test"})
    (mail,) = mails_to(installation, "bob@agency.test")
    assert stays in str(mail.variables)
    assert stays in text_of(client.get(link))
    assert stays in client.get(f"{link}/zone").text
    dns.add("km.doeinc.test", "CNAME", "mail.example.net")
    alice.post(f"{PAGE}/check")
    alice.post(f"{PAGE}/share", {"email": "mia@agency.test"})
    (mail,) = mails_to(installation, "mia@agency.test")
    zone = client.get(f"{link}/zone").text
    for words in (
        text_of(client.get(link)), text_of(alice.get(f"{PAGE}?who=me")), str(mail.variables), zone
    ):  # fmt: skip
        assert stays not in words
        assert "put the record from here in its place" in words


def test_it_ends_after_thirty_days(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "a secret only for tests, long enough"
    linked = Linked(7, 8, "2026-03-01T09:30:00+00:00")
    token = sign_link(linked, secret)
    assert read_link(token, secret) == linked
    signer = itsdangerous.timed.TimestampSigner
    at = signer(secret).get_timestamp() + int(LIFETIME.total_seconds())
    monkeypatch.setattr(signer, "get_timestamp", lambda self: at - 60)
    assert read_link(token, secret) == linked
    monkeypatch.setattr(signer, "get_timestamp", lambda self: at + 60)
    assert read_link(token, secret) is None
    assert timedelta(days=30) == LIFETIME


@pytest.mark.parametrize("token", ["", "none", "WyJhIl0", "x" * 5000, "\u00e4.\u00f6.\u00fc"])
def test_a_made_up_link_shows_nothing(client: FlaskClient, token: str) -> None:
    assert read_link(token, "secret") is None
    assert client.get(f"/dns/{token}").status_code == 404


def test_nobody_elses_domain_gets_a_link(
    alice: Actor, charlie: Actor, installation: Installation
) -> None:
    add(installation, alice.account_id, "doeinc.test")
    with installation.db.reading() as session, pytest.raises(NotFound):
        make_link(session, charlie.account_id, "doeinc.test", "secret")


def test_a_link_of_another_kind_or_secret_is_none() -> None:
    token = sign_link(Linked(7, 8, "2026-03-01T09:30:00+00:00"), "one secret")
    assert read_link(token, "another secret") is None
    other = itsdangerous.URLSafeTimedSerializer("one secret", salt="resume").dumps(["x", "y"])
    assert read_link(str(other), "one secret") is None


def test_an_address_that_cannot_be_is_refused_and_all_is_kept(
    alice: Actor, installation: Installation
) -> None:
    add(installation, alice.account_id, "doeinc.test")
    answer = alice.post(f"{PAGE}/share", {"email": "sam@", "note": "Hello Sam"})
    assert answer.status_code == 422
    assert 'value="sam@"' in answer.text
    assert "Hello Sam" in answer.text
    answer = alice.post(f"{PAGE}/share", {"email": SAM, "note": "x" * 501})
    assert "500 characters at most" in answer.text
    assert mails_to(installation, SAM) == []


def test_it_can_be_sent_to_ones_own_computer(alice: Actor, installation: Installation) -> None:
    add(installation, alice.account_id, "doeinc.test")
    page = alice.get(f"{PAGE}?who=other").text
    assert f"Send to {alice.email}" in page
    alice.post(f"{PAGE}/share", {"email": alice.email})
    assert newest_link(installation, alice.email).startswith("/dns/")


def test_the_page_shows_a_link_that_works(
    alice: Actor, client: FlaskClient, installation: Installation
) -> None:
    add(installation, alice.account_id, "doeinc.test")
    page = alice.get(f"{PAGE}?who=other").text
    found = re.search(r'id="share-link".*?data-copy="http://127.0.0.1:5000([^"]*)"', page, re.S)
    assert found is not None
    assert client.get(found[1]).status_code == 200


MAILS: dict[str, dict[str, Any]] = {
    "domain_authenticated": {},
    "domain_claimed": {},
    "domain_lost": {
        "records": [{"type": "TXT", "host": "km1._domainkey.doeinc.test"}],
        "since": datetime(2026, 3, 1, 9, 30).isoformat() + "+00:00",
    },
    "domain_instructions": {
        "business_name": "<b>Doe</b> & {{ 7*7 }}",
        "full_name": "<i>Alice</i>",
        "note": "<script>alert(1)</script>",
        "records": [
            {
                "type": "TXT",
                "host": "km1._domainkey.doeinc.test",
                "relative_host": "km1._domainkey",
                "value": "v=DKIM1; k=rsa; p=" + "A" * 392,
                "what": "First signature key",
            }
        ],
    },
}


@pytest.mark.parametrize("mail", MAILS)
def test_both_parts_of_each_mail_say_the_same_and_escape_what_was_typed(
    app: Flask, mail: str
) -> None:
    link = "https://mail.doeinc.com/dns/abc"
    variables = {"domain": "m\u00fcller.test", "link": link, **MAILS[mail]}
    with app.test_request_context():
        subject = render_template(f"mail/{mail}/subject.txt", **variables)
        text = render_template(f"mail/{mail}/body.txt", **variables)
        page = render_template(f"mail/{mail}/body.html", **variables)
    assert "m\u00fcller.test" in subject
    assert "\n" not in subject.strip()
    assert link in text
    assert page.count(link) >= 2
    for record in MAILS[mail].get("records", ()):
        assert record["host"] in text
        assert record["host"] in page
    assert "<b>Doe" not in page
    assert "<script>" not in page
    assert "49" not in subject
    assert "&lt;" not in text
    assert Composer().platform_mail(mail)  # it compiles outside of a request, too
