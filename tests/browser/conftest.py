"""Debian's Chromium on a whole installation. What the console complains of fails the test."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.browser.install import find_chromium
from tests.browser.world import DOMAINS, World, open_world
from tests.support.cast import Actor
from tests.support.dns_server import DnsServer

# Playwright's own 5 seconds can be too short where several browsers share a busy core.
expect.set_options(timeout=15_000)

CHROMIUM = (
    "--no-sandbox",  # root may not have Chromium's own
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """The Chromium that `make test` brought, which asks nobody on the internet anything."""
    return {"executable_path": find_chromium(), "args": list(CHROMIUM)}


def add_domains(dns: DnsServer) -> None:
    """The domains of the cast, which take mail."""
    for domain in DOMAINS:
        dns.add(domain, "MX", f"10 mail.{domain}")
        dns.add(f"mail.{domain}", "A", "192.0.2.25")


@pytest.fixture
def world(tmp_path: Path, sqlite_template: Path, dns: DnsServer) -> Iterator[World]:
    """An installation of the test's own."""
    with open_world(tmp_path, sqlite_template, dns) as opened:
        yield opened


@pytest.fixture
def expected_faults() -> list[str]:
    """Parts of console errors that a test brings about on purpose; it adds them here."""
    return ["htmx:sendAbort", "htmx:afterRequest"]  # what htmx says when it hangs up


class Visitors:
    """Makes pages in browsers of their own, and hears what their consoles complain of."""

    def __init__(self, world: World, browser: Browser, expected: list[str]) -> None:
        self._world, self._browser, self._expected = world, browser, expected
        self._faults: list[str] = []
        self._stack = ExitStack()

    def __call__(self, actor: Actor | None = None, **options: Any) -> Page:
        """A page in a new browser, signed in as `actor` if one is given."""
        options = {"base_url": self._world.address, "reduced_motion": "reduce"} | options
        context = self._browser.new_context(**options)
        self._stack.callback(context.close)
        context.on("page", self._watch)
        if actor is not None:
            self._world.let_in(context, actor)
        page = context.new_page()
        page.set_default_timeout(10_000)
        return page

    def check(self) -> None:
        """Fail when a console had something to complain of."""
        faults = [f for f in self._faults if not any(known in f for known in self._expected)]
        assert not faults, "\n".join(faults)

    def close(self) -> None:
        """Close all of them."""
        self._stack.close()

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self._faults.append(f"{page.url}: {error}"))
        page.on("console", self._listen)

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _is_answer(message):
            self._faults.append(f"{message.location.get('url')}: {message.text}")


def _is_answer(message: ConsoleMessage) -> bool:
    """Chromium complains of every 4xx; for a page it is an answer like any other."""
    path = re.sub(r"^https?://[^/]+", "", message.location.get("url", ""))
    is_refusal = re.search(r"with a status of (401|403|404|409|410|422|429)\b", message.text)
    return bool(is_refusal) and not path.startswith("/static/")


@pytest.fixture
def new_page(world: World, browser: Browser, expected_faults: list[str]) -> Iterator[Visitors]:
    """Make a page in a browser of its own, signed in as `actor` if one is given."""
    visitors = Visitors(world, browser, expected_faults)
    yield visitors
    visitors.close()
    visitors.check()


@pytest.fixture
def page(new_page: Visitors) -> Page:
    """A browser in which nobody is signed in."""
    return new_page()


@pytest.fixture
def alice(world: World) -> Actor:
    """Alice owns Doe Inc."""
    return world.alice()


@pytest.fixture
def alices_page(new_page: Visitors, alice: Actor) -> Page:
    """Alice's browser."""
    return new_page(alice)
