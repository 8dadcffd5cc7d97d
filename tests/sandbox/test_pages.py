"""The pages of the test inbox, and who may not see them (R-TRANSPORT, R-SAFE)."""

import re
from email.message import EmailMessage
from functools import cache
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from kartramail import create_app
from kartramail.config import Settings
from kartramail.ids import show_id
from kartramail.sandbox.inbox import Inbox
from tests.conftest import make_settings
from tests.sandbox.hostile import HOSTILE

CONFIRM = "http://127.0.0.1:5000/confirm/secret"


@pytest.fixture
def visitor(sandbox_app: Flask) -> FlaskClient:
    return sandbox_app.test_client()


def keep(inbox: Inbox, raw: bytes) -> str:
    return "/catcher/" + show_id(inbox.add("bounce@kartra.com", ["bob@example.com"], raw))


@cache
def confirmation() -> bytes:
    message = EmailMessage()
    message["From"] = "KartraMail <notifications@kartra.com>"
    message["To"] = "bob@example.com"
    message["Reply-To"] = "help@kartra.com"
    message["Subject"] = "Confirm your address"
    message.set_content(f"Confirm it here:\n{CONFIRM}\n")
    message.add_alternative(
        f'<a href="{CONFIRM}">Confirm</a><img src="https://e.example/p.gif">', "html"
    )
    message.add_attachment(b"<script>1</script>", "text", "html", filename='a"\u202e/b.html')
    return message.as_bytes()


def test_a_stranger_reads_the_list_and_the_message(visitor: FlaskClient, inbox: Inbox) -> None:
    path = keep(inbox, confirmation())
    page = visitor.get("/catcher").text
    assert "Nothing here has left this machine".lower() in page.lower()
    assert "Confirm your address" in page
    assert "bob@example.com" in page
    assert path in page
    assert ">New<" in page
    opened = visitor.get(path).text
    for words in ("notifications@kartra.com", "help@kartra.com"):
        assert words in opened
    assert "bounce@kartra.com" in visitor.get(f"{path}/headers").text
    assert "nothing here has left this machine" in opened
    assert ">New<" not in visitor.get("/catcher").text


def test_empty_it_says_what_will_happen(visitor: FlaskClient) -> None:
    assert "Nothing has arrived yet" in visitor.get("/catcher").text


def test_the_html_has_a_strict_policy_of_its_own(visitor: FlaskClient, inbox: Inbox) -> None:
    path = keep(inbox, confirmation())
    answer = visitor.get(f"{path}/html")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox; ")
    assert "default-src 'none'" in policy
    assert "img-src data:" in policy
    assert "frame-ancestors 'self'" in policy
    for forbidden in ("allow-scripts", "allow-same-origin", "allow-forms", "allow-top", "http"):
        assert forbidden not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert 'base target="_blank"' in answer.text
    frame = re.search(r"<iframe[^>]*>", visitor.get(path).text)
    assert frame is not None
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in frame[0]


def test_links_of_this_installation_in_the_text_can_be_followed(
    visitor: FlaskClient, inbox: Inbox
) -> None:
    path = keep(inbox, confirmation())
    assert f'<a href="{CONFIRM}"' in visitor.get(f"{path}/text").text


def test_headers_source_and_download_show_all_of_it(visitor: FlaskClient, inbox: Inbox) -> None:
    path = keep(inbox, confirmation())
    assert "Reply-To" in visitor.get(f"{path}/headers").text
    assert "Content-Transfer-Encoding" in visitor.get(f"{path}/source").text
    answer = visitor.get(f"{path}/download")
    assert answer.data == confirmation()
    assert answer.headers["Content-Disposition"].startswith("attachment; ")


def test_an_attachment_is_saved_and_never_shown(visitor: FlaskClient, inbox: Inbox) -> None:
    path = keep(inbox, confirmation())
    answer = visitor.get(f"{path}/attachments/1")
    assert answer.data == b"<script>1</script>"
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == "attachment; filename=a__b.html"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert visitor.get(f"{path}/attachments/2").status_code == 404
    assert visitor.get(f"{path}/attachments/0").status_code == 404


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_mail_breaks_no_page(visitor: FlaskClient, inbox: Inbox, raw: bytes) -> None:
    path = keep(inbox, raw)
    for view in ("", "/text", "/headers", "/source", "/download"):
        answer = visitor.get(path + view)
        assert answer.status_code == 200
        assert view == "/download" or "<script>alert" not in answer.text
    assert visitor.get(f"{path}/html").status_code in (200, 404)
    assert visitor.get(f"{path}/attachments/1").status_code in (200, 404)
    assert visitor.get("/catcher").status_code == 200


