"""Real processes of a try-out, with everything they write in the test's own folder."""

import socket

from kartramail.config import Settings


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def process_environment(settings: Settings, **more: str) -> dict[str, str]:
    """Environment variables for these settings; the secrets among them, so that none is kept."""
    return {
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "MASTER_KEYS": settings.master_keys.get_secret_value(),
        "WORKER_PROCESSES": "2",
        "WORKER_CONNECTIONS": "1",
        **more,
    }
