"""What pages, programs and watchers ask for all the time, each as the request that they make."""

from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.test import TestResponse

from tests.support.million import Million

Visit = Callable[[Million], list[TestResponse]]


def _get(path: str, *, then_older: bool = False) -> Visit:
    def visit(full: Million) -> list[TestResponse]:
        shown = path.format_map(full.shown)
        answers = [full.alice.get(shown)]
        if then_older:
            before = answers[0].get_data(as_text=True).rpartition("before=")[2][:13]
            answers.append(full.alice.get(f"{shown}{'&' if '?' in shown else '?'}before={before}"))
        return answers

    return visit


def _list(query: str) -> Visit:
    return _get(f"/activity?{query}", then_older=True)


def _export(query: str) -> Visit:
    def visit(full: Million) -> list[TestResponse]:
        answer = full.alice.get(f"/activity/export?{query.format_map(full.shown)}")
        assert answer.get_data()  # it is read from the database as it is written
        return [answer]

    return visit


def _program(method: str, path: str, body: Any = None, **headers: str) -> Visit:
    def visit(full: Million) -> list[TestResponse]:
        named = {"Authorization": f"Bearer {full.key}"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        shown = "/api/v1" + path.format_map(full.shown)
        client = full.app.test_client()
        return [client.open(shown, method=method, json=body, headers=named) for _ in range(2)]

    return visit


def _post(path: str) -> Visit:
    return lambda full: [full.alice.post(path.format_map(full.shown))]


_MAIL = {"to": "jo@example.net", "subject": "Hello", "text": "Hello"}

VISITS: Mapping[str, Visit] = {
    "home": _get("/"),
    "onboarding": _get("/onboarding"),
    "card": _get("/settings/integrations"),
    "sender form": _get("/settings/integrations/kartramail/edit"),
    "progress": _get("/settings/integrations/kartramail/progress/{sent}"),
    "senders": _get("/settings/senders"),
    "sender": _get("/settings/senders/{sender}"),
    "removal of a sender": _get("/settings/senders/{sender}/remove"),
    "domains": _get("/settings/domains"),
    "team": _get("/settings/team"),
    "keys": _get("/settings/api-keys"),
    "account": _get("/settings/account"),
    "notifications": _get("/settings/notifications"),
    "assets": _get("/assets"),
    "asset": _get("/assets/calendar/{asset}/notifications"),
    "list": _list(""),
    "list sent": _list("state=sent"),
    "list waiting": _list("state=waiting"),
    "list trouble": _list("state=trouble"),
    "list failed": _list("state=failed"),
    "list cancelled": _list("state=cancelled"),
    "list tests": _list("source=test"),
    "list failed tests": _list("source=test&state=failed"),
    "list api": _list("source=api"),
    "list samples": _list("source=sample"),
    "list kind": _list("source=kind:calendar"),
    "list type": _list("source=type:calendar.booked"),
    "list asset": _list("source=asset:{asset}"),
    "list asset failed": _list("source=asset:{asset}&state=failed"),
    "list address": _list("q=r100777@example.net"),
    "list beginning": _list("q=r1007"),
    "list short beginning": _list("q=r"),
    "list beginning failed": _list("q=r1&state=failed"),
    "list domain": _list("q=@example.net"),
    "list rare domain": _list("q=@rare.example"),
    "list nobody": _list("q=nobody@example.net"),
    "list days": _list("days=7"),
    "list days waiting": _list("days=7&state=waiting"),
    "list by id": _list("q={sent}"),
    "sent message": _get("/activity/{sent}"),
    "bounced message": _get("/activity/{bounced}"),
    "failed message": _get("/activity/{failed}"),
    "queued message": _get("/activity/{queued}"),
    "old message": _get("/activity/{old}"),
    "state of a message": _get("/activity/{queued}/state"),
    "words of a message": _get("/activity/{queued}/text"),
    "what waits": _get("/activity/waiting"),
    "what waits, again": _get("/activity/waiting/panel"),
    "cancel": _post("/activity/{queued}/cancel"),
    "try now": _post("/activity/{queued}/try-now"),
    "pause": _post("/activity/lanes/{lane}/pause"),
    "resume": _post("/activity/lanes/{lane}/resume"),
    "export of one asset": _export("source=asset:{asset}"),
    "export of an address": _export("q=r1007"),
    "export of tests": _export("source=test"),
    "API one": _program("POST", "/messages", _MAIL),
    "API once": _program("POST", "/messages", _MAIL, Idempotency_Key="key-of-a-test"),
    "API batch": _program("POST", "/messages", {"messages": [_MAIL] * 50}),
    "API message": _program("GET", "/messages/{bounced}"),
    "API old message": _program("GET", "/messages/{old}"),
    "API assets": _program("GET", "/assets"),
    "API senders": _program("GET", "/senders"),
    "API sender": _program("GET", "/senders/{sender}"),
    "API domains": _program("GET", "/domains"),
    "API cancel": _program("POST", "/messages/{queued}/cancel"),
    "API retry": _program("POST", "/messages/{queued}/retry"),
    "health": _get("/healthz"),
    "readiness": _get("/readyz"),
}
