"""Headers of every answer: a strict Content-Security-Policy and its companions (R-SAFE)."""

from flask import Flask, Response, request

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-src 'self'; font-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def init_headers(app: Flask, *, is_https: bool) -> None:
    """A view that needs another policy (mail in a frame) sets its own, which is left alone."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", POLICY)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "same-origin")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if is_https:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if request.endpoint != "static":
            headers.setdefault("Cache-Control", "no-store")
            response.vary.add("HX-Request")
        return response
