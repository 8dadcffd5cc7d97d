"""What a domain may hold, when it is closed and opened again, and what is said of it (R-FAIR)."""

import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest

from kartramail.delivery.destinations import MOST_KEPT, Clock, Closed, Destinations
from kartramail.rules.replies import Accepted, Deferred, Refused, Reply, Stage
from kartramail.rules.streams import Stream

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
OK = Accepted(250, "2.0.0 Ok", "relay:25")
BUSY = Deferred(Stage.RCPT, 421, "4.7.0 Too many messages", "relay:25")


class Fixture:
    """A register with a clock that stands still until it is told, and no chance."""

    def __init__(self, connections: int = 16) -> None:
        self.at = 1000.0
        clock = Clock(lambda: self.at, lambda: BEGIN + timedelta(seconds=self.at - 1000))
        self.of = Destinations(connections, clock, lambda: 0.0)

    def send(self, domain: str, seconds: float, reply: Reply = OK, times: int = 1) -> None:
        """Messages one after the other, each admitted, each taking so long."""
        for _ in range(times):
            assert self.of.admit(domain)
            self.at += seconds
            self.of.settle(domain, seconds, reply)

    def fill(self, domain: str) -> int:
        """How many go on the wire at once; they are taken back."""
        count = 0
        while count < 100 and self.of.admit(domain):
            count += 1
        for _ in range(count):
            self.of.withdraw(domain)
        return count

    def wait_for(self, domain: str, stream: Stream = Stream.COMMERCIAL) -> float:
        """Seconds until the next slot."""
        return (self.of.next_slot(domain, stream) - BEGIN).total_seconds() - (self.at - 1000)


@pytest.fixture
def a() -> Fixture:
    fixture = Fixture()
    fixture.send("quick.net", 0.005)
    return fixture


def test_a_quick_domain_may_hold_every_connection(a: Fixture) -> None:
    assert a.fill("quick.net") == 100


def test_a_domain_that_never_answered_takes_a_quarter_at_most(a: Fixture) -> None:
    assert a.fill("new.net") == 4
    a.send("new.net", 0.005)
    assert a.fill("new.net") == 100


def test_a_new_domain_that_hangs_is_slow_before_it_answers(a: Fixture) -> None:
    assert a.of.admit("new.net")
    assert a.of.admit("new.net")
    a.at += 2
    assert not a.of.admit("new.net")
    assert 1 <= a.wait_for("new.net") <= 3


def test_what_waits_behind_another_message_neither_hangs_nor_takes_a_place(a: Fixture) -> None:
    for _ in range(4):
        assert a.of.admit("new.net")
    since = a.at
    a.at += 0.1
    assert not a.of.admit("new.net")
    for _ in range(4):
        a.of.excuse("new.net", since)
    a.at += 5
    assert a.fill("new.net") == 4
    a.of.settle("new.net", 0.005, OK, is_excused=True)
    assert a.fill("new.net") == 100


def test_of_two_only_the_one_that_waits_behind_another_is_excused(a: Fixture) -> None:
    assert a.of.admit("new.net")
    a.at += 0.1
    assert a.of.admit("new.net")
    a.of.excuse("new.net", a.at)
    a.at += 0.95
    assert a.of.admit("new.net")  # the first one hangs: as a slow domain it may hold two
    assert not a.of.admit("new.net")


def test_slow_domains_share_an_eighth(a: Fixture) -> None:
    for domain in ("one.net", "two.net", "three.net"):
        a.send(domain, 5.0)
    assert a.of.admit("one.net")
    assert a.of.admit("two.net")
    assert not a.of.admit("one.net")
    assert not a.of.admit("three.net")
    a.of.settle("one.net", 5.0, OK)
    assert a.of.admit("three.net")
    assert a.fill("quick.net") == 100


@pytest.mark.parametrize("connections", [1, 2, 4])
def test_with_few_connections_slow_ones_rest_between(connections: int) -> None:
    a = Fixture(connections)
    a.send("quick.net", 0.005)
    for _ in range(3):
        a.send("slow.net", 5.0)
        ended_at = a.at
        assert not a.of.admit("slow.net")
        a.at = ended_at + 5.0 * (8 / connections - 1) + 0.1


def test_a_few_slow_answers_among_many_quick_ones_do_no_harm(a: Fixture) -> None:
    a.send("big.net", 0.005, times=100)
    for _ in range(20):
        a.send("big.net", 5.0)
        a.send("big.net", 0.005, times=10)
        assert a.fill("big.net") == 100


def test_a_quick_domain_that_goes_silent_is_slow_when_enough_hang(a: Fixture) -> None:
    a.send("big.net", 0.005, times=100)
    for _ in range(6):
        assert a.of.admit("big.net")
    a.at += 0.5
    assert a.of.admit("big.net")
    a.at += 1
    assert not a.of.admit("big.net")


def test_it_is_quick_again_after_some_quick_answers(a: Fixture) -> None:
    a.send("slow.net", 5.0, times=20)
    assert a.fill("slow.net") == 2
    a.send("slow.net", 0.005, times=10)
    assert a.fill("slow.net") == 100
    assert a.wait_for("slow.net") == pytest.approx(1)


