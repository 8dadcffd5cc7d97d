"""The test inbox: what was kept is there, the newest first, and not more than fits."""

import stat
import threading
from pathlib import Path

import pytest

from kartramail.sandbox.inbox import Inbox


def mail(subject: str, sender: str = "Jane <jane@doeinc.com>") -> bytes:
    return f"From: {sender}\r\nSubject: {subject}\r\n\r\nHello\r\n".encode()


def add(inbox: Inbox, subject: str, to: str = "bob@example.com") -> int:
    return inbox.add("bounce@kartra.com", [to], mail(subject))


def test_it_keeps_the_message_and_its_envelope(inbox: Inbox) -> None:
    letter_id = inbox.add("", ["a@example.com", "b@example.com"], mail("Hi"))
    entry = inbox.entry(letter_id)
    assert entry is not None
    assert (entry.mail_from, entry.rcpt_to) == ("", ("a@example.com", "b@example.com"))
    assert (entry.sender, entry.subject) == ("Jane <jane@doeinc.com>", "Hi")
    assert entry.is_seen is False
    assert inbox.source(letter_id) == mail("Hi")


def test_another_process_sees_it_at_once(inbox: Inbox) -> None:
    letter_id = add(inbox, "Hi")
    other = Inbox(inbox_path(inbox))
    assert other.source(letter_id) == mail("Hi")
    other.close()


def inbox_path(inbox: Inbox) -> Path:
    return Path(inbox._connection.execute("PRAGMA database_list").fetchone()[2])


def test_its_file_is_for_its_owner_only(inbox: Inbox) -> None:
    assert stat.S_IMODE(inbox_path(inbox).stat().st_mode) == 0o600


def test_the_newest_come_first_and_pages_join(inbox: Inbox) -> None:
    for number in range(7):
        add(inbox, f"n{number}")
    first = inbox.entries(limit=3)
    second = inbox.entries(limit=10, before=first[-1].id)
    assert [entry.subject for entry in first + second] == [f"n{n}" for n in range(6, -1, -1)]


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path / "small.db", most=3)
    ids = [add(inbox, f"n{number}") for number in range(5)]
    assert [entry.subject for entry in inbox.entries()] == ["n4", "n3", "n2"]
    assert inbox.count() == 3
    assert inbox.source(ids[0]) is None
    inbox.close()


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("alice", ["To Alice"]),
        ("ALICE@", ["To Alice"]),
        ("50%", ["50% off"]),
        ("%", ["50% off"]),
        ("_", []),
        ("\\", []),
        ("jane@doeinc", ["50% off", "To Alice"]),
        ("' OR 1=1 --", []),
    ],
)
def test_it_searches_addresses_and_subjects(inbox: Inbox, search: str, found: list[str]) -> None:
    add(inbox, "To Alice", to="alice@example.com")
    add(inbox, "50% off")
    assert [entry.subject for entry in inbox.entries(search=search)] == found


def test_its_version_changes_with_what_the_list_shows(inbox: Inbox) -> None:
    versions = [inbox.version()]
    letter_id = add(inbox, "Hi")
    versions.append(inbox.version())
    inbox.mark_seen(letter_id)
    versions.append(inbox.version())
    inbox.empty()
    versions.append(inbox.version())
    assert versions[0] == versions[3]
    assert len(set(versions)) == 3
    assert inbox.version() == inbox.version()


def test_emptied_it_holds_nothing(inbox: Inbox) -> None:
    letter_id = add(inbox, "Hi")
    inbox.empty()
    assert inbox.entries() == []
    assert inbox.source(letter_id) is None
    assert b"Subject: Hi" not in inbox_path(inbox).read_bytes()


def test_many_threads_may_use_it(inbox: Inbox) -> None:
    threads = [threading.Thread(target=add, args=(inbox, f"n{n}")) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inbox.count() == 20
