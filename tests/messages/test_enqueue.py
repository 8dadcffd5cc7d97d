"""The way into the outbox: templates judged once each, within bounds; senders said once."""

import threading

import pytest
from sqlmodel import select

from kartramail.config import Settings
from kartramail.db import Database
from kartramail.delivery.loading import Loader
from kartramail.messages import requests
from kartramail.messages.compose import Composer
from kartramail.messages.requests import MessageRequest, find_faults
from kartramail.messages.resolution import Resolution
from kartramail.outbox.models import ResolvedSender
from kartramail.rules.addresses import AddressPolicy
from tests.support.outbox import add_account

POLICY = AddressPolicy(platform_domain="kartra.com")
CODE = "{{ a | append: b }}" * 1_000


def request(text: str) -> MessageRequest:
    return MessageRequest("pat@doeinc.com", "Hello", text, None)


def test_a_request_has_a_bound_for_all_of_its_code() -> None:
    _, faults = find_faults([request(f"{CODE}{n}") for n in range(14)], POLICY)
    assert [fault.index for fault in faults] == [10, 11, 12, 13]
    assert "200,000 characters of code" in faults[0].message


def test_one_template_for_many_counts_once() -> None:
    assert find_faults([request(CODE)] * 50, POLICY)[1] == []


def test_faulty_templates_are_work_as_well_and_judged_once_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judged: list[str] = []
    compile_template = requests.compile_template

    def count(source: str, kind: requests.TemplateKind) -> object:
        judged.append(source)
        return compile_template(source, kind)

    monkeypatch.setattr(requests, "compile_template", count)
    bad = [request(f"{CODE}{n}{{{{ a | nosuch }}}}") for n in range(14)] * 3
    _, faults = find_faults(bad, POLICY)
    assert len(faults) == 42
    assert len(judged) == 12  # the subject, and eleven texts until the bound


def test_a_line_is_named_once() -> None:
    _, (fault,) = find_faults([request("a\n{{ a | nosuch }}")], POLICY)
    assert fault.message.count("line 2") == 1


def test_two_workers_that_name_the_same_senders_do_not_lock_each_other(
    db: Database, settings: Settings
) -> None:
    """Each process has met them in an order of its own."""
    with db.transaction() as session:
        account_id = add_account(session)
    failures: list[Exception] = []
    barrier = threading.Barrier(2)

    def store(is_reversed: bool) -> None:
        for round_ in range(8):
            found = [_resolution(f"{round_}-{n}@doeinc.com") for n in range(60)]
            named = {(account_id, one.digest): one for one in found}
            barrier.wait()
            try:
                Loader(settings, Composer())._number(
                    db, dict(reversed(named.items())) if is_reversed else named
                )
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=store, args=(way,)) for way in (False, True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with db.reading() as session:
        assert len(session.exec(select(ResolvedSender)).all()) == 480


def _resolution(send_from: str) -> Resolution:
    return Resolution("Doe", send_from, None, None, "code", "why", True)


def test_a_sender_that_was_not_committed_is_named_again(
    db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its messages would refer to a sender that is not there."""
    with db.transaction() as session:
        account_id = add_account(session)
    loader = Loader(settings, Composer())
    sender = _resolution("a@doeinc.com")
    key = (account_id, sender.digest)

    class Cut(Exception):
        pass

    def cut(*_: object) -> None:
        raise Cut

    with monkeypatch.context() as patched:
        patched.setattr("sqlalchemy.engine.Connection._commit_impl", cut)
        with pytest.raises(Cut):
            loader._number(db, {key: sender})
    loader._number(db, {key: sender})
    with db.reading() as session:
        assert session.get(ResolvedSender, loader._resolved_ids[key]) is not None
