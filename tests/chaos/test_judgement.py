"""What a run is judged by: each promise, broken once, is told."""

from collections import Counter
from dataclasses import replace

from kartramail.outbox.models import MessageState
from tests.chaos.aim import Look
from tests.chaos.arrivals import Arrival
from tests.chaos.kills import Kill
from tests.chaos.outcome import Ends, Outcome
from tests.chaos.plan import Aim, Plan, Victim, longest_hold
from tests.chaos.tally import ByApi, Tally

CUT_OFF, OTHER = 1, 2  # a connection that a kill cut off, and one that it did not
KILL = Kill(Victim.WORKER, Aim.BUSY, is_sending=True, look=Look(frozenset({CUT_OFF})))
FIRST = Arrival(CUT_OFF, 40_001, "a", "<a@kartra.com>")
AGAIN = Arrival(3, 40_001, "a", "<a@kartra.com>")
SECOND = Arrival(OTHER, 40_002, "b", "<b@kartra.com>")


def judge(arrivals: list[Arrival], **changes: object) -> list[str]:
    """Two messages, both sent, one worker killed."""
    tally = Tally(Counter({MessageState.SENT: 2}), arrivals, lost=0, strangers=0, api=ByApi())
    tally = replace(tally, **{k: changes.pop(k) for k in ("lost", "api") if k in changes})  # type: ignore[arg-type]
    outcome = Outcome(
        plan=Plan(2, {Victim.WORKER: 1}),
        tally=tally,
        kills=[KILL],
        outages=[],
        ends=Ends(fallen=[], orphans=[(0, 1.0)], supervisor=0, declared_dead=0),
        longest_held=0.0,
        seconds=1.0,
    )
    return replace(outcome, **changes).broken_promises()  # type: ignore[arg-type]


def test_a_copy_of_what_was_on_the_wire_of_a_killed_process_is_allowed() -> None:
    assert judge([FIRST, SECOND, AGAIN]) == []


def test_a_copy_that_no_kill_explains_is_told() -> None:
    assert judge([FIRST, SECOND, replace(SECOND, connection=4)]) == [
        "1 copies that no kill explains, 0 at most"
    ]


def test_a_second_copy_of_one_connection_is_told() -> None:
    before = Arrival(CUT_OFF, 40_001, "b", "<b@kartra.com>")
    assert judge([before, FIRST, SECOND, AGAIN]) == [
        "2 copies of one connection",
        "2 copies of the kill of a worker, 1 at most",
    ]


def test_a_copy_under_another_message_id_is_told() -> None:
    assert judge([FIRST, SECOND, replace(AGAIN, message_id="<c@kartra.com>")]) == [
        "a copy has another Message-ID"
    ]


def test_mail_that_is_lost_is_told() -> None:
    assert judge([FIRST, SECOND], lost=1) == ["1 messages are lost"]


def test_mail_that_a_dead_worker_holds_for_longer_than_the_lease_is_told() -> None:
    most = longest_hold(Plan(2).lease)
    assert judge([FIRST, SECOND], longest_held=most) == []
    assert len(judge([FIRST, SECOND], longest_held=most + 0.1)) == 1


def test_messages_that_were_accepted_and_are_not_there_or_twice_are_told() -> None:
    assert judge([FIRST, SECOND], api=ByApi(asked=2, accepted=2)) == []
    assert len(judge([FIRST, SECOND], api=ByApi(asked=2, accepted=2, missing=1))) == 1
    assert len(judge([FIRST, SECOND], api=ByApi(asked=2, accepted=2, double=1))) == 1
    assert len(judge([FIRST, SECOND], api=ByApi(asked=2, accepted=1))) == 1


def test_processes_that_end_by_themselves_or_not_at_all_are_told() -> None:
    ends = Ends(fallen=["worker-0 with 1"], orphans=[(0, 60.0)], supervisor=1, declared_dead=0)
    assert len(judge([FIRST, SECOND], ends=ends)) == 3
