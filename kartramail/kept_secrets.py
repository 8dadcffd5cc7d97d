"""Secrets of an installation: judged where they are given, made and kept where they may be."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet

from kartramail.errors import ConfigurationError


def make_secret_key() -> str:
    """For signatures of sessions and links."""
    return secrets.token_urlsafe(48)


def make_master_key() -> str:
    """For what is sealed in the database."""
    return Fernet.generate_key().decode()


def check_master_keys(value: str) -> None:
    """Raises ConfigurationError."""
    try:
        for key in value.split(","):
            Fernet(key.strip())
    except ValueError:
        raise ConfigurationError(
            "MASTER_KEYS=(hidden) is not possible. Allowed: Fernet keys (32 bytes as url-safe "
            "base64), newest first, separated by commas."
        ) from None


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """Read the file, or make it with mode 0600. Two processes that start at once agree on one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
