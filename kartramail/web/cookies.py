"""The session cookie: renewed by pages, left alone by fragments."""

from flask import Flask
from flask.sessions import SecureCookieSessionInterface, SessionMixin

from kartramail.web.fragments import wants_fragment


class _PagesRenew(SecureCookieSessionInterface):
    """A fragment sends the cookie only where its view changed the session.

    It may arrive late: after a sign-out in another tab it would bring the old cookie back. And
    signing one at each key stroke costs more than judging the address.
    """

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        if session.modified:
            return True
        return not wants_fragment() and super().should_set_cookie(app, session)


def init_cookies(app: Flask) -> None:
    """Decide when a browser's cookie is renewed for another `PERMANENT_SESSION_LIFETIME`."""
    app.session_interface = _PagesRenew()
