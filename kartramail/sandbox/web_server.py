"""gunicorn, embedded: the server of production in the try-out too, without a file of its own."""

from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication


class _Server(BaseApplication):
    def __init__(self, app: Flask, options: dict[str, Any]) -> None:
        self._app, self._options = app, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._app


def serve_web(app: Flask, port: int, threads: int) -> None:
    """Serve `app` on 127.0.0.1:port until SIGTERM or SIGINT; then ends the process."""
    options = {
        "bind": f"127.0.0.1:{port}",
        "workers": 1,
        "worker_class": "gthread",
        "threads": threads,
        "graceful_timeout": 5,  # seconds for answers under way when told to stop
        "loglevel": "warning",  # each request is in our own log
        "control_socket_disable": True,
    }
    _Server(app, options).run()
