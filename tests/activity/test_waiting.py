"""What waits, and why; pausing it and letting it leave again (R-FAIR)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from lxml import html
from lxml.html import HtmlElement
from sqlmodel import select

from kartramail.accounts.history import list_changes
from kartramail.accounts.history_words import describe_change
from kartramail.clock import now
from kartramail.db import Database
from kartramail.ids import show_id
from kartramail.outbox import waiting as queue
from kartramail.outbox.lanes import PLATFORM, lane_id_for
from kartramail.outbox.models import Lane, LaneState
from kartramail.outbox.waiting import WaitingLane, WaitReason
from kartramail.rules.streams import Stream
from tests.activity.test_list import add
from tests.support.cast import Actor
from tests.support.statements import heard


def waits_in(
    lane_id: int,
    stream: Stream,
    source: str,
    reason: WaitReason,
    count: int = 1,
    count_is_more: bool = False,
    since: datetime | None = None,
    until: datetime | None = None,
    words: str = "",
) -> WaitingLane:
    at = since or now()
    return WaitingLane(lane_id, stream, source, count, count_is_more, at, reason, until, words)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[WaitingLane]:
    """What the outbox says of Alice; whoever else asks has nothing that waits."""
    said: list[WaitingLane] = []

    def say(_: Any, account_id: int, **_settings: object) -> list[WaitingLane]:
        return [one for one in said if one.lane_id in _lanes_of(_, account_id)]

    monkeypatch.setattr(queue, "waiting", say)
    return said


def _lanes_of(session: Any, account_id: int) -> list[int]:
    return list(session.exec(select(Lane.id).where(Lane.account_id == account_id)))


def lane_of(
    db: Database, actor: Actor, stream: Stream = Stream.COMMERCIAL, source: str = "mail"
) -> int:
    with db.transaction() as session:
        return lane_id_for(session, actor.account_id, stream, source)


def shown(actor: Actor, path: str = "/activity/waiting") -> HtmlElement:
    answer = actor.get(path)
    assert answer.status_code == 200
    return html.fromstring(answer.get_data(as_text=True)).xpath("//section[@id='waiting']")[0]


def read(element: HtmlElement) -> str:
    return " ".join(element.text_content().split())


def history(db: Database, actor: Actor) -> list[tuple[str | None, str]]:
    with db.reading() as session:
        changes = list_changes(session, actor.account_id)
    return [(one.who, describe_change(one)) for one in changes if "mail" in one.after]


def switch(actor: Actor, lane_id: int, what: str) -> str:
    answer = actor.post(f"/activity/lanes/{show_id(lane_id)}/{what}")
    assert (answer.status_code, answer.location) == (303, "/activity/waiting")
    return " ".join(actor.get("/activity/waiting").get_data(as_text=True).split())


def test_nothing_waits(alice: Actor, waits: list[WaitingLane]) -> None:
    assert "Nothing waits." in read(shown(alice))


@pytest.mark.parametrize("reason", list(WaitReason))
def test_each_reason_says_since_when_until_when_why_and_what_to_do(
    db: Database, alice: Actor, waits: list[WaitingLane], reason: WaitReason
) -> None:
    lane_id = lane_of(db, alice)
    at = now()
    since, until = at - timedelta(days=9), at + timedelta(days=9)
    waits.append(waits_in(lane_id, Stream.COMMERCIAL, "mail", reason, 10_000, True, since, until))
    (line,) = shown(alice).xpath(".//li")
    said = read(line)
    assert said.startswith("Commercial mail")
    about_since = "paused since" if reason is WaitReason.HELD else "since"
    about_until = {WaitReason.NOT_DUE: "the next at", WaitReason.SERVER: "the next try at"}
    assert f"More than 10,000 messages, {about_since} {since:%-d %b, %H:%M}, " in said
    assert f", {about_until.get(reason, 'until')} {until:%-d %b, %H:%M}. " in said
    (advice,) = line.xpath(".//p[last()]")
    assert read(advice).endswith(".")


@pytest.mark.parametrize("reason", [WaitReason.HELD, WaitReason.DAILY_LIMIT])
@pytest.mark.parametrize(("stream", "days"), [(Stream.TRANSACTIONAL, 5), (Stream.COMMERCIAL, 30)])
def test_what_is_kept_back_on_purpose_is_not_promised_to_leave_however_late(
    db: Database,
    alice: Actor,
    waits: list[WaitingLane],
    reason: WaitReason,
    stream: Stream,
    days: int,
) -> None:
    """Its time goes on meanwhile (R-RETRY)."""
    waits.append(waits_in(lane_of(db, alice), stream, "mail", reason))
    said = f"What has waited for {days} days by then is not sent any more."
    assert said in read(shown(alice))


def test_the_servers_words_stand_behind_the_reason_as_they_are(
    db: Database, alice: Actor, waits: list[WaitingLane]
) -> None:
    words = "The server said <b>no</b>."
    waits.append(
        waits_in(lane_of(db, alice), Stream.COMMERCIAL, "mail", WaitReason.SERVER, words=words)
    )
    assert f"The mail server cannot be reached. {words}" in read(shown(alice))


def test_the_list_says_it_in_short(db: Database, alice: Actor, waits: list[WaitingLane]) -> None:
    add(db, alice)
    assert "Nothing waits." in read(shown(alice, "/activity"))
    waits.append(waits_in(lane_of(db, alice), Stream.COMMERCIAL, "mail", WaitReason.NOT_DUE))
    panel = shown(alice, "/activity")
    assert "Commercial mail" in read(panel)
    assert panel.xpath(".//a/@href") == ["/activity/waiting"]
    assert not panel.xpath(".//button")


def test_a_page_is_sent_only_what_it_does_not_show(
    db: Database, alice: Actor, waits: list[WaitingLane]
) -> None:
    (path,) = shown(alice).xpath("@hx-get")
    assert alice.get(path).status_code == 204
    waits.append(waits_in(lane_of(db, alice), Stream.COMMERCIAL, "mail", WaitReason.NOT_DUE))
    assert "Commercial mail" in read(shown(alice, path))
    assert shown(alice, path).xpath(".//form")


def test_times_that_are_over_or_to_come_are_left_out(
    db: Database, alice: Actor, waits: list[WaitingLane]
) -> None:
    since, until = now() + timedelta(hours=1), now() - timedelta(hours=1)
    lane_id = lane_of(db, alice)
    for reason in (WaitReason.NOT_DUE, WaitReason.SERVER):
        waits.append(waits_in(lane_id, Stream.COMMERCIAL, "mail", reason, since=since, until=until))
    lines = [read(line) for line in shown(alice).xpath(".//li")]
    assert "1 message. This mail waits" in lines[0]
    assert "1 message. The mail server cannot" in lines[1]


def test_a_lane_is_paused_and_resumed_once_in_the_history(
    db: Database, alice: Actor, bob: Actor
) -> None:
    lane_id = lane_of(db, alice)
    assert "Paused. What is on its way still arrives" in switch(bob, lane_id, "pause")
    assert "It was paused before. Nothing changed." in switch(alice, lane_id, "pause")
    assert "No message, paused since" in read(shown(alice))  # it holds back whatever comes
    assert "Resumed. What waited leaves now." in switch(alice, lane_id, "resume")
    assert "It was not paused. Nothing changed." in switch(alice, lane_id, "resume")
    assert history(db, alice) == [
        (alice.full_name, "Let commercial mail leave again"),
        (bob.full_name, "Paused commercial mail"),
    ]
    assert "Nothing waits." in read(shown(alice))


def test_pausing_is_one_update_however_many_wait(
    db: Database, alice: Actor, waits: list[WaitingLane]
) -> None:
    """R-FAIR: no row of the messages is touched."""
    lane_id = lane_of(db, alice)
    add(db, alice, 50, stream=Stream.COMMERCIAL)
    with heard(db) as statements:
        alice.post(f"/activity/lanes/{show_id(lane_id)}/pause")
    updates = [words for words, _ in statements if words.lstrip().upper().startswith("UPDATE")]
    assert len([words for words in updates if words.startswith("UPDATE lane ")]) == 1
    assert not [words for words in updates if words.startswith("UPDATE message ")]


def test_receipts_are_paused_only_after_a_second_look(
    db: Database, alice: Actor, waits: list[WaitingLane]
) -> None:
    lane_id = lane_of(db, alice, Stream.TRANSACTIONAL)
    waits.append(waits_in(lane_id, Stream.TRANSACTIONAL, "mail", WaitReason.NOT_DUE))
    (second_look,) = shown(alice).xpath(".//details")
    assert "Receipts, confirmations and reminders will wait, too" in read(second_look)
    assert len(shown(alice).xpath(".//form")) == len(second_look.xpath(".//form")) == 1


def test_the_platforms_lane_is_never_paused(
    db: Database, alice: Actor, waits: list[WaitingLane]
) -> None:
    lane_id = lane_of(db, alice, Stream.TRANSACTIONAL, PLATFORM)
    waits.append(waits_in(lane_id, Stream.TRANSACTIONAL, PLATFORM, WaitReason.NO_WORKER))
    assert "Mail of this system" in read(shown(alice))
    assert not shown(alice).xpath(".//form")
    for what in ("pause", "resume"):
        assert alice.post(f"/activity/lanes/{show_id(lane_id)}/{what}").status_code == 404
    with db.reading() as session:
        lane = session.get(Lane, lane_id)
    assert lane is not None
    assert lane.state is LaneState.OPEN


def test_a_stranger_finds_no_lane(
    db: Database, alice: Actor, charlie: Actor, waits: list[WaitingLane]
) -> None:
    lane_id = lane_of(db, alice)
    waits.append(waits_in(lane_id, Stream.COMMERCIAL, "mail", WaitReason.NOT_DUE))
    for what in ("pause", "resume"):
        assert_not_here(charlie, f"/activity/lanes/{show_id(lane_id)}/{what}")
    assert "Nothing waits." in read(shown(charlie))
    assert history(db, alice) == []


@pytest.mark.parametrize("what", ["pause", "resume"])
def test_a_lane_that_is_gone_is_said_to_be_and_the_page_leads_on(
    db: Database, alice: Actor, what: str
) -> None:
    lane_id = lane_of(db, alice)
    with db.transaction() as session:
        session.delete(session.get_one(Lane, lane_id))
    for shown_id in (show_id(lane_id), "none"):
        assert_not_here(alice, f"/activity/lanes/{shown_id}/{what}")
    assert history(db, alice) == []


def assert_not_here(actor: Actor, path: str) -> None:
    answer = actor.post(path)
    assert answer.status_code == 404
    page = html.fromstring(answer.get_data(as_text=True))
    said = read(page.xpath("//main")[0])
    assert "There is no such mail in this account. Nothing was paused or resumed." in said
    assert page.xpath("//main//a[.//text()='See what waits']/@href") == ["/activity/waiting"]


def test_a_button_of_a_page_of_another_account_pauses_nothing(
    db: Database, alice: Actor, charlie: Actor
) -> None:
    """Alice works in two accounts; the page is still that of the other one."""
    lane_id = lane_of(db, alice)
    answer = alice.post(
        f"/activity/lanes/{show_id(lane_id)}/pause", {"opened_in": show_id(charlie.account_id)}
    )
    assert answer.status_code == 409
    assert "Nothing was done. You are working in" in answer.get_data(as_text=True)
    assert "Nothing waits." in read(shown(alice))
    assert history(db, alice) == []


def test_what_the_outbox_itself_says_is_shown(db: Database, alice: Actor) -> None:
    """Nothing stands in for anything here: two that are due, and no process that delivers."""
    add(db, alice, 2)
    assert "2 messages, since" in read(shown(alice))
    assert "The process that delivers mail is not running." in read(shown(alice))