def test_where_all_are_slow_nobody_is_to_blame(a: Fixture) -> None:
    """A relay that takes its time: a domain may hold half, the rest is for who comes."""
    domains = [f"domain{n}.net" for n in range(10)]
    for _ in range(20):
        for domain in domains:
            if a.of.admit(domain):
                a.at += 2
                a.of.settle(domain, 2.0, OK)
            a.at += 3  # whatever must rest has rested
    assert {a.fill(domain) for domain in domains} == {8}
    assert a.of.notes() == {}


# -- pauses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "codes"),
    [
        (BUSY, "421 4.7.0"),
        (Deferred(Stage.DATA, 421, "Try again later", "relay:25"), "421"),
        (Deferred(Stage.END_OF_DATA, 451, "4.7.28 Unusual rate", "relay:25"), "451 4.7.28"),
        (Deferred(Stage.RCPT, 450, "4.7.1 Too many connections", "relay:25"), "450 4.7.1"),
    ],
)
def test_it_is_closed_when_it_asks_to_slow_down(a: Fixture, reply: Reply, codes: str) -> None:
    a.send("busy.net", 0.005, reply)
    assert not a.of.admit("busy.net")
    assert a.wait_for("busy.net") == pytest.approx(30)
    words = f"busy.net asked us to slow down: {codes}"
    assert a.of.closed() == {
        "busy.net": Closed(BEGIN + timedelta(seconds=a.at - 1000 + 30), 0, words)
    }
    assert a.of.notes() == a.of.closed()


def test_other_accounts_do_not_learn_whose_message_it_was_about(a: Fixture) -> None:
    """The pause is everybody's, and its words stand in everybody's Activity."""
    words = "4.7.28 <pat@busy.net>: unusual rate from your DKIM domain [doeinc.com]"
    a.send("busy.net", 0.005, Deferred(Stage.RCPT, 421, words, "relay:25"))
    (told,) = a.of.notes().values()
    assert told.words == "busy.net asked us to slow down: 421 4.7.28"


@pytest.mark.parametrize(
    "reply",
    [
        Deferred(Stage.MAIL, 421, "4.7.0 Too many messages", "relay:25"),
        Deferred(Stage.GREETING, 421, "Too busy", "relay:25"),
        Deferred(Stage.RCPT, 450, "4.2.2 Mailbox full", "relay:25"),
        Deferred(Stage.RCPT, 450, "4.7.1 Greylisted, come back in 5 minutes", "relay:25"),
        Deferred(Stage.END_OF_DATA, None, "The connection broke.", "relay:25", in_doubt=True),
        Refused(Stage.RCPT, 550, "5.7.1 No", "relay:25"),
        OK,
    ],
)
def test_it_stays_open_for_what_is_not_about_its_rate(a: Fixture, reply: Reply) -> None:
    a.send("open.net", 0.005, reply)
    assert a.of.admit("open.net")
    assert a.of.closed() == {}


def test_pauses_double_up_to_a_quarter_of_an_hour(a: Fixture) -> None:
    pauses = []
    for _ in range(8):
        a.send("busy.net", 0.005, BUSY)
        pauses.append(round(a.wait_for("busy.net")))
        a.at += pauses[-1] + 0.1
    assert pauses == [30, 60, 120, 240, 480, 900, 900, 900]


def test_what_was_under_way_when_it_closed_does_not_close_it_longer(a: Fixture) -> None:
    a.send("busy.net", 0.005)
    for _ in range(10):
        assert a.of.admit("busy.net")
    for _ in range(10):
        a.of.settle("busy.net", 0.005, BUSY)
    assert a.wait_for("busy.net") == pytest.approx(30)


def test_after_a_pause_it_begins_with_one_and_grows_with_each_success(a: Fixture) -> None:
    a.send("busy.net", 0.005, BUSY)
    a.at += 31
    limits = []
    for _ in range(200):
        limits.append(a.fill("busy.net"))
        a.send("busy.net", 0.005)
    assert limits[:7] == [1, 2, 2, 3, 3, 3, 4]
    assert limits[-1] == 100
    a.send("busy.net", 0.005, BUSY)
    assert a.wait_for("busy.net") == pytest.approx(30)  # it was at ease: from the beginning


def test_what_waits_for_a_pause_comes_back_spread(a: Fixture) -> None:
    a.send("busy.net", 0.1, BUSY)
    waits = [a.wait_for("busy.net") for _ in range(50)]
    assert min(waits) == pytest.approx(30)
    assert waits == sorted(waits)
    assert max(waits) == pytest.approx(30 + 49 * 0.1)


def test_slots_of_a_slow_domain_lie_as_far_apart_as_it_serves(a: Fixture) -> None:
    a.send("slow.net", 5.0, times=10)
    waits = [a.wait_for("slow.net") for _ in range(5)]
    assert waits == pytest.approx([1, 3.5, 6, 8.5, 11])


