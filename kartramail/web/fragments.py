"""Whether an open page asks for a part of itself, or a browser for a page."""

from htmx_flask import request  # Flask's own, which knows htmx


def wants_fragment() -> bool:
    """Whether htmx asks for what is to change in an open page.

    False for a link or form that it only follows in place of the browser ("boosted"): what is
    wanted then is a page. Only within a request.
    """
    return bool(request.htmx and not request.htmx.boosted)