def test_the_list_follows_what_arrives(visitor: FlaskClient, inbox: Inbox) -> None:
    """204 while nothing changed: the page keeps its place and its focus."""
    poll = poll_address(visitor.get("/catcher").text)
    assert visitor.get(poll).status_code == 204
    keep(inbox, confirmation())
    answer = visitor.get(poll)
    assert "Confirm your address" in answer.text
    assert "<html" not in answer.text
    assert visitor.get(poll_address(answer.text)).status_code == 204


def poll_address(page: str) -> str:
    found = re.search(r'id="letters" hx-get="([^"]+)" hx-trigger="every 2s"', page)
    assert found is not None
    return found[1].replace("&amp;", "&")


def test_searching_narrows_the_list_and_its_address(visitor: FlaskClient, inbox: Inbox) -> None:
    keep(inbox, confirmation())
    answer = visitor.get("/catcher/letters?q=nobody%26co")
    assert "Confirm your address" not in answer.text
    assert answer.headers["HX-Replace-Url"] == "/catcher?q=nobody%26co"
    assert "Confirm your address" in visitor.get("/catcher?q=CONFIRM").text


def test_older_messages_are_a_page_away(visitor: FlaskClient, inbox: Inbox) -> None:
    for number in range(51):
        inbox.add("", ["bob@example.com"], f"Subject: number {number}.\r\n\r\n".encode())
    page = visitor.get("/catcher").text
    assert "number 0." not in page
    older = re.search(r'href="(/catcher\?before=[^"]+)"', page)
    assert older is not None
    second = visitor.get(older[1]).text
    assert "number 0." in second
    assert "every 2s" not in second


def test_it_is_emptied_by_a_post_with_a_token(visitor: FlaskClient, inbox: Inbox) -> None:
    path = keep(inbox, confirmation())
    token = re.search(r'name="csrf_token" value="([^"]+)"', visitor.get("/catcher").text)
    assert token is not None
    assert visitor.post("/catcher/empty").status_code == 400
    assert inbox.count() == 1
    answer = visitor.post("/catcher/empty", data={"csrf_token": token[1]})
    assert (answer.status_code, answer.location) == (303, "/catcher")
    assert inbox.count() == 0
    assert visitor.get(path).status_code == 404


@pytest.mark.parametrize("name", ["0000000000000", "nonsense", "..%2f..", "zzzzzzzzzzzzz"])
def test_what_is_not_there_is_a_404(visitor: FlaskClient, inbox: Inbox, name: str) -> None:
    for view in ("", "/html", "/source", "/attachments/1"):
        assert visitor.get(f"/catcher/{name}{view}").status_code == 404


PATHS = ["/catcher", "/catcher/letters", "{}", "{}/html", "{}/text", "{}/source", "{}/download"]


@pytest.mark.parametrize(
    "how",
    [
        {"headers": {"X-Forwarded-For": "127.0.0.1"}},
        {"headers": {"Forwarded": "for=127.0.0.1"}},
        {"headers": {"X-Forwarded-Host": "127.0.0.1"}},
        {"headers": {"X-Real-IP": "127.0.0.1"}},
        {"headers": {"Via": "1.1 proxy"}},
        {"headers": {"Host": "rebound.example:5000"}},
        {"headers": {"Host": "127.0.0.1.rebound.example"}},
        {"headers": {"Host": "[::1"}},
        {"environ_base": {"REMOTE_ADDR": "192.0.2.1"}},
    ],
    ids=str,
)
def test_it_is_hidden_from_everybody_else(
    visitor: FlaskClient, inbox: Inbox, how: dict[str, Any]
) -> None:
    letter = keep(inbox, confirmation())
    for path in PATHS:
        assert visitor.get(path.format(letter), **how).status_code == 404
        assert visitor.get(path.format(letter)).status_code == 200


@pytest.mark.parametrize(
    "settings",
    [{"mail_transport": "relay"}, {"base_url": "https://mail.doeinc.com"}],
    ids=["with a relay", "on a server"],
)
def test_it_is_only_there_in_a_try_out(
    sandbox_settings: Settings, inbox: Inbox, settings: dict[str, str]
) -> None:
    path = keep(inbox, confirmation())
    app = create_app(make_settings(sandbox_settings.database_url, **settings))
    for address in ("/catcher", path, f"{path}/html"):
        assert app.test_client().get(address).status_code == 404
    app.extensions["kartramail"].db.dispose()
