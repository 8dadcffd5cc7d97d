"""R-LOG, R-SCALE: whatever is looked for, no query reads all messages, however many there are."""

import pytest
from sqlalchemy import text

from kartramail.activity.filters import Filters
from kartramail.activity.queries import MOST_BY_ADDRESS, PAGE, WINDOW, Found, find_messages
from kartramail.assets.service import create_asset
from kartramail.db import Database
from kartramail.ids import show_id
from tests.activity.many import add_many, planned, rows_read
from tests.support.cast import Actor

COUNT = 3 * WINDOW


@pytest.fixture
def asset_id(db: Database, alice: Actor, charlie: Actor) -> int:
    """Alice's calendar, among very many messages of hers; Charlie has as many."""
    with db.transaction() as session:
        asset = create_asset(session, alice.account_id, "calendar", "First consultation")
        add_many(session, alice.account_id, COUNT, asset.id)
        add_many(session, charlie.account_id, COUNT, offset=1)
        session.connection().execute(text("ANALYZE"))
    return asset.id


def find(db: Database, alice: Actor, wanted: Filters) -> Found:
    with db.reading() as session:
        return find_messages(session, alice.account_id, wanted)


def find_while_an_index_seems_dear(db: Database, alice: Actor, wanted: Filters) -> None:
    """As where its pages have grown by what was deleted, which is so or not by what ran before.

    A window of rows by an index then costs, by PostgreSQL's reckoning, more than all rows there
    are here. That it does not read them must not depend on that.
    """
    if db.is_sqlite:
        return
    with db.reading() as session:
        session.connection().execute(text("SET LOCAL random_page_cost = 12"))
        find_messages(session, alice.account_id, wanted)


def test_no_query_reads_all_messages(db: Database, alice: Actor, asset_id: int) -> None:
    shown = f"asset:{show_id(asset_id)}"
    looks = [
        Filters(),
        Filters(state="sent"),
        Filters(state="waiting"),
        Filters(state="trouble"),
        Filters(state="failed"),
        Filters(state="failed", source="test"),
        Filters(source="api"),
        Filters(source="sample"),
        Filters(source="kind:calendar"),
        Filters(source="type:calendar.booked"),
        Filters(source=shown),
        Filters(source=shown, state="bounced"),
        Filters(source=shown, state="sent", days=1),
        Filters(q="r777@example.net"),
        Filters(q="r777"),
        Filters(q="r77", state="bounced"),
        Filters(q="r"),
        Filters(q="r", state="failed", source=shown),
        Filters(q="nobody@example.net"),
        Filters(q="@rare.example"),
        Filters(q="@example.net"),
        Filters(days=7),
        Filters(days=7, state="waiting"),
    ]
    with planned(db) as statements:
        for wanted in looks:
            older = find(db, alice, wanted).older
            if older is not None:
                find(db, alice, Filters(wanted.q, wanted.state, wanted.source, before=older))
            find_while_an_index_seems_dear(db, alice, wanted)
    assert len(statements) > len(looks)
    for statement, plan in statements:
        lines = [line for line in plan if " message" in line]
        assert lines, statement
        for line in lines:
            if db.is_sqlite:
                assert line.startswith("SEARCH message USING"), (line, statement)
                assert "account_id=?" in line or "rowid=?" in line, (line, statement)
            else:
                assert "Seq Scan" not in line, (line, statement)
                assert rows_read(line) <= WINDOW + 10 * PAGE, (line, statement)


@pytest.mark.parametrize("wanted", [
    Filters(state="failed"), Filters(source="type:calendar.booked"), Filters(q="@rare.example"),
], ids=str)  # fmt: skip
def test_what_is_rare_and_old_is_found_by_looking_further(
    db: Database, alice: Actor, asset_id: int, wanted: Filters
) -> None:
    looks, before = 0, None
    while True:
        found = find(db, alice, Filters(wanted.q, wanted.state, wanted.source, before=before))
        looks += 1
        if found.further is None:
            break
        assert not found.rows
        assert found.looked_back_to is not None
        before = found.further
    assert len(found.rows) == 1
    is_by_index = wanted.state == "failed"  # few are in trouble, and those have an index
    assert looks == (1 if is_by_index else COUNT // WINDOW)


def test_a_page_says_where_it_stopped_and_links_on(alice: Actor, asset_id: int) -> None:
    page = alice.get("/activity?q=@rare.example").get_data(as_text=True)
    assert "No message fits so far." in page
    assert "The newest 20,000 messages were looked at" in page
    assert "Look further back" in page
    assert "q=%40rare.example&amp;before=" in page


def test_addresses_that_begin_so_come_the_newest_first_and_whole(
    db: Database, alice: Actor, asset_id: int
) -> None:
    """Few enough to be sorted, or too many: no matter, as one reads from page to page."""
    for prefix in ("r777@", "r7", "r123", "r"):
        seen: list[int] = []
        before = None
        for _ in range(3):
            found = find(db, alice, Filters(q=prefix, before=before))
            seen += [row.id for row in found.rows]
            assert all(row.to_addr.startswith(prefix) for row in found.rows)
            before = found.older
            if before is None:
                break
        assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == 3 * PAGE
    assert MOST_BY_ADDRESS < WINDOW
