"""One resolver, many threads."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from kartramail.adapters.resolver import Resolver
from kartramail.adapters.single_flight import SingleFlight
from kartramail.rules.dns_answers import Found, RecordType
from tests.support.dns_server import DnsServer


def test_one_question_of_many_threads_is_asked_once(dns: DnsServer) -> None:
    dns.slow("doeinc.test", 0.2)
    resolver = Resolver([dns.address], timeout=10)
    start = Barrier(8)

    def look_up(_: int) -> object:
        start.wait()
        return resolver.lookup("doeinc.test", RecordType.MX)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(look_up, range(8)))
    assert all(isinstance(answer, Found) for answer in answers)
    assert dns.count("doeinc.test") == 1


def test_a_fresh_look_up_does_not_join_one_under_way(dns: DnsServer) -> None:
    """R-CHECK: the one under way may have been answered before "check now" was pressed."""
    dns.slow("doeinc.test", 0.1)
    resolver = Resolver([dns.address], timeout=10)
    with ThreadPoolExecutor(3) as threads:
        asked = [
            threads.submit(resolver.lookup, "doeinc.test", RecordType.MX, fresh=True)
            for _ in range(3)
        ]
        assert all(isinstance(each.result(), Found) for each in asked)
    assert dns.count("doeinc.test") == 3


def test_many_names_from_many_threads_with_a_small_cache(dns: DnsServer) -> None:
    for number in range(20):
        dns.add(f"n{number}.test", "A", f"192.0.2.{number}")
    resolver = Resolver([dns.address], timeout=10, cache_size=5)

    def look_up(number: int) -> bool:
        answer = resolver.lookup(f"n{number % 20}.test", RecordType.A)
        return isinstance(answer, Found) and answer.records == (f"192.0.2.{number % 20}",)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(look_up, range(200)))


def test_who_joins_a_run_does_not_wait_past_the_deadline() -> None:
    flights: SingleFlight[str, int] = SingleFlight()
    begun, may_end = Event(), Event()

    def work() -> int:
        begun.set()
        may_end.wait()
        return 1

    with ThreadPoolExecutor(1) as threads:
        leader = threads.submit(flights.run, "key", work, time.monotonic())
        begun.wait()
        with pytest.raises(TimeoutError):
            flights.run("key", lambda: 2, time.monotonic())
        may_end.set()
        assert leader.result() == 1
    assert flights.run("key", lambda: 3, time.monotonic()) == 3


def test_what_a_run_raises_is_raised_and_not_kept() -> None:
    flights: SingleFlight[str, int] = SingleFlight()
    with pytest.raises(ZeroDivisionError):
        flights.run("key", lambda: 1 // 0, time.monotonic())
    assert flights.run("key", lambda: 1, time.monotonic()) == 1
