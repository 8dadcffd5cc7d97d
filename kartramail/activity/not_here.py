"""What is not in this account, or not any more: said so, with the way on."""

from typing import NoReturn

from flask import Response, abort, render_template, request


def no_such_message() -> NoReturn:
    """404: whoever's it is, or that it never was, makes no difference in the answer."""
    unchanged = "" if request.method == "GET" else " Nothing was changed."
    _leave(
        "This message is not here",
        f"There is no such message in this account.{unchanged}",
        "Show all messages",
        "/activity",
    )


def no_such_lane() -> NoReturn:
    """404, for mail that was to be paused or resumed."""
    _leave(
        "This mail is not here",
        "There is no such mail in this account. Nothing was paused or resumed.",
        "See what waits",
        "/activity/waiting",
    )


def _leave(title: str, advice: str, action_text: str, action_href: str) -> NoReturn:
    page = render_template(
        "errors/error.html",
        code=404,
        title=title,
        advice=advice,
        action_text=action_text,
        action_href=action_href,
    )
    abort(Response(page, 404))
