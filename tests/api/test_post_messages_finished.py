"""POST /api/v1/messages: HTML is made clean on the way in, and an asset may be named (R-VARS)."""

import pytest

from kartramail.db import Database
from kartramail.ids import read_id
from kartramail.messages import finishing
from kartramail.outbox.contents import Words, load_contents
from tests.api.conftest import Program
from tests.api.test_assets import make
from tests.support.outbox import messages

MESSAGE = {"to": "pat@example.net", "subject": "Hello"}


def words(db: Database) -> list[Words]:
    found = messages(db)
    ids = {message.content_id for message in found if message.content_id is not None}
    with db.reading() as session:
        contents = load_contents(session, ids)
    return [contents[message.content_id or 0] for message in found]


def test_html_is_sanitised_and_a_text_made(db: Database, alices_program: Program) -> None:
    html = '<p onclick="x()">Hi {{ name }}, <a href="https://example.com/a">look</a></p><script>x</script>'
    assert alices_program.post("/messages", MESSAGE | {"html": html}).status_code == 202
    ((_, text, kept),) = words(db)
    assert text == "Hi {{ name }}, look (https://example.com/a)"
    assert kept is not None
    assert "script" not in kept
    assert "onclick" not in kept
    assert "{{ name }}" in kept


def test_a_text_that_was_given_stays(db: Database, alices_program: Program) -> None:
    both = MESSAGE | {"html": "<p>Rich</p>", "text": "Plain {{ name }}\n"}
    assert alices_program.post("/messages", both).status_code == 202
    assert words(db)[0][1] == "Plain {{ name }}\n"


def test_text_alone_stays_as_it_is(db: Database, alices_program: Program) -> None:
    assert alices_program.post("/messages", MESSAGE | {"text": "a <b> c"}).status_code == 202
    assert words(db) == [("Hello", "a <b> c", None)]


def test_what_cannot_be_finished_is_told_with_its_index(
    db: Database, alices_program: Program
) -> None:
    broken = MESSAGE | {"html": '<p {% if a %}class="x">{% endif %}Hi</p>'}
    answer = alices_program.post("/messages", {"messages": [MESSAGE | {"text": "x"}, broken]})
    assert answer.status_code == 422
    (error,) = answer.get_json()["errors"]
    assert (error["index"], error["pointer"], error["code"]) == (1, "/messages/1/html", "template")
    assert messages(db) == []


def test_too_much_html_at_once_is_refused_and_the_same_html_counts_once(
    db: Database, alices_program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finishing, "MAX_REQUEST_HTML", 40)
    same = [MESSAGE | {"html": "<p>The same one</p>"} for _ in range(20)]
    assert alices_program.post("/messages", {"messages": same}).status_code == 202
    different = [MESSAGE | {"html": f"<p>The number {n}</p>"} for n in range(20)]
    answer = alices_program.post("/messages", {"messages": different})
    assert answer.status_code == 422
    assert answer.get_json()["code"] == "template"
    assert len(messages(db)) == 20


def test_an_asset_is_kept_with_the_message(db: Database, alices_program: Program) -> None:
    asset_id = make(alices_program)
    body = MESSAGE | {"text": "x", "asset_id": asset_id}
    assert alices_program.post("/messages", body).status_code == 202
    (message,) = messages(db)
    assert message.asset_id == read_id(asset_id)
    assert (
        alices_program.get(
            f"/messages/{alices_program.post('/messages', body).get_json()['id']}"
        ).get_json()["asset_id"]
        == asset_id
    )


def test_an_asset_of_another_account_is_refused(
    db: Database, alices_program: Program, charlies_program: Program
) -> None:
    asset_id = make(alices_program)
    body = {"messages": [MESSAGE | {"text": "x"}, MESSAGE | {"text": "x", "asset_id": asset_id}]}
    answer = charlies_program.post("/messages", body)
    assert answer.status_code == 422
    (error,) = answer.get_json()["errors"]
    assert (error["index"], error["code"]) == (1, "not_found")
    assert error["pointer"] == "/messages/1/asset_id"
    assert messages(db) == []
