"""A real catcher on an ephemeral port, and the application that shows what it took in."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.serving import make_server

from kartramail import create_app
from kartramail.config import Settings
from kartramail.sandbox.catcher import Catcher
from kartramail.sandbox.inbox import Inbox
from tests.browser.install import find_chromium
from tests.conftest import make_settings
from tests.support.ports import free_port


@pytest.fixture
def sandbox_settings(sqlite_template: Path, tmp_path: Path) -> Settings:
    """The catcher's mail has a file of its own, so these tests need one kind of database only."""
    path = tmp_path / "kartramail.db"
    path.write_bytes(sqlite_template.read_bytes())
    return make_settings(f"sqlite:///{path}")


@pytest.fixture
def inbox(sandbox_settings: Settings) -> Iterator[Inbox]:
    """The test inbox's file."""
    opened = Inbox(sandbox_settings.catcher_path)
    yield opened
    opened.close()


@pytest.fixture
def catcher_port(inbox: Inbox) -> Iterator[int]:
    """A running catcher."""
    port: Future[int] = Future()
    loop = asyncio.new_event_loop()
    catcher = Catcher(inbox)

    async def start() -> None:
        port.set_result(await catcher.start(0))

    def run() -> None:
        loop.run_until_complete(start())
        loop.run_forever()
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield port.result(10)
    asyncio.run_coroutine_threadsafe(catcher.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


@pytest.fixture
def sandbox_app(sandbox_settings: Settings) -> Iterator[Flask]:
    """The application of a try-out."""
    app = create_app(sandbox_settings)
    yield app
    if "kartramail_inbox" in app.extensions:
        app.extensions["kartramail_inbox"].close()
    app.extensions["kartramail"].db.dispose()


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """The Chromium that `make test` brought. Root may not have Chromium's own sandbox."""
    return {"executable_path": find_chromium(), "args": ["--no-sandbox"]}


@pytest.fixture
def address(sandbox_settings: Settings) -> Iterator[str]:
    """The try-out's pages, really served; the address that BASE_URL says."""
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    app = create_app(sandbox_settings.model_copy(update={"base_url": base_url}))
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield base_url
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions["kartramail"].db.dispose()
