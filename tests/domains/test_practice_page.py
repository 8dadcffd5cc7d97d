"""R-DOMAIN, point 9 of practice: the page publishes, breaks and takes away made-up records."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest
from flask import Flask

from kartramail import create_app
from kartramail.domains.checklist import Checklist
from kartramail.sandbox.practice_mistakes import MISTAKES
from kartramail.sandbox.practice_zone import PracticeZone
from tests.conftest import make_settings
from tests.sandbox.practice import practice_dns
from tests.senders.reading import text_of
from tests.support.cast import Actor, make_alice, make_charlie
from tests.support.domains import show

PAGE = "/settings/domains/doeinc.test"


@dataclass(frozen=True)
class TryOut:
    """A try-out with its practice DNS, in which Alice has a made-up domain."""

    app: Flask
    alice: Actor

    def do(self, action: str, record: str = "all", mistake: str = "") -> None:
        typed = {"action": action, "record": record, "mistake": mistake}
        answer = self.alice.post(f"{PAGE}/practice", typed)
        assert answer.status_code == 303, answer.text

    def show(self) -> Checklist:
        return show(self.app.extensions["kartramail"], self.alice.account_id, "doeinc.test")

    def problem(self, key: str) -> dict[str, str] | None:
        """What is said of that record, or of the SPF record of the domain itself."""
        checklist = self.show()
        row = next(row for row in checklist.rows if row.wanted.key == key)
        if row.problem:
            return asdict(row.problem)
        of_spf: list[dict[str, str]] = (checklist.spf or {}).get("problems", [])
        return of_spf[0] if of_spf else None


@pytest.fixture
def try_out(tmp_path: Path, make_database_url: Callable[[str], str]) -> Iterator[TryOut]:
    zone = PracticeZone(tmp_path / "kartramail-practice.db")
    with practice_dns(zone.records) as port:
        settings = make_settings(make_database_url("sqlite"), practice_dns_port=port)
        assert settings.practice_path == tmp_path / "kartramail-practice.db"
        app = create_app(settings)
        alice = make_alice(app)
        assert alice.post("/settings/domains", {"domain": "doeinc.test"}).status_code == 303
        yield TryOut(app, alice)
        if "kartramail_practice" in app.extensions:
            app.extensions["kartramail_practice"].close()
        app.extensions["kartramail"].db.dispose()
    zone.close()


def test_the_page_says_that_it_is_practice(try_out: TryOut) -> None:
    words = text_of(try_out.alice.get(PAGE))
    assert "made-up domain that exists only on this machine" in words
    assert "Publish it" in words


def test_published_records_turn_green_and_taken_away_ones_do_not_stay(try_out: TryOut) -> None:
    try_out.do("publish")
    assert try_out.show().is_authenticated
    assert "Authenticated since" in text_of(try_out.alice.get(PAGE))
    try_out.do("remove", "km2")
    words = text_of(try_out.alice.get(PAGE))
    assert "2 of 3 records found" in words
    assert "Second signature key: not found any more" in words
    try_out.do("publish", "km2")
    assert "Authenticated since" in text_of(try_out.alice.get(PAGE))


def test_each_mistake_is_named_with_its_own_sentence_and_heals(try_out: TryOut) -> None:
    try_out.do("publish")
    sentences = set()
    for mistake in MISTAKES:
        row = next(row for row in try_out.show().rows if mistake.applies_to(row.wanted))
        key = row.wanted.key
        try_out.do("break", key, mistake.code)
        problem = try_out.problem(key)
        assert problem is not None, f"{mistake.code} at {key}"
        assert problem["code"] == mistake.code
        words = text_of(try_out.alice.get(PAGE))
        assert " ".join(problem["message"].split()) in words
        assert " ".join(problem["fix"].split()) in words
        sentences.add(problem["message"])
        try_out.do("publish", key)
        assert try_out.problem(key) is None, f"{mistake.code} does not heal"
    assert len(sentences) == len(MISTAKES)
    assert try_out.show().is_authenticated


@pytest.mark.parametrize(
    "typed",
    [
        {"action": "publish", "record": "none"},
        {"action": "steal", "record": "km1"},
        {"action": "break", "record": "km1", "mistake": "none"},
        {"action": "break", "record": "km", "mistake": "truncated_key"},
        {},
    ],
)
def test_it_does_nothing_else(try_out: TryOut, typed: dict[str, str]) -> None:
    assert try_out.alice.post(f"{PAGE}/practice", typed).status_code == 400


def test_charlie_cannot_practise_with_alices_domain(try_out: TryOut) -> None:
    charlie = make_charlie(try_out.app)
    typed = {"action": "publish", "record": "all"}
    assert charlie.post(f"{PAGE}/practice", typed).status_code == 404


def test_only_the_machine_itself_practises(try_out: TryOut) -> None:
    headers = {"X-Forwarded-For": "192.0.2.1"}
    typed = {"action": "publish", "record": "all"}
    answer = try_out.alice.post(f"{PAGE}/practice", typed, headers=headers)
    assert answer.status_code == 404
    assert "Publish it" not in text_of(try_out.alice.get(PAGE, headers=headers))


def test_without_a_practice_dns_there_is_no_practice(alice: Actor) -> None:
    alice.post("/settings/domains", {"domain": "doeinc.test"})
    assert "Practice" not in text_of(alice.get(PAGE))
    typed = {"action": "publish", "record": "all"}
    assert alice.post(f"{PAGE}/practice", typed).status_code == 404
