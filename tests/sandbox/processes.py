"""Real processes of a try-out, with everything they write in the test's own folder."""

from kartramail.config import Settings


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
