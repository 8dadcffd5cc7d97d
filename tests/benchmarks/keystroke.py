"""(a) The check at each key stroke against a bare Flask-WTF form post in the same gunicorn."""

import http.client
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from kartramail.accounts.passwords import hash_password
from kartramail.config import load_settings
from kartramail.installation import Installation
from kartramail.onboarding.service import create_confirmed_account
from tests.benchmarks.figures import Bound, interleave, show_figure, show_heading, show_ratio
from tests.benchmarks.http_load import Load, form_post, run_load
from tests.benchmarks.surroundings import ROOT, environment, sqlite_url
from tests.support.ports import free_port

EMAIL, PASSWORD = "jane@doeinc.com", "a sentence that Jane remembers"
CHECK = "/settings/integrations/kartramail/check/send_from"
EDIT = "/settings/integrations/kartramail/edit"
THREADS = 4
_ADDRESSES = 5_000  # all different, and more than any cache of domains holds: none helps us
_TOKEN = re.compile(r'name="csrf_token"[^>]* value="([^"]+)"')
_VERSION = re.compile(r'name="version"[^>]* value="([^"]*)"')


class _Browser:
    """Enough of one to sign in: it keeps cookies and reads tokens out of forms."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._cookies: dict[str, str] = {}

    def get(self, path: str) -> str:
        return self._ask("GET", path, None, {})

    def post(self, path: str, fields: Mapping[str, str]) -> str:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", path, urlencode(fields), kind)

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    def _ask(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> str:
        self._connection.request(method, path, body, headers | {"Cookie": self.cookie})
        answer = self._connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or []:
            for name, morsel in SimpleCookie(line).items():
                self._cookies[name] = morsel.value
        return answer.read().decode()


def run(rounds: int, *, is_quick: bool) -> bool:
    """Measure and print; returns whether both targets are met."""
    seconds = 1.0 if is_quick else 4.0
    with sqlite_url() as url, _gunicorn(environment(url)) as port:
        subjects = {
            "KartraMail": _load(port, _check_requests(port), b'class="message"', seconds),
            "bare Flask-WTF": _load(port, _bare_requests(port), b"fine", seconds),
            "no application": _load(port, _empty_requests(port), b"", min(seconds, 1.0)),
        }
        for subject in subjects.values():
            subject()  # templates, caches and connections of a process that has run for a while
        loads = interleave(rounds, subjects)
    return _show(loads, rounds, seconds)


def _show(loads: dict[str, list[Load]], rounds: int, seconds: float) -> bool:
    show_heading(
        f"(a) POST {CHECK}\n  {rounds} rounds of {seconds:g} s, SQLite, gunicorn with one process "
        f"and {THREADS} threads, {THREADS} keep-alive connections"
    )
    for name, runs in loads.items():
        show_figure(name, [run.requests_per_second for run in runs], "requests/s")
        show_figure(f"{name}, p50", [run.p50 for run in runs], "ms", ".2f")
        show_figure(f"{name}, p99", [run.p99 for run in runs], "ms", ".2f")
    share = max(run.own_share for name in loads if name != "no application" for run in loads[name])
    print(f"  The load generator was busy for at most {share:.0%} of the time.")
    ours, bare = loads["KartraMail"], loads["bare Flask-WTF"]
    is_fast = show_ratio(
        "requests/s: KartraMail / bare",
        [run.requests_per_second for run in ours],
        [run.requests_per_second for run in bare],
        Bound.AT_LEAST,
        0.7,
    )
    is_even = show_ratio(
        "p99: KartraMail / bare",
        [run.p99 for run in ours],
        [run.p99 for run in bare],
        Bound.AT_MOST,
        1.5,
    )
    return is_fast and is_even


def _load(port: int, requests: list[bytes], expected: bytes, seconds: float) -> Callable[[], Load]:
    def run_once() -> Load:
        return run_load(port, requests, connections=THREADS, seconds=seconds, expected=expected)

    return run_once


def _details(number: int) -> dict[str, str]:
    address = f"jane{number}@doeinc{number}.com"
    return {"sender_name": "Doe Inc.", "send_from": address, "reply_to": address}


def _check_requests(port: int) -> list[bytes]:
    """The whole form as the page sends it while one types, of a person who signed in."""
    browser = _Browser(port)
    token = _found(_TOKEN, browser.get("/login"))
    browser.post("/login", {"csrf_token": token, "email": EMAIL, "password": PASSWORD})
    page = browser.get(EDIT)
    hidden = {"csrf_token": _found(_TOKEN, page), "version": _found(_VERSION, page)}
    headers = {
        "Cookie": browser.cookie,
        "HX-Request": "true",
        "HX-Target": "send_from-message",
        "HX-Trigger": "send_from",
        "HX-Trigger-Name": "send_from",
        "HX-Current-URL": f"http://127.0.0.1:{port}{EDIT}",
        "X-Field-Moment": "typing",
    }
    return [
        form_post(CHECK, port, hidden | _details(number), headers) for number in range(_ADDRESSES)
    ]


def _bare_requests(port: int) -> list[bytes]:
    browser = _Browser(port)
    token = {"csrf_token": _found(_TOKEN, browser.get("/bare/form"))}
    headers = {"Cookie": browser.cookie}
    return [
        form_post("/bare/form", port, token | _details(number), headers)
        for number in range(_ADDRESSES)
    ]


def _empty_requests(port: int) -> list[bytes]:
    return [form_post("/nothing", port, _details(0), {})]


def _found(pattern: re.Pattern[str], page: str) -> str:
    found = pattern.search(page)
    if found is None:
        raise ValueError(f"The page has no {pattern.pattern}: {page[:2000]}")
    return found[1]


@contextmanager
def _gunicorn(settings: dict[str, str]) -> Iterator[int]:
    """The application on an ephemeral port, as in production; one account is in the database."""
    _make_account(settings["DATABASE_URL"])
    port = free_port()
    argv = [sys.executable, "-m", "gunicorn", "tests.benchmarks.keystroke_wsgi:app"]
    argv += ["--bind", f"127.0.0.1:{port}", "--workers", "1", "--log-level", "warning"]
    argv += ["--worker-class", "gthread", "--threads", str(THREADS), "--no-control-socket"]
    process = subprocess.Popen(argv, cwd=ROOT, env=settings, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _make_account(database_url: str) -> None:
    installation = Installation.of(
        load_settings(database_url=database_url, secret_key="-", master_keys="")
    )
    with installation.db.transaction() as session:
        create_confirmed_account(
            session,
            installation,
            business_name="Doe Inc.",
            full_name="Jane Doe",
            email=EMAIL,
            password_hash=hash_password(PASSWORD),
        )
    installation.db.dispose()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        try:
            _Browser(port).get("/nothing")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("gunicorn did not start; try: make run")
