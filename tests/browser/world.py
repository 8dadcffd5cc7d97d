"""A whole installation on ephemeral ports, as `make run` has it: pages, delivery and test inbox.

Browser tests run on SQLite only; the same pages meet PostgreSQL in the tests without a browser.
"""

import asyncio
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as email_policy
from pathlib import Path
from typing import cast

from flask import Flask
from playwright.sync_api import BrowserContext
from werkzeug.serving import make_server

from kartramail import create_app
from kartramail.config import Settings
from kartramail.installation import Installation
from kartramail.sandbox.catcher import Catcher
from kartramail.sandbox.inbox import Inbox
from tests.conftest import make_settings
from tests.support.cast import Actor, make_account, make_colleague, sign_in
from tests.support.dns_server import DnsServer
from tests.support.engine import running_engine, wait_until
from tests.support.ports import free_port

DOMAINS = ("doeinc.com", "yourcompany.com", "gmail.com")


@dataclass
class World:
    """What runs, and the people in it."""

    address: str
    app: Flask
    settings: Settings
    inbox: Inbox
    dns: DnsServer

    @property
    def installation(self) -> Installation:
        """The parts of the application, to prepare what a page is to show."""
        return cast(Installation, self.app.extensions["kartramail"])

    def owner(self, business_name: str, full_name: str, email: str) -> Actor:
        """Somebody new who owns a confirmed account, with a browser without JavaScript."""
        account_id, user_id = make_account(
            self.installation, business_name=business_name, full_name=full_name, email=email
        )
        return self._actor(account_id, user_id, full_name, email)

    def alice(self) -> Actor:
        """Alice owns Doe Inc."""
        return self.owner("Doe Inc.", "Alice Doe", "alice@doeinc.com")

    def colleague(self, owner: Actor, full_name: str, email: str) -> Actor:
        """A member of the owner's account."""
        user_id = make_colleague(
            self.installation, owner.account_id, full_name=full_name, email=email
        )
        return self._actor(owner.account_id, user_id, full_name, email)

    def _actor(self, account_id: int, user_id: int, full_name: str, email: str) -> Actor:
        client = self.app.test_client()
        sign_in(client, user_id, account_id)
        return Actor(account_id, user_id, email, full_name, client)

    def let_in(self, context: BrowserContext, actor: Actor) -> None:
        """Sign this browser in as `actor`, without the sign-in page."""
        client = self.app.test_client()
        sign_in(client, actor.user_id, actor.account_id)
        cookie = client.get_cookie("kartramail")
        assert cookie is not None
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.address}])

    def mail_to(self, address: str, count: int = 1) -> EmailMessage:
        """The newest message to `address`, once there are `count` of them."""
        wait_until(lambda: len(self._mails_to(address)) >= count)
        raw = self.inbox.source(self._mails_to(address)[0])
        assert raw is not None
        return message_from_bytes(raw, policy=email_policy)

    def link_to(self, address: str, count: int = 1) -> str:
        """The link in the newest mail to `address`, as somebody reads it there."""
        body = self.mail_to(address, count).get_body(("plain",))
        assert body is not None
        found = re.search(re.escape(self.address) + r"/\S+", body.get_content())
        assert found is not None
        return found[0]

    def _mails_to(self, address: str) -> list[int]:
        entries = self.inbox.entries(limit=200)
        return [entry.id for entry in entries if address in entry.rcpt_to]


@contextmanager
def open_world(
    folder: Path, template: Path, dns: DnsServer, *, has_mail_server: bool = True
) -> Iterator[World]:
    """Run it all until the block ends. Without a mail server nothing listens where mail goes."""
    with ExitStack() as stack:
        database = folder / "kartramail.db"
        shutil.copy(template, database)
        server = make_server("127.0.0.1", 0, _nothing_yet, threaded=True)
        address = f"http://127.0.0.1:{server.port}"
        settings = make_settings(
            f"sqlite:///{database}", base_url=address, dns_nameservers=(dns.address,)
        )
        inbox = Inbox(settings.catcher_path)
        stack.callback(inbox.close)
        port = stack.enter_context(_catching(inbox)) if has_mail_server else free_port()
        app = create_app(settings)
        stack.callback(_close, app)
        server.app = app
        stack.enter_context(_serving(server.serve_forever, server.shutdown))
        stack.callback(server.server_close)
        db = app.extensions["kartramail"].db
        stack.enter_context(running_engine(db, settings, port))
        yield World(address, app, settings, inbox, dns)


def _nothing_yet(environ: object, start_response: object) -> list[bytes]:
    raise AssertionError("nobody knows the address yet")


@contextmanager
def _serving(serve: Callable[[], None], stop: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join()


@contextmanager
def _catching(inbox: Inbox) -> Iterator[int]:
    """A running catcher; yields its port."""
    port: Future[int] = Future()
    loop = asyncio.new_event_loop()
    catcher = Catcher(inbox)

    async def start() -> None:
        port.set_result(await catcher.start(0))

    def run() -> None:
        loop.run_until_complete(start())
        loop.run_forever()
        loop.close()

    def stop() -> None:
        loop.call_soon_threadsafe(loop.stop)

    with _serving(run, stop):
        try:
            yield port.result(10)
        finally:
            asyncio.run_coroutine_threadsafe(catcher.stop(), loop).result(10)


def _close(app: Flask) -> None:
    if "kartramail_inbox" in app.extensions:
        app.extensions["kartramail_inbox"].close()
    app.extensions["kartramail"].db.dispose()
