"""Requests of this very machine, for pages that nobody else may see."""

from urllib.parse import urlsplit

from flask import request

from kartramail.rules.hosts import is_loopback

# Any of these says that the request came through something else on its way here.
_FORWARDING = {"forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip"}


def is_local_request() -> bool:
    """Whether it was sent from this machine, straight to us, and meant this machine.

    The last is about DNS rebinding: a page on the internet can make a browser here ask us, under a
    name of its own that points to 127.0.0.1; then the Host header still says that name.
    """
    return is_loopback(request.remote_addr or "") and not _was_forwarded() and _is_host_loopback()


def _was_forwarded() -> bool:
    names = (name.lower() for name in request.headers.keys())  # noqa: SIM118 - pairs otherwise
    return any(name in _FORWARDING or name.startswith("x-forwarded") for name in names)


def _is_host_loopback() -> bool:
    try:
        return is_loopback(urlsplit(f"//{request.headers.get('Host', '')}").hostname or "")
    except ValueError:
        return False
