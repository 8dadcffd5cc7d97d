"""Search and filters of `/activity`, with and without a script (R-LOG)."""

from datetime import timedelta
from urllib.parse import quote

import pytest

from kartramail.assets.service import create_asset
from kartramail.clock import now
from kartramail.db import Database
from kartramail.ids import first_id_at, show_id
from kartramail.outbox.models import MessageState, SourceKind
from tests.activity.test_list import add, recipients
from tests.support.cast import Actor

AS_TYPED = {"HX-Request": "true", "HX-Target": "activity-list", "HX-Trigger-Name": "q"}


@pytest.fixture
def addresses(db: Database, alice: Actor) -> list[str]:
    """Messages to these, the last one the newest."""
    written = [
        "jane@doeinc.com",
        "Jane.Roe@other.example",
        "janet@doeinc.com",
        "j_ne@doeinc.com",
        "percent%25@doeinc.com",
        "kim@xn--bcher-kva.example",
    ]
    for address in written:
        domain = address.rpartition("@")[2]
        add(db, alice, to_addr=address, to_key=address.lower(), to_domain=domain)
    return written


def search(alice: Actor, typed: str) -> list[str]:
    return recipients(alice, f"?q={quote(typed)}")


def test_it_finds_what_an_address_begins_with(alice: Actor, addresses: list[str]) -> None:
    assert search(alice, "jane") == [
        "janet@doeinc.com",
        "Jane.Roe@other.example",
        "jane@doeinc.com",
    ]
    assert search(alice, "JANE@") == ["jane@doeinc.com"]
    assert search(alice, "jane@doeinc.com") == ["jane@doeinc.com"]
    assert search(alice, "ane") == []
    assert search(alice, "kim@bücher.example") == ["kim@bücher.example"]


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("j_ne", ["j_ne@doeinc.com"]),
        ("j%", []),
        ("%", []),
        ("_", []),
        ("percent%", ["percent%25@doeinc.com"]),
        ("@%", []),
        ("@_oeinc", []),
        ("\\", []),
        ("'", []),
        ("jane' OR '1'='1", []),
        ("\x00", None),
        ("\ud7ff\uffff", []),
        ("j" * 5000, []),
    ],
)
def test_wildcards_and_worse_are_letters_like_others(
    alice: Actor, addresses: list[str], typed: str, found: list[str] | None
) -> None:
    shown = search(alice, typed)
    assert len(shown) == len(addresses) if found is None else shown == found


def test_it_finds_a_domain(alice: Actor, addresses: list[str]) -> None:
    assert len(search(alice, "@doeinc.com")) == 4
    assert search(alice, "@other") == ["Jane.Roe@other.example"]
    assert search(alice, "@bücher.example") == ["kim@bücher.example"]


def test_it_finds_a_message_by_its_whole_id(db: Database, alice: Actor) -> None:
    ids = add(db, alice, 3)
    assert recipients(alice, f"?q={show_id(ids[1])}") == ["r1@example.net"]
    assert recipients(alice, f"?q={show_id(ids[1])[:-1]}") == []


def test_it_filters_by_state(db: Database, alice: Actor) -> None:
    for n, state in enumerate(MessageState):
        add(db, alice, state=state, to_addr=f"{state}@example.net", to_key=f"{n}@example.net")
    for state in MessageState:
        assert recipients(alice, f"?state={state}") == [f"{state}@example.net"]
    assert len(recipients(alice, "?state=trouble")) == 5
    assert len(recipients(alice, "?state=waiting")) == 3
    assert len(recipients(alice, "?state=unknown")) == len(MessageState)


def test_it_filters_by_what_made_a_message(db: Database, alice: Actor, charlie: Actor) -> None:
    with db.transaction() as session:
        call = create_asset(session, alice.account_id, "calendar", "Intro call")
        book = create_asset(session, alice.account_id, "product", "Book")
        others = create_asset(session, charlie.account_id, "calendar", "Of somebody else")
    kind = SourceKind.NOTIFICATION
    add(db, alice, to_addr="a@x.test", source_kind=kind, asset_id=call.id, type="calendar.booked")
    add(db, alice, to_addr="b@x.test", source_kind=kind, asset_id=book.id, type="product.receipt")
    add(db, alice, to_addr="c@x.test", asset_id=call.id)
    add(db, alice, to_addr="d@x.test")
    add(db, alice, to_addr="e@x.test", source_kind=SourceKind.SAMPLE, type="calendar.booked")
    alice.post("/settings/integrations/kartramail/test")
    by_source = {
        "api": ["d@x.test", "c@x.test"],
        "sample": ["e@x.test"],
        "test": ["alice@doeinc.com"],
        "kind:calendar": ["c@x.test", "a@x.test"],
        "type:calendar.booked": ["e@x.test", "a@x.test"],
        f"asset:{show_id(book.id)}": ["b@x.test"],
        f"asset:{show_id(others.id)}": [],
    }
    for source, found in by_source.items():
        assert recipients(alice, f"?source={source}") == found, source
    page = alice.get(f"/activity?source=asset:{show_id(call.id)}").get_data(as_text=True)
    assert f'<option value="asset:{show_id(call.id)}" selected>Calendar · Intro call' in page
    assert "Of somebody else" not in page


def test_it_filters_by_days(db: Database, alice: Actor) -> None:
    for days in (0, 3, 20, 60):
        at = now() - timedelta(days=days)
        number = first_id_at(at) + 5
        add(db, alice, id=number, created_at=at, to_addr=f"d{days}@x.test", to_key=f"d{days}@x")
    assert recipients(alice, "?days=1") == ["d0@x.test"]
    assert recipients(alice, "?days=7") == ["d0@x.test", "d3@x.test"]
    assert recipients(alice, "?days=30&q=d") == ["d0@x.test", "d3@x.test", "d20@x.test"]
    assert len(recipients(alice, "?days=90")) == 4


def test_filters_go_together(db: Database, alice: Actor) -> None:
    for state in (MessageState.SENT, MessageState.BOUNCED):
        add(db, alice, 2, state=state)
    assert recipients(alice, "?q=r1&state=bounced&source=api&days=7") == ["r1@example.net"]
    assert recipients(alice, "?q=r1&state=failed") == []


def test_as_one_types_the_list_alone_is_answered(alice: Actor, addresses: list[str]) -> None:
    answer = alice.get("/activity?q=janet&state=&source=&days=", headers=AS_TYPED)
    text = answer.get_data(as_text=True)
    assert "janet@doeinc.com" in text
    assert "<html" not in text
    assert "1 message</p>" in text
    assert answer.headers["HX-Replace-Url"] == "/activity?q=janet"
    assert "HX-Push-Url" not in answer.headers
    assert "HX-Request" in answer.headers["Vary"]


def test_a_choice_can_be_taken_back_by_going_back(alice: Actor, addresses: list[str]) -> None:
    headers = AS_TYPED | {"HX-Trigger-Name": "state"}
    answer = alice.get("/activity?q=jane&state=waiting", headers=headers)
    assert answer.headers["HX-Push-Url"] == "/activity?q=jane&state=waiting"


def test_nothing_found_leads_back_to_all(alice: Actor, addresses: list[str]) -> None:
    page = alice.get("/activity?q=nobody").get_data(as_text=True)
    assert "No message fits." in page
    assert 'href="/activity"' in page
    assert 'value="nobody"' in page
