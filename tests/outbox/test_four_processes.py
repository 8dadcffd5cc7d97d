"""Four processes claim from one database at once, and none gets what another has (R-OUTBOX)."""

import json
import subprocess
import sys
from collections import Counter

from kartramail.config import ROOT
from kartramail.db import Database
from kartramail.rules.streams import Stream
from tests.support.outbox import add_account, add_messages, messages

PROCESSES = 4
MESSAGES = 4_000

_CLAIMS_ALL = """
import json, sys, time
from kartramail.db import Database
from kartramail.outbox.claims import Claimer
from kartramail.outbox.workers import register_worker

db = Database(sys.argv[1])
with db.transaction() as session:
    me = register_worker(session, "test", 1)
claimer, ids = Claimer(has_limits=False), []
print("ready", flush=True)
sys.stdin.readline()
empty = 0
while empty < 100:  # longer than a look at the lanes is kept
    with db.transaction() as session:
        got = claimer.claim(session, me, 25)
    ids += [one.id for one in got]
    empty = 0 if got else empty + 1
    time.sleep(0 if got else 0.01)
print(json.dumps([me, ids]))
"""


def test_four_processes_claim_each_message_once(database_url: str) -> None:
    db = Database(database_url)
    with db.transaction() as session:
        account_id = add_account(session)
        ids = add_messages(session, account_id, MESSAGES // 2)
        ids += add_messages(session, account_id, MESSAGES // 2, stream=Stream.COMMERCIAL)
    claimed = dict(_claim_in_processes(database_url))
    assert Counter(one for some in claimed.values() for one in some) == Counter(ids)
    assert sum(bool(some) for some in claimed.values()) > 1  # else nobody competed
    holders = {message.id: message.worker_id for message in messages(db)}
    assert holders == {one: worker for worker, some in claimed.items() for one in some}
    db.dispose()


def _claim_in_processes(url: str) -> list[tuple[int, list[int]]]:
    """Start them all, let them go together, and return (worker, ids) of each."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _CLAIMS_ALL, url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    try:
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in started:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        found = []
        for process in started:
            out, _ = process.communicate(timeout=120)
            worker, ids = json.loads(out)
            found.append((worker, ids))
        return found
    finally:
        for process in started:
            process.kill()
            process.wait()