def test_no_slot_is_further_away_than_a_quarter_of_an_hour(a: Fixture) -> None:
    for _ in range(100):  # for more than half of that, while others are quick
        a.send("slow.net", 5.0)
        a.send("quick.net", 0.005)
    waits = [a.wait_for("slow.net") for _ in range(2_000)]
    assert max(waits) <= 900.1
    assert all(wait >= 599.9 for wait in waits[400:])


def test_what_a_hiccup_put_off_comes_back_in_seconds(a: Fixture) -> None:
    """The first message takes a second and a half, and a list of 150 to one domain waits."""
    for _ in range(4):
        assert a.of.admit("new.net")
    waits = [a.wait_for("new.net") for _ in range(75)]
    a.at += 1.5
    waits += [1.5 + a.wait_for("new.net") for _ in range(75)]
    assert max(waits) < 8


def test_urgent_mail_does_not_wait_behind_a_list(a: Fixture) -> None:
    a.send("slow.net", 5.0, times=10)
    waits = [a.wait_for("slow.net") for _ in range(2_000)]
    assert max(waits) > 60
    assert a.wait_for("slow.net", Stream.TRANSACTIONAL) == pytest.approx(1)
    assert a.wait_for("slow.net", Stream.TRANSACTIONAL) == pytest.approx(3.5)


def test_millions_of_rows_come_back_spread_and_in_time(a: Fixture) -> None:
    a.send("slow.net", 5.0, times=10)
    waits = [a.wait_for("slow.net") for _ in range(500_000)]
    assert max(waits) <= 900.1
    in_a_minute = sorted(waits)[:: len(waits) // 20]
    assert in_a_minute[-1] - in_a_minute[1] > 200


# -- told by and to others --------------------------------------------------------------------


def test_a_slow_domain_is_told_with_its_seconds(a: Fixture) -> None:
    a.send("slow.net", 5.0, times=10)
    (noted,) = a.of.notes().items()
    assert noted[0] == "slow.net"
    assert noted[1].concurrency == 2
    assert noted[1].words.startswith("slow.net answers slowly (5.0 s)")
    assert a.of.closed() == {}


def test_another_process_learns_what_is_closed_and_what_is_slow(a: Fixture) -> None:
    a.send("slow.net", 5.0)
    a.send("busy.net", 0.005, BUSY)
    other = Fixture()
    other.at = a.at
    other.send("quick.net", 0.005)
    other.of.learn(a.of.notes())
    assert not other.of.admit("busy.net")
    assert other.of.closed()["busy.net"].words == a.of.closed()["busy.net"].words
    assert other.fill("slow.net") == 2
    other.at += 31
    assert other.fill("busy.net") == 1


def test_it_learns_nothing_new_from_its_own_words(a: Fixture) -> None:
    a.send("busy.net", 0.005, BUSY)
    before = a.of.closed()
    a.at += 10
    a.of.learn(before)
    assert a.of.closed() == before
    a.at += 21
    a.of.learn(before)
    a.send("busy.net", 0.005)
    assert a.fill("busy.net") == 2


def test_what_it_knows_better_is_not_taken_from_others(a: Fixture) -> None:
    a.of.learn({"quick.net": Closed(BEGIN + timedelta(hours=1), 2, "quick.net answers slowly")})
    assert a.fill("quick.net") == 100


def test_a_pause_of_others_is_never_believed_to_be_endless(a: Fixture) -> None:
    a.of.learn({"quick.net": Closed(BEGIN + timedelta(days=9), 0, "x")})
    a.at += 15 * 60 + 1
    assert a.of.admit("quick.net")


def test_what_nobody_writes_to_any_more_is_not_told_for_ever(a: Fixture) -> None:
    a.send("slow.net", 5.0, times=10)
    a.at += 17 * 60
    assert a.of.notes() == {}
    assert a.fill("slow.net") == 4  # unknown again


# -- memory, threads --------------------------------------------------------------------------


def test_it_keeps_ten_thousand_domains_at_most_and_never_forgets_what_is_under_way(
    a: Fixture,
) -> None:
    assert a.of.admit("under-way.net")
    for n in range(3 * MOST_KEPT):
        a.at += 0.01
        a.send(f"domain{n}.net", 0.0)
        if n % 100 == 0:
            a.send("quick.net", 0.005)
        assert len(a.of._domains) <= MOST_KEPT
    assert a.fill("quick.net") == 100  # who writes often is known
    a.of.settle("under-way.net", 5.0, OK)


def test_it_counts_right_with_many_threads() -> None:
    of = Destinations(64)
    of.settle("one.net", 0.001, OK)
    of.learn({"two.net": Closed(BEGIN, 1, "over already")})
    most: list[int] = []

    def work() -> None:
        for n in range(2_000):
            domain = ("one.net", "two.net", f"other{n}.net")[n % 3]
            if of.admit(domain):
                most.append(len(of._domains[domain].starts))
                of.settle(domain, 0.001, OK)

    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(switch)
    assert all(one.is_idle for one in of._domains.values())
    assert max(most) <= 8
